"""One layer of Keras, as its configuration has it, as a layer of the language."""

from __future__ import annotations

import inspect
import math
from collections.abc import Hashable, Mapping
from functools import cache, lru_cache
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from dlspec.language.fields import SpecModel
from dlspec.language.left_out import why_no_argument
from dlspec.language.registry import Kind, Registry, snake_case
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.saved import REGISTRIES

SAME_ACTIVATIONS = {"swish": "silu", "hard_swish": "hard_silu"}
"""Names that Keras has for the same function."""
OF_THE_LAYER = ("name", "trainable", "dtype")
ON_AXES = ("BatchNormalization", "LayerNormalization", "Softmax", "Concatenate", "UnitNormalization",
           "RMSNormalization", "GroupNormalization", "Normalization")  # fmt: skip
"""Classes whose `axis` is the last one by default, which may also be written by its number."""


DERIVED = ("vocabulary_size", "zero_output_for_mask")
"""Arguments that Keras writes down and finds by itself: the second is what `bidirectional` does to its layers."""


BOTH_WAYS = ("random_rotation", "random_zoom", "random_translation")
"""Layers whose factor 0.1 is `[-0.1, 0.1]`."""


class NoWord(Exception):
    """The language has no word for a layer, or for one of its arguments."""


def policy_of(config: Mapping[str, Any]) -> str:
    """The name of the dtype policy of a layer."""
    given = config.get("dtype")
    if isinstance(given, dict):
        if given.get("class_name") not in ("DTypePolicy", "FloatDTypePolicy"):
            raise NoWord(f"its dtype is a `{given.get('class_name')}`, which no spec says; adopt it before quantizing")
        given = given["config"]["name"]
    return given or "float32"


def layer_of(entry: Mapping[str, Any], *, rank: int | None = None, policy: str = "float32") -> LayerSpec:
    """The layer in the language.

    Args:
        entry: the layer as the configuration has it: class, module, configuration.
        rank: number of axes of its input, batch included, where that is known.
        policy: dtype policy of layers that say none.

    Raises:
        NoWord: there is none.
    """
    name, config = entry["class_name"], dict(entry["config"])
    kind = LAYERS.built_in(snake_case(name))
    if entry.get("module") not in ("keras.layers", None) or kind is None or kind.__name__ != name:
        why = LAYERS.left_out.get(snake_case(name)) if entry.get("module") == "keras.layers" else None
        shown = name if entry.get("module") in ("keras.layers", None) else f"{entry['module']}.{name}"
        raise NoWord(f"no word for the layer `{shown}`" + (f": {why}" if why else ""))
    assert issubclass(kind, LayerSpec), "what Keras has as a layer is one here"
    given: dict[str, Any] = {"trainable": bool(config.get("trainable", True))}
    if (own := policy_of(config)) != policy and not own.startswith("int"):  # as Keras has it for what counts
        given["dtype"] = own
    if name in ON_AXES and rank is not None:
        config["axis"] = _from_the_end(config.get("axis"), rank)
    if name == "Discretization":  # how it learned, which is over
        config = {key: value for key, value in config.items() if key not in ("num_bins", "epsilon")}
    if name == "Normalization" and config.get("axis") == []:
        config["axis"] = None
    fields = kind.model_fields
    for key, value in config.items():
        if key in OF_THE_LAYER:
            continue
        field_name = key if key in fields else f"{key}_"
        if field_name in fields and field_name != "from_":
            given[field_name] = _argument(kind, field_name, fields[field_name], value, policy)
        elif not _is_default(entry, key, value):
            why = why_no_argument("layers", (name,), key)
            raise NoWord(f"no word for its argument `{key}: {_shown(value)}`" + (f": {why}" if why else ""))
    layer = _layer_made(kind, _without_derived(kind, given, rank))
    return layer if layer.has_weights or layer.trainable else layer.model_copy(update={"trainable": True})


def _layer_made(kind: type[LayerSpec], given: dict[str, Any]) -> LayerSpec:
    try:
        return made(kind, given)
    except NoWord:
        both_ways = {key: value[1] for key, value in given.items() if "factor" in key and _is_both_ways(value)}
        if not both_ways:
            raise
        return made(kind, {**given, **both_ways})


def _is_both_ways(value: Any) -> bool:
    """Whether it is `[-0.5, 0.5]`, which Keras makes of 0.5 also where nothing lies below 0."""
    return isinstance(value, list) and len(value) == 2 and value[0] == -value[1] != 0


def _without_derived(kind: type[LayerSpec], given: dict[str, Any], rank: int | None) -> dict[str, Any]:
    """Arguments but those that follow from others."""
    if given.get("strides") is not None and given.get("strides") == given.get("pool_size"):
        given.pop("strides")
    if given.get("data_format") == "channels_last":
        given.pop("data_format")
    if _is_other_way(given.get("backward_layer"), given.get("layer")):
        given.pop("backward_layer", None)
    for key in ("factor", "height_factor", "width_factor"):
        if kind.type_name in BOTH_WAYS and _is_both_ways(given.get(key)):
            given[key] = given[key][1]
    if given.get("value_dim") == given.get("key_dim"):
        given.pop("value_dim", None)
    if given.get("attention_axes") in ([1], 1) and rank == 3:
        given.pop("attention_axes")
    return {key: value for key, value in given.items() if value is not None or key == "axis"}


def _is_other_way(backward: Any, layer: Any) -> bool:
    """Whether a layer is what `bidirectional` makes of the one that reads forwards."""
    if not isinstance(backward, LayerSpec) or not isinstance(layer, LayerSpec) or type(backward) is not type(layer):
        return False
    turned = {"go_backwards": not getattr(layer, "go_backwards", False), "name": None}
    return backward.model_copy(update={"name": None}) == layer.model_copy(update=turned)


def made(kind: type[Any], given: dict[str, Any]) -> Any:
    """An instance with these arguments.

    Raises:
        NoWord: the language does not take one of their values.
    """
    try:
        return kind.model_validate({key.removesuffix("_"): value for key, value in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"])
        raise NoWord(f"`{place}`: {message}" if place and f"`{place}`" not in message else message) from None


def _argument(kind: type[Kind], name: str, field: FieldInfo, value: Any, policy: str) -> Any:
    """The value of an argument as the language has it."""
    if isinstance(value, dict) and "class_name" in value:
        return _object(value, policy)
    if isinstance(value, dict) and name.endswith("activation"):
        raise NoWord(f"its `{name}` is a function of its own, and a spec holds no code")
    if isinstance(value, list) and value and all(isinstance(each, dict) and "class_name" in each for each in value):
        return [_object(each, policy) for each in value]
    if isinstance(value, str) and value in SAME_ACTIVATIONS and name.endswith("activation"):
        return SAME_ACTIVATIONS[value]
    if isinstance(value, float) and value.is_integer() and isinstance(field.default, int) and name != "axis":
        return int(value) if not isinstance(field.default, bool) else value
    if name.endswith(("_initializer", "_regularizer", "_constraint")) and isinstance(value, str):
        return snake_case(value)
    return value


def _object(found: Mapping[str, Any], policy: str) -> Any:
    """An initializer, a layer or anything else that an argument holds."""
    name, module, config = found["class_name"], found.get("module"), found.get("config")
    if name == "__numpy__" and isinstance(config, dict):
        return config["value"]
    if module == "keras.layers" and LAYERS.built_in(snake_case(name)) is not None:
        return layer_of({**found, "config": config}, policy=_inner_policy(config, policy))
    for registry in REGISTRIES.get(module or "", ()):
        kind = registry.built_in(snake_case(name))
        if kind is not None and kind.__name__ == name and isinstance(config, dict):
            return part_of_layer(kind, registry, config, policy)
    if name == "function" and config in ACTIVATIONS:
        return config
    shown = config if name == "function" else name
    raise NoWord(f"no word for `{shown}`" + (f" of `{module}`" if module and module != "builtins" else ""))


def _inner_policy(config: Any, policy: str) -> str:
    """A layer inside another computes as that one does: its own policy is not said again."""
    return policy_of(config) if isinstance(config, dict) else policy


def part_of_layer(kind: type[Kind], registry: Registry[Any], config: Mapping[str, Any], policy: str) -> Any:
    """An initializer, a regularizer, a constraint or a cell."""
    given = {}
    for key, value in config.items():
        if key in OF_THE_LAYER or value is None:
            continue
        if key not in kind.model_fields:
            if value not in (False, 0, "auto"):
                raise NoWord(f"no word for the argument `{key}: {_shown(value)}` of `{kind.type_name}`")
            continue
        given[key] = _argument(kind, key, kind.model_fields[key], value, policy)
    return made(kind, given)


def _from_the_end(axis: Any, rank: int) -> Any:
    """`-1` for the last axis, however it is written."""
    if isinstance(axis, list) and len(axis) == 1:
        (axis,) = axis
    return -1 if axis == rank - 1 else axis


def _shown(value: Any) -> str:
    text = to_inline_yaml(value) if not isinstance(value, dict) else str(value.get("class_name", "…"))
    return text if len(text) < 60 else text[:57] + "…"


@lru_cache(maxsize=512)
def _defaults(name: str) -> Mapping[str, Any]:
    """Arguments of a class of `keras.layers` -> their defaults, those of its bases included."""
    import keras

    cls = getattr(keras.layers, name)
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        for parameter in inspect.signature(base.__init__).parameters.values():
            if parameter.default is not inspect.Parameter.empty:
                found[parameter.name] = parameter.default
    return found


def _is_default(entry: Mapping[str, Any], key: str, value: Any) -> bool:
    """Whether an argument that the language lacks has the value that it has where nobody gives it."""
    if value is None or value is False or key in DERIVED or (key, value) == ("data_format", "channels_last"):
        return True
    return bool(_defaults(entry["class_name"]).get(key, math.nan) == value)


# --- as a person would write it


def arguments_of(layer: LayerSpec) -> dict[str, Any]:
    """Every argument of a layer by its name in YAML, as short as it can be written; `name` and `from` are left out."""
    given = {}
    for name, field in layer.fields_in_order().items():
        if name not in ("name", "from_"):
            given[name.removesuffix("_")] = _short(type(layer), name, field, getattr(layer, name))
    return given


@cache
def defaults_of(word: str) -> Mapping[str, Any]:
    """Arguments of a layer that have a default, with it, in the same form."""
    kind: type[Kind] = LAYERS[word]
    return {
        name.removesuffix("_"): _short(kind, name, field, field.get_default())
        for name, field in kind.fields_in_order().items()
        if not field.is_required()
    }


def _short(kind: type[Kind], name: str, field: FieldInfo, value: Any) -> Any:
    if isinstance(value, LayerSpec):
        return written(value)
    if isinstance(value, Kind):
        return _brief(value)
    if isinstance(value, SpecModel):
        return {key: each for key, each in value.written().items() if each is not None}
    if isinstance(value, list | tuple):
        values = [_short(kind, name, field, each) if isinstance(each, Kind) else each for each in value]
        return _one_for_all(kind, name, plain(values))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e6 and name in ("max_value", "max_norm"):
        return int(value)
    return value


def _brief(kind: Kind) -> Any:
    """A kind as `Kind.brief` writes it, in plain values."""
    return plain(kind.brief())


def plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def _one_for_all(kind: type[Kind], name: str, value: list[Any]) -> Any:
    """`3` for `[3, 3]`, where the argument takes it for the same."""
    first: Any = value[0] if value else None
    if isinstance(first, list):
        pairs = [each[0] if isinstance(each, list) and each[:1] * len(each) == each else None for each in value]
        if None in pairs:
            return value
        for shorter in (pairs[0] if len(set(pairs)) == 1 else None, pairs):
            if shorter is not None and _reads_as(kind, name, shorter, value):
                return shorter
        return value
    if len(value) > 1 and isinstance(first, int | float) and value == [first] * len(value):
        return first if _reads_as(kind, name, first, value) else value
    if len(value) == 1 and isinstance(first, int | str) and _reads_as(kind, name, first, value):
        return first
    return value


def _reads_as(kind: type[Kind], name: str, shorter: Any, value: list[Any]) -> bool:
    return _read(kind, name, repr(shorter)) == value


@lru_cache(maxsize=4096)
def _read(kind: Hashable, name: str, shown: str) -> Any:
    """What an argument becomes when it is read, or None where it is not taken."""
    from pydantic import TypeAdapter

    field: FieldInfo = kind.model_fields[name]  # type: ignore[attr-defined]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(_annotated(field))
        return plain(adapter.validate_python(_literal(shown)))
    except (ValidationError, AttributeError, TypeError):
        return None


def _annotated(field: FieldInfo) -> Any:
    from typing import Annotated

    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _literal(shown: str) -> Any:
    import ast

    return ast.literal_eval(shown)


def written(layer: LayerSpec, given: Mapping[str, Any] | None = None, more: Mapping[str, Any] | None = None) -> Any:
    """A layer as one writes it: defaults left out, its first argument short.

    Args:
        given: other arguments than its own, in the form of `arguments_of`.
        more: `name` and `from`.
    """
    arguments = arguments_of(layer) if given is None else given
    return as_written(layer.type_name, arguments, more or {})


def as_written(word: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """A layer by its word; see `written`."""
    defaults = defaults_of(word)
    kept = {key: value for key, value in arguments.items() if key not in defaults or not _equal(defaults[key], value)}
    kept |= more
    primary = (LAYERS[word].primary() or "").removesuffix("_")
    if list(kept) == [primary] and (primary == "layer" or not isinstance(kept[primary], dict)):
        return {word: kept[primary]}
    return {word: kept} if kept else word


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are the same in YAML: 1 and 1.0 are, 1 and true are not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
