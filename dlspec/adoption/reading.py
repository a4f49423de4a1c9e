"""Opening a Keras model: what it says of itself, before anything of it is built."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.model.from_keras.files import OPERATIONS, VALUES, load_archive, read_archive
from dlspec.runtime.backend import load_keras

CURE = "build the model of layers that `dlspec layers` lists, or write a plugin"


@dataclass(frozen=True)
class Opened:
    """A model of Keras.

    Args:
        name: of the model.
        config: what Keras writes down of it, as JSON has it.
        compiled: how it was to be trained; empty where that is not known.
        foreign: what the file would have Keras build that is none of Keras's own, by the places of layers.
    """

    name: str
    config: dict[str, Any]
    compiled: dict[str, Any]
    _load: Callable[[], Any] = field(repr=False)

    def model(self) -> Any:
        """The `keras.Model` itself; call it only where `foreign_objects` finds nothing."""
        return self._load()


def open_model(given: Any) -> Opened:
    """A model out of a `.keras` or `.h5` file, or a `keras.Model`. Of a file nothing is built.

    Raises:
        DataError: there is no such file, or it holds no model.
    """
    load_keras("a model of Keras")
    if not isinstance(given, str | Path):
        return _of_model(given)
    path = Path(given)
    if not path.is_file():
        said = f"there is no file `{path}`" if not path.is_dir() else f"`{path}` is a folder"
        raise DataError.of("data-not-found", said, help="name a file that Keras saved, such as `model.keras`")
    try:
        if zipfile.is_zipfile(path):
            return _of_archive(path)
        return _of_h5(path)
    except (OSError, EOFError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        message = f"`{path}` is no model of Keras: {said}"
        raise DataError.of("data-unreadable", message, help="name a file that `model.save` of Keras wrote") from None


def _of_model(model: Any) -> Opened:
    import keras

    if not isinstance(model, keras.Model):
        raise DataError.of(
            "data-unreadable",
            f"a `keras.Model` or the path of a file is needed, got `{type(model).__name__}`",
            help="write `dlspec.adopt(model)` or `dlspec.adopt('model.keras')`",
        )
    config = _plain(keras.saving.serialize_keras_object(model))
    return Opened(model.name, config, config.pop("compile_config", None) or {}, lambda: model)


def _of_archive(path: Path) -> Opened:
    config, compiled = read_archive(path)
    return Opened(path.stem, config, compiled, lambda: load_archive(path, config))


def _of_h5(path: Path) -> Opened:
    """Of an `.h5` file, whose configuration has an older form; the model that it builds says the same in the new one.

    Raises:
        DataError: it would build what is none of Keras's own.
    """
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
        if text is None:
            raise ValueError("it holds weights and no network; build the model and load them into it")
        config = json.loads(text)
        training = json.loads(file.attrs.get("training_config", "{}"))
    refused = [found for found in _named_classes(config) if _foreign_in_h5(found)]
    if refused:
        raise no_words([(_name_in(found), f"`{found['class_name']}` is not built out of a file") for found in refused])

    def load() -> Any:
        import keras

        return keras.models.load_model(path, compile=False, safe_mode=True)

    model = load()
    compiled = {"loss": training.get("loss"), "optimizer": training.get("optimizer_config")}
    return Opened(path.stem, _of_model(model).config, compiled, lambda: model)


def _named_classes(config: Any) -> Iterator[dict[str, Any]]:
    left = [config]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if isinstance(item.get("class_name"), str):
                yield item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _foreign_in_h5(found: dict[str, Any]) -> bool:
    """Whether a class that an older configuration names is none of Keras's layers, and of its small parts."""
    import keras

    name = found["class_name"]
    if name in ("Lambda", "function") or found.get("module", "keras").partition(".")[0] != "keras":
        return True
    homes = (keras, keras.layers, keras.initializers, keras.regularizers, keras.constraints, keras.dtype_policies)
    operation = any(found.get("module", "").startswith(start) for start in (OPERATIONS, "keras.src.models."))
    return name not in VALUES and name != "Functional" and not operation and not any(hasattr(h, name) for h in homes)


def _name_in(found: dict[str, Any]) -> str:
    config = found.get("config")
    return str(found.get("name") or (config.get("name") if isinstance(config, dict) else None) or found["class_name"])


def no_words(problems: list[tuple[str, str]]) -> DataError:
    """The error that names each layer of which the language has no word, with the reason.

    Args:
        problems: name of a layer, and why.
    """
    from dlspec.language.diagnostics import Diagnostic

    found = [
        Diagnostic(
            "cannot-adopt",
            f"`{name}`: {why}",
            None,
            help="build the model of layers that `dlspec layers` lists, or write a plugin"
            if i == len(problems)
            else None,
        )
        for i, (name, why) in enumerate(dict.fromkeys(problems), 1)
    ]
    return DataError(found)


def _plain(config: Any) -> Any:
    """A configuration as JSON would give it back: lists for tuples."""
    if isinstance(config, dict):
        return {key: _plain(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_plain(value) for value in config]
    if hasattr(config, "item") and getattr(config, "ndim", None) == 0:  # a number of numpy
        return config.item()
    return config
