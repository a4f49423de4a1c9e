"""A file that Keras saved -> the layers of its network. Nothing of it is built, nor Keras loaded."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dlspec.language.shapes import show_shape
from dlspec.language.words import did_you_mean
from dlspec.model.from_keras.calls import take_apart
from dlspec.model.from_keras.files import OPERATIONS, foreign_anywhere, read_archive
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.network import Network
from dlspec.model.from_keras.state import IN_WEIGHTS
from dlspec.model.layers import Wire
from dlspec.model.unfolding.structure import Piece, Structure


class Unreadable(Exception):
    """The file cannot be taken.

    Args:
        key: of the item, that the message is about; empty: the item itself.
        certain: whether that is an error; a spec is fine where its files are not there.
    """

    def __init__(self, message: str, code: str, key: str = "file", help: str | None = None, certain: bool = True):
        super().__init__(message)
        self.message, self.code, self.key, self.help, self.certain = message, code, key, help, certain


def read_network(path: Path, up_to: str | None, wires: Sequence[Wire]) -> Structure:
    """The layers of the network in a file, up to one of them.

    Args:
        wires: what leads to its inputs.

    Raises:
        Unreadable: there is no such file, it holds what the language has no word for, or does not fit.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        message = f"`{path.as_posix()}` {what}, so that the shapes of its layers are not known"
        inside = path / "model.keras"
        help = "name a file that `model.save` of Keras wrote, such as `backbone.keras`"
        if inside.is_file():
            help = f"name the network of that run: `{path.name}/{inside.name}`"
        raise Unreadable(message, "network-not-found", help=help, certain=path.is_dir())
    stat = path.stat()
    config, network = _read(path, stat.st_mtime_ns, stat.st_size)
    structure = _structure(config, network)
    if len(wires) != len(structure.inputs):
        count = len(structure.inputs)
        message = f"the network in `{path.name}` takes {count} input{'s' * (count > 1)}, got {len(wires)}"
        names = ", ".join(given.name for given in network.given)
        raise Unreadable(message, "wrong-number-of-inputs", "", help=f"name them in `from`, in this order: {names}")
    for wire, wanted in zip(wires, structure.inputs, strict=True):
        found = wire.shape
        fits = found is None or (
            len(found) == len(wanted)
            and all(w is None or f in (None, w) for f, w in zip(found[1:], wanted[1:], strict=True))
        )
        if not fits:
            message = f"the network in `{path.name}` takes {show_shape(wanted)}, got {show_shape(found)}"
            raise Unreadable(message, "shape-mismatch", "")
    if up_to is not None:
        return structure.up_to(_number_of(structure, network, up_to, path))
    if len(network.outputs) > 1:
        names = ", ".join(f"`{name}`" for name, _ in network.outputs)
        message = f"the network in `{path.name}` has {len(network.outputs)} outputs: {names}"
        raise Unreadable(message, "wrong-value", help="name the layer to take with `up_to`")
    return structure


def _number_of(structure: Structure, network: Network, up_to: str, path: Path) -> int:
    """The number of the layer that a name means: of its last call, and of a model inside that of its end."""
    own = {up_to, *((up_to.replace("/", "_"),) if "/" in up_to else ())}
    numbers = _numbers(network)
    names = {name: numbers[number] for name, number in network.ends.items() if number in numbers}
    for i, piece in enumerate(structure.pieces):
        names.setdefault(piece.name, structure.number(i))
        if len(piece.place) == 1:
            names[piece.place[0]] = structure.number(i)
        names["/".join(piece.place) or piece.name] = structure.number(i)
    for name in own:
        if name in names:
            return names[name]
    message = f"the network in `{path.name}` has no layer `{up_to}`"
    help = did_you_mean(up_to, names, otherwise=f"its last layers are {_some(list(names)[-6:])}")
    raise Unreadable(message, "unknown-layer-name", "up_to", help=help)


def _some(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> tuple[dict[str, Any], Network]:
    """The configuration, and the network taken apart; of a file that has not changed once."""
    if not zipfile.is_zipfile(path):
        help = "save it anew with Keras 3, as a `.keras` file; `dlspec adopt` reads an `.h5` file"
        raise Unreadable(f"`{path.name}` is no `.keras` file", "data-unreadable", help=help)
    try:
        config, _ = read_archive(path)
        network, problems = take_apart(config, IN_WEIGHTS)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
            zipfile.BadZipFile) as error:  # fmt: skip
        said = (str(error) or type(error).__name__).splitlines()[0]
        said = f"its configuration lacks {said}" if isinstance(error, KeyError) else said
        message = f"`{path.name}` is no model of Keras: {said}"
        raise Unreadable(message, "data-unreadable", help="save it anew with `model.save` of Keras") from None
    if problems or network is None:
        (name, why), more = problems[0], len(problems) - 1
        others = f", and of {more} more" if more else ""
        message = f"the language has no word for `{name}` in `{path.name}`{others}: {why}"
        raise Unreadable(
            message, "cannot-unfold", help="save the part below that layer as a model of its own, and name its file"
        )
    foreign = foreign_anywhere(config)
    if foreign is not None:
        message = f"`{path.name}` holds `{foreign}`, which is no class of Keras or is code, and leads nowhere"
        raise Unreadable(message, "cannot-unfold", help="save the model anew without it")
    return config, network


def _structure(config: dict[str, Any], network: Network) -> Structure:
    layers = [entry for entry in config["config"]["layers"] if not str(entry.get("module")).startswith(OPERATIONS)]
    names = [str(entry.get("name") or entry["config"]["name"]) for entry in layers]
    if config["class_name"] == "Sequential" and layers and layers[0]["class_name"] != "InputLayer":
        names = ["", *names]  # Keras counts no input layer there, which stands before all others
    ranks = {name: i for i, name in enumerate(names)}
    numbers = _numbers(network)
    taken: set[str] = set()
    pieces = []
    for call in network.calls:
        tried = plain_name("_".join(call.place))
        name, number = tried, 1
        while name in taken:
            number += 1
            name = f"{tried}_{number}"
        taken.add(name)
        own = call.place if call.is_layer or call.layer.has_weights else ()
        inputs = tuple(numbers[number] for number in call.inputs)
        again = None if call.again is None else numbers[call.again]
        pieces.append(Piece(name, call.layer, inputs, own, ranks.get(call.place[0]), again))
    shapes = tuple(given.shape for given in network.given)
    return Structure(shapes, tuple(pieces), numbers[network.outputs[0][1]], len(names))


def _numbers(network: Network) -> dict[int, int]:
    """Number in the network taken apart, where masks have numbers too -> number in a structure."""
    first = len(network.given)
    return {
        **{number: number for number in range(first)},
        **{call.number: first + i for i, call in enumerate(network.calls)},
    }
