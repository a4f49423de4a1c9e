"""`dlspec.adopt`: the spec of a Keras model, shown to build the same network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.adoption.compiled import train_section
from dlspec.adoption.data_wanted import Wanted, wanted_data
from dlspec.adoption.proving import Proof, layer_at, prove
from dlspec.adoption.reading import Opened, no_words, open_model
from dlspec.adoption.writing import Written, write_spec
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, SavedModelError
from dlspec.language.shapes import Shape, show_shape
from dlspec.language.yaml import read_text
from dlspec.model.from_keras.calls import take_apart
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.network import Network
from dlspec.model.from_keras.words import NoWord
from dlspec.model.graph import Graph
from dlspec.model.layers.activations import Activating
from dlspec.model.layers.base import Merging
from dlspec.model.layers.global_pooling import GlobalAveragePooling1D
from dlspec.model.layers.normalization import RMSNormalization
from dlspec.model.layers.operations import Operating
from dlspec.model.masks import masks_of
from dlspec.model.section import Broken
from dlspec.model.weights import RESOLVED
from dlspec.runtime.packages import model_modules, require
from dlspec.spec.checks import Checked, check
from dlspec.spec.composition import compose

if TYPE_CHECKING:
    import keras

SIZES = (64, 96, 224, 299, 32, 16, 8)
"""Sizes that are tried for an axis of which the model takes any."""


@dataclass(frozen=True)
class Adopted:
    """The spec of a Keras model.

    Args:
        text: as YAML.
        layers: how many layers were read, those of models inside included.
        blocks: how many blocks the spec has.
        uses: how often it uses them.
        proof: what was compared, and how far outputs are from the model's.
        remarks: what the spec does not say of the model.
        diagnostics: what is wrong with the spec as it stands, such as a network that ends in what no target is.
        texts: the lines that they show.
    """

    text: str
    layers: int
    blocks: int
    uses: int
    proof: Proof
    remarks: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str]

    def __str__(self) -> str:
        return self.text


def adopt(model: keras.Model | str | Path, *, name: str | None = None, data: str | None = None) -> Adopted:
    """The spec that builds the network of a Keras model: a functional or sequential one, with models inside it.

    What repeats becomes blocks with parameters. The text is read again, its network is built, gets the weights of the
    model, and must give the same for random inputs. A file is opened without running code of it: layers that are not
    Keras's own are named, not built.

    Args:
        model: the model, whose weights are others while it is compared and then again its own, or a `.keras` or `.h5`
            file.
        name: of the spec; by default that of the file, or of the model.
        data: the section `data` as YAML, `{images: photos}`; by default arrays whose shapes a comment gives.

    Raises:
        DataError: there is no such file, or the language has no word for some layers, each of which is named.
        SavedModelError: what the spec builds is not the same; please report it.
    """
    require(*model_modules(), what="adopting a model of Keras")
    _check_no_run(model)
    opened = open_model(model)
    try:
        _, problems = take_apart(opened.config)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, RecursionError) as error:
        if not isinstance(model, str | Path):
            raise
        message = f"the configuration in `{model}` is not as Keras writes it: {error!r}"
        raise DataError.of("data-unreadable", message, help="save the model anew with Keras") from None
    if problems:
        raise no_words(problems)
    live = opened.model()
    network, problems = take_apart(opened.config, lambda place: layer_at(live, place))
    if problems or network is None:
        raise no_words(problems)
    try:
        return _adopt(opened, live, network, plain_name(name or opened.name), _source(model, opened), data)
    except NoWord as reason:
        raise no_words([(opened.name, str(reason))]) from None


def _check_no_run(model: Any) -> None:
    """Raises DataError for the model of a run, which has a spec."""
    if isinstance(model, str | Path) and (Path(model).parent / RESOLVED).is_file():
        spec = Path(model).parent / "spec.yaml"
        message = f"`{model}` is of a run, and takes raw columns; the spec of its network stands beside it"
        raise DataError.of("cannot-adopt", message, help=f"take `{spec}`")


def _source(model: Any, opened: Opened) -> str:
    return f"`{Path(model).name}`" if isinstance(model, str | Path) else f"the Keras model `{opened.name}`"


def _adopt(opened: Opened, live: Any, network: Network, name: str, source: str, data: str | None) -> Adopted:
    train, remarks = train_section(opened.compiled)
    sizes = _sizes(network, live)
    shapes = _shapes_of_outputs(network, live)
    loss = train.get("loss")
    wanted = wanted_data(network, shapes, sizes, name, _name_of(loss))
    written = write_spec(network, wanted, name, source, train, data)
    checked, graph = _checked(written, wanted, data, network, sizes)
    if loss is not None and any(problem.code == "loss-mismatch" for problem in checked.diagnostics):
        remarks = (*remarks, f"its loss `{_name_of(loss)}` does not fit what the data are taken for, and is left out")
        train = {key: value for key, value in train.items() if key != "loss"}
        written = write_spec(network, wanted, name, source, train, data)
        checked, graph = _checked(written, wanted, data, network, sizes)
    if data is not None and checked.spec.has("data") and checked.spec.data.scale != "none":
        said = f"the network sees the data with `scale: {checked.spec.data.scale}`"
        remarks = (*remarks, f"{said}; the model took numbers as they were, for which write `scale: none`")
    try:
        proof = prove(graph, network.precision, live, network, written.order, sizes)
    except SavedModelError as error:
        why = _mask_that_keras_drops(graph)
        raise SavedModelError([replace(each, help=why or each.help) for each in error.diagnostics]) from None
    problems = tuple(checked.errors)
    return Adopted(
        text=written.text,
        layers=len(network.calls),
        blocks=written.blocks,
        uses=written.uses,
        proof=proof,
        remarks=(*network.remarks, *wanted.remarks, *remarks),
        diagnostics=problems,
        texts=checked.spec.document.texts,
    )


def _mask_that_keras_drops(graph: Graph) -> str | None:
    """Why a network may not be that of the model: a layer of a spec hands a mask on where Keras does not."""
    masks = masks_of(graph)
    for layer in graph.layers:
        masked = [source in masks for source in layer.inputs]
        heeds = isinstance(layer.layer, Operating | Activating | RMSNormalization | GlobalAveragePooling1D)
        partly = isinstance(layer.layer, Merging) and not all(masked)
        if any(masked) and (heeds or partly):
            maker = next(masks.makers[source] for source in layer.inputs if source in masks)
            return (
                f"Keras drops the mask of `{maker}` at `{layer.name}`, so that padding counts from there on, and a "
                "spec hands it on; take the mask out of the model, or build a network that heeds it"
            )
    return None


def _name_of(loss: Any) -> str | None:
    return next(iter(loss)) if isinstance(loss, Mapping) else loss


def _checked(
    written: Written, wanted: Wanted, data: str | None, network: Network, sizes: Mapping[str, Shape]
) -> tuple[Checked, Graph]:
    """The spec after all checks with data of the form that it asks for, and its graph with every shape.

    Raises:
        SavedModelError: it is not a spec.
    """
    with tempfile.TemporaryDirectory() as folder:
        keys = {} if data is not None else wanted.stand_ins(Path(folder))
        checked = check(compose(read_text(written.text), keys))
    graph = checked.graph
    if data is not None and any(given.shape is None for given in graph.inputs):  # they are not there
        with tempfile.TemporaryDirectory() as folder:
            lone = check(compose(read_text(_with_own_data(written, wanted)), wanted.stand_ins(Path(folder))))
        graph = lone.graph
    _check_inputs(graph, network)
    unread = [layer for layer in graph.layers if isinstance(layer.layer, Broken)]
    if unread or None in (layer.output_shape for layer in graph.layers):
        raise SavedModelError(
            [
                replace(problem, help="please report it with the model; nothing was written")
                for problem in checked.errors
            ],
            checked.spec.document.texts,
        )
    return checked, graph


def _check_inputs(graph: Graph, network: Network) -> None:
    """Raises DataError where the data that were named have samples of another shape than the model takes."""
    for found, given in zip(graph.inputs, network.given, strict=False):
        sizes = found.shape or given.shape
        fits = len(sizes) == len(given.shape) and all(
            wanted in (None, size) for size, wanted in zip(sizes[1:], given.shape[1:], strict=True)
        )
        if not fits or len(graph.inputs) != len(network.given):
            message = (
                f"a sample of the data is {show_shape(found.shape)}, and the model takes {show_shape(given.shape)}"
            )
            raise DataError.of("wrong-shape", message, help="name other data, or leave `--data` out")


def _with_own_data(written: Written, wanted: Wanted) -> str:
    """The text with the section that describes the model's own data."""
    from dlspec.adoption.layout import section

    kept: list[str] = []
    inside = False
    for line in written.text.splitlines():
        if line.startswith("data:"):
            inside = True
            kept += section("data", wanted.section)
        elif inside and (line.startswith(" ") or not line.strip()):
            continue
        else:
            inside = False
            kept.append(line)
    return "\n".join(kept) + "\n"


def _sizes(network: Network, live: Any) -> dict[str, Shape]:
    """The shape of each input with a number for each axis behind the batch, of which the model takes any."""
    open_axes = any(None in given.shape[1:] for given in network.given)
    if not open_axes:
        return {given.name: given.shape for given in network.given}
    for size in SIZES:
        sizes = {g.name: (None, *(n if n is not None else size for n in g.shape[1:])) for g in network.given}
        if _takes(live, [sizes[given.name] for given in network.given]):
            return sizes
    raise NoWord("it takes any size, and none was found with which it gives an output")


def _takes(live: Any, shapes: list[Shape]) -> bool:
    import keras
    import numpy as np

    given = [np.zeros((1, *(n or 1 for n in shape[1:])), "float32") for shape in shapes]
    try:
        found = keras.tree.flatten(live(given[0] if len(given) == 1 else given, training=False))
    except Exception:  # whatever its layers say of such a size
        return False
    return all(0 not in each.shape for each in found)


def _shapes_of_outputs(network: Network, live: Any) -> dict[str, Shape]:
    import keras

    tensors = keras.tree.flatten(live.outputs)
    return {name: tuple(tensor.shape) for (name, _), tensor in zip(network.outputs, tensors, strict=True)}
