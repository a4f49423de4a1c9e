"""A `.keras` file that anybody may have written: what it says of its model, and what Keras would build of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.model.saved import CONFIG, WEIGHTS, Unsafe, check_size, stored_numbers
from dlspec.runtime.archives import check_members

MODULES = (
    "keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.activations",
    "keras.models", "keras.src.models.functional", "keras.src.models.sequential",
)  # fmt: skip
"""Modules whose classes may be built when a file is opened."""
OPERATIONS = "keras.src.ops."
"""How modules of operations begin."""
VALUES = ("__keras_tensor__", "__slice__", "__ellipsis__", "__numpy__", "__tuple__")
"""What stands for a value of Python in a configuration."""
OTHER_FILES = ("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper")
"""Layers of Keras that run what other files or frameworks hold."""
NOT_BUILT = ("compile_config", "build_config")


def read_archive(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration of the model in a file, and how it was to be trained. Nothing is built, nor Keras loaded.

    Raises:
        ValueError: it describes no model, or unfolds to more than itself.
        OSError, BadZipFile: it cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        check_members(archive, 2 * path.stat().st_size + 1_000_000)
        if {CONFIG, WEIGHTS} - set(archive.namelist()):
            raise ValueError(f"it has no `{CONFIG}` and `{WEIGHTS}`")
        config = json.loads(archive.read(CONFIG))
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError(f"its `{CONFIG}` describes no model")
    return config, config.pop("compile_config", None) or {}


def load_archive(path: Path, config: dict[str, Any]) -> Any:
    """The `keras.Model` in a file.

    Raises:
        DataError: it has more weights than are stored, or something in it is no class of Keras; layers count that
            nothing leads to, since Keras builds them as well.
    """
    import keras

    foreign = foreign_anywhere(config)
    if foreign is not None:
        help = "save the model anew without it"
        raise DataError.of("unsafe-model", f"`{path}` is not loaded: it holds `{foreign}`", help=help)
    try:
        with zipfile.ZipFile(path) as archive:
            check_size(config, stored_numbers(archive) + len(archive.read(CONFIG)))
    except Unsafe as error:
        help = "save the model anew with `model.save` of Keras"
        raise DataError.of("unsafe-model", f"`{path}` is not loaded: {error}", help=help) from None
    return keras.models.load_model(path, compile=False, safe_mode=True)


def foreign_anywhere(config: Mapping[str, Any]) -> str | None:
    """What in a model is none of Keras's own classes or runs more than they do, also where no layer leads to it."""
    return _foreign(config, OTHER_FILES)


def foreign_objects(entry: Mapping[str, Any]) -> str | None:
    """What Keras would build for a layer that is none of its own classes; None: nothing.

    Args:
        entry: the layer as the configuration has it; what a model holds counts by itself.
    """
    return _foreign({key: value for key, value in entry.items() if key not in NOT_BUILT}, ())


def _foreign(entry: Mapping[str, Any], others: Collection[str]) -> str | None:
    left: list[Any] = [entry]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            if isinstance(item.get("class_name"), str) and (not _own(item) or item["class_name"] in others):
                module, name = item.get("module"), item["class_name"]
                name = str(item.get("config")) if name == "function" else name
                return f"{module}.{name}" if module and module != "builtins" else name
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)
    return None


def _own(found: dict[str, Any]) -> bool:
    name, module = found["class_name"], found.get("module")
    if name in VALUES:
        return True
    if found.get("registered_name") not in (None, name) or name in ("Lambda", "function"):
        return False
    return module in MODULES or (isinstance(module, str) and module.startswith(OPERATIONS))
