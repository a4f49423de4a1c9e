"""Models of Keras with the weights that others have trained."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.model.from_keras.calls import take_apart
from dlspec.model.from_keras.files import load_archive, read_archive
from dlspec.model.from_keras.state import IN_WEIGHTS
from dlspec.model.unfolding.catalogue import Weights
from dlspec.model.unfolding.proof import same_outputs


def application(name: str, weights: str, side: int, known: Weights, arguments: Mapping[str, Any]) -> Any:
    """A network of `keras.applications` without its head, with its weights.

    Args:
        name: of Keras's function.
        weights: `imagenet`, which Keras has in its cache or fetches, or a file.
        side: of the pictures that it was trained on.
        known: the file that Keras looks for.

    Raises:
        DataError: there is no such file, it cannot be fetched, or is of another network.
    """
    import keras

    make = getattr(keras.applications, name)
    arguments = {"include_top": False, "input_shape": (side, side, 3), **arguments}
    if weights != "imagenet":
        return _of_file(make, name, Path(weights), arguments)
    folder = models_cache()
    file = folder / known.file
    if file.is_file() and known.checksum is not None and _checksum(file, len(known.checksum)) != known.checksum:
        raise DataError.of(  # which Keras would remove
            "weights-not-found",
            f"`{file}` is not the file that Keras has the checksum {known.checksum} of, or is damaged",
            help=f"move it away, and Keras fetches {known.address}, or put that in its place",
        )
    try:
        return make(weights="imagenet", **arguments)
    except Exception as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        found = f"`{file}` cannot be read: {said}"
        absent = f"`{known.file}`, the weights of `{name}`, is not in Keras's cache, and fetching it failed: {said}"
        raise DataError.of(
            "weights-not-found",
            found if file.is_file() else absent,
            help=f"put {known.address} into `{folder}` as `{known.file}`, or set `KERAS_HOME` to a folder whose "
            "`models` has it; `weights: null` begins at random",
        ) from None


def _checksum(file: Path, length: int) -> str:
    """As Keras has it: sha256 of 64 digits, or md5."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256" if length == 64 else "md5").hexdigest()


def _of_file(make: Any, name: str, path: Path, arguments: Mapping[str, Any]) -> Any:
    if not path.is_file():
        message = f"there is no file `{path}` with the weights of `{name}`"
        help = "name a file that `save_weights` of Keras wrote, or write `weights: imagenet`"
        raise DataError.of("weights-not-found", message, help=help)
    try:
        return make(weights=str(path), **arguments)
    except Exception as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        message = f"`{path}` holds no weights of `{name}` without its head: {said}"
        help = f"save those of `keras.applications.{name}(include_top=False)`, with the same arguments"
        raise DataError.of("data-unreadable", message, help=help) from None


def saved(path: Path) -> Any:
    """The model in a `.keras` file.

    Raises:
        DataError: it is not there, is damaged, or holds more than layers of Keras.
    """
    from dlspec.runtime.backend import load_keras

    load_keras()
    if not path.is_file():
        help = "bring the file back, or name another"
        raise DataError.of("network-not-found", f"there is no file `{path}`", help=help)
    try:
        config, _ = read_archive(path)
        network, problems = take_apart(config, IN_WEIGHTS)
        if problems or network is None:
            raise ValueError(f"`{problems[0][0]}`: {problems[0][1]}")
        model = load_archive(path, config)
        if network.assumed and not same_outputs(model, network):
            message = f"the layers of `{path.name}` are called with masks that they do not make themselves"
            help = "save a model whose masks come from `mask_zero` or a layer `Masking` alone"
            raise DataError.of("cannot-unfold", message, help=help)
        return model
    except DataError:
        raise
    except Exception as error:  # Keras raises whatever its layers do
        said = (str(error) or type(error).__name__).splitlines()[0]
        message = f"`{path}` is damaged: {said}"
        raise DataError.of("data-unreadable", message, help="save it anew with `model.save` of Keras") from None


def models_cache() -> Path:
    """Where Keras keeps weights."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"
