"""Opening `model.keras` of a run folder that may come from a stranger.

Keras builds whatever the file says before it looks at the weights. So what dlspec itself cannot have written is refused
before Keras sees the file, and then `safe_mode` still holds.
"""

from __future__ import annotations

import copy
import json
import math
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.registry import Registry, snake_case
from dlspec.model.constraints import CONSTRAINTS
from dlspec.model.initializers import INITIALIZERS
from dlspec.model.layers import LAYERS
from dlspec.model.layers.recurrent import CELLS
from dlspec.model.regularizers import REGULARIZERS
from dlspec.runtime.archives import check_members
from dlspec.runtime.backend import load_keras

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {"metadata.json", CONFIG, WEIGHTS}
"""What Keras writes into a file."""

REGISTRIES: dict[str, tuple[Registry[Any], ...]] = {
    "keras.layers": (LAYERS, CELLS),
    "keras.initializers": (INITIALIZERS,),
    "keras.regularizers": (REGULARIZERS,),
    "keras.constraints": (CONSTRAINTS,),
}
"""Module of Keras -> the classes of it that a spec can name."""
OTHERS = {
    ("keras.src.models.functional", "Functional"),
    ("keras.layers", "InputLayer"),
    ("keras", "DTypePolicy"),
    (None, "__keras_tensor__"),
    (None, "__slice__"),
    (None, "__ellipsis__"),
    (None, "__numpy__"),
    ("keras.src.ops.core", "Cast"),
    ("keras.src.ops.core", "ConvertToTensor"),
    ("keras.src.ops.math", "Logsumexp"),
    ("keras.src.ops.nn", "Softmax"),
    ("keras.src.ops.nn", "Softplus"),
}
"""What the saved model is made of besides: module and class."""
OPERATIONS = "keras.src.ops.numpy"
"""Module of the operations on arrays, with which `build` and the features put preprocessing around the network."""
LISTS = ("vocabulary", "idf_weights")
"""What Keras takes as a list, or as text that names a file to be read."""


class Unsafe(Exception):
    """The file holds what dlspec does not write."""


def load_model(path: Path) -> Any:
    """The `keras.Model` that dlspec saved.

    Raises:
        DataError: the file holds anything that dlspec does not write, unfolds to more than itself, or is damaged.
    """
    load_keras()
    import keras

    try:
        config = _checked(path)
        check_size(*config)
    except Unsafe as error:
        raise DataError.of(
            "unsafe-model",
            f"`{path}` is not loaded: {error}",
            help="run the spec anew, or take the file as `dlspec run` wrote it",
        ) from None
    except (OSError, EOFError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers do
        raise _damaged(path, error) from None


def check_can_be_opened(network: Any) -> None:
    """Looks at a network that plugins may have a part in, before it is trained, as `load_model` will when it was saved.

    Raises:
        DataError: it holds what `load_model` refuses.
    """
    try:
        for found in _objects(json.loads(network.to_json())):
            _check_object(found)
    except Unsafe as error:
        reason = str(error)
    except Exception as error:  # a layer that cannot tell its arguments
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
    else:
        return
    raise DataError.of(
        "broken-plugin",
        f"the network cannot be opened again once it is saved: {reason}",
        help="build the plugin's layers of the layers of `keras.layers` that a spec can name, which load anywhere",
    )


def _damaged(path: Path, error: Exception) -> DataError:
    said = (str(error) or type(error).__name__).splitlines()[0]
    return DataError.of("data-unreadable", f"`{path}` is damaged: {said}", help="run the spec anew")


def _checked(path: Path) -> tuple[dict[str, Any], int]:
    """What the file says of the network, and how many numbers it has room for."""
    with zipfile.ZipFile(path) as archive:
        try:
            check_members(archive, path.stat().st_size)
        except ValueError as error:
            raise Unsafe(str(error)) from None
        names = set(archive.namelist())
        if names != MEMBERS:
            odd = sorted(names ^ MEMBERS)[0]
            raise Unsafe(f"it {'has no' if odd in MEMBERS else 'also holds'} `{odd}`")
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise Unsafe("it is compressed, which Keras's files are not")
        text = archive.read(CONFIG)
        config = json.loads(text)
        if not isinstance(config, dict):
            raise ValueError(f"`{CONFIG}` describes no model")
        for place in _objects(config):
            _check_object(place)
        # a layer that draws at random has a seed of two numbers, which are not stored
        return config, stored_numbers(archive) + len(text)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in what was read from JSON."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield item
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _check_object(found: dict[str, Any]) -> None:
    """One mapping out of `config.json`."""
    if "class_name" in found:
        name, module = found["class_name"], found.get("module")
        if not isinstance(name, str) or not _known(module, name) or found.get("registered_name") not in (None, name):
            shown = f"{module}.{found.get('config')}" if name == "function" else f"{module}.{name}" if module else name
            raise Unsafe(f"it holds `{shown}`, of which no spec makes a network")
        if name == "__numpy__" and found["config"]["dtype"] != "float64":
            raise Unsafe("it holds an array that is not of numbers")
    if found.get("compile_config"):
        raise Unsafe("it says how to train, which a saved network does not")
    for key in LISTS:
        if not isinstance(found.get(key), list | None):
            raise Unsafe(f"its `{key}` names the file `{found[key]}`")
    name = found.get("name")
    if isinstance(name, str) and ("/" in name or name[:1] == "\\" or ".." in name.split("\\")):
        raise Unsafe(f"a layer's name `{name}` leads out of the file")
    for node in found.get("inbound_nodes") or ():
        if not any(part.get("class_name") == "__keras_tensor__" for part in _objects(node)):
            raise Unsafe("it computes something of nothing when it is loaded")


def _known(module: Any, name: str) -> bool:
    """Whether a class of Keras is one that dlspec builds networks of."""
    import keras

    if (module, name) in OTHERS:
        return True
    if module == OPERATIONS:
        operation = vars(sys.modules[OPERATIONS]).get(name)
        return isinstance(operation, type) and issubclass(operation, keras.Operation)
    kinds = (registry.built_in(snake_case(name)) for registry in REGISTRIES.get(module, ()))
    return any(kind is not None and kind.__name__ == name for kind in kinds)


def stored_numbers(archive: zipfile.ZipFile) -> int:
    """How many numbers the weights are, each of which lies in the file itself."""
    import h5py

    numbers = 0

    def look_at_link(name: str, link: Any) -> str | None:
        return None if isinstance(link, h5py.HardLink) else f"`{name}` among its weights leads elsewhere"

    def look_at(name: str, found: Any) -> str | None:
        nonlocal numbers
        if isinstance(found, h5py.Group):
            return None
        if not isinstance(found, h5py.Dataset):
            return f"`{name}` among its weights is no array"
        if found.external or found.is_virtual:
            return f"`{name}` among its weights lies in another file"
        if found.dtype.kind not in "biuf" and found.dtype.str != "|V2":  # bfloat16, as Keras writes it
            return f"`{name}` among its weights holds no numbers"
        if found.id.get_storage_size() != found.nbytes:
            return f"`{name}` among its weights unfolds to {found.nbytes:,} bytes"
        numbers += found.size
        return None

    with archive.open(WEIGHTS) as opened, h5py.File(opened, "r") as file:
        wrong = file.visititems_links(look_at_link) or file.visititems(look_at)  # no exception leaves a visitor
    if wrong:
        raise Unsafe(wrong)
    return numbers


def check_size(config: dict[str, Any], most: int) -> None:
    """Refuses a network with more weights than are stored, before Keras makes room for them."""
    with ThreadPoolExecutor(1) as thread:  # what Keras remembers of variables without values is the thread's
        needed = thread.submit(_numbers, copy.deepcopy(config)).result()
    if needed > most:
        raise Unsafe(f"its layers have {needed:,} weights, and {most:,} at most are stored")


def _numbers(config: dict[str, Any]) -> int:
    """How many numbers the variables of a network are; none of them gets its values."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        try:
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
            return sum(math.prod(variable.shape) for variable in model.variables)
        except Exception as error:  # whatever layers do with what they are given
            raise ValueError(str(error) or type(error).__name__) from None
