"""Arguments of a kind, drawn from what may be written for its fields (`dlspec.views.reference.field_forms`)."""

import math

from hypothesis import strategies as st
from pydantic import ValidationError

from dlspec.language.registry import Registry, brief_of
from dlspec.model.layers import Example
from dlspec.views.reference.field_forms import PREFIX, form_of, mentioned, registry_name

OF_EVERY_LAYER = {"name", "trainable", "dtype", "from"}
"""Arguments that have nothing to do with shapes or the number of weights."""
FROM_DATA = {"input_dim"}
"""Arguments that follow from the data where they are left out, and here there are no data."""
OF_CERTAIN_WEIGHTS = {"identity", "orthogonal", "stft", "input_axes", "output_axes"}
"""Initializers, and arguments of theirs, that suit only weights with a certain number of axes."""

FLAGS = st.booleans()
WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
SPREAD = 6
"""How far from its limit a number is drawn that has a limit on one side only."""
TRIES = 3
"""How many values are drawn for an argument until one fits the others."""
DEPTH = 2
"""How many kinds may be drawn inside each other; what is further inside is one of the examples."""


def arguments_of(instance):
    """The arguments of an instance as a person would write them, without defaults."""
    return {
        name.removesuffix("_"): brief_of(getattr(instance, name))
        for name, field in type(instance).fields_in_order().items()
        if field.is_required() or getattr(instance, name) != field.get_default()
    }


def vary_arguments(draw, kind, arguments, accepts, depth=DEPTH):
    """Changes some arguments of a kind, one at a time, and keeps each change that `accepts` takes.

    A change that is refused is tried again when the others are made, since it may need one of them.
    """
    fields = {key: field for key, field in kind.keys().items() if key not in OF_EVERY_LAYER | OF_CERTAIN_WEIGHTS}
    chosen = [key for key in fields if draw(FLAGS)]
    chosen = chosen[::-1] if len(chosen) > 1 and draw(FLAGS) else chosen
    for _ in range(2):
        refused = []
        for key in chosen:
            changed = _first_taken(draw, key, fields[key], arguments, accepts, depth)
            if changed is None:
                refused.append(key)
            else:
                arguments = changed
        chosen = refused
    return arguments


def _first_taken(draw, key, field, arguments, accepts, depth):
    """The arguments with another value for a key, or None if none of those that were drawn fits."""
    current = arguments.get(key)
    others = {other: value for other, value in arguments.items() if other != key}
    registry = next((one for one in _mentioned(field).values() if isinstance(one, Registry)), None)
    if depth and registry is not None and isinstance(current, dict | str) and draw(FLAGS):
        return {**others, key: _vary_inside(draw, registry, current, lambda new: accepts({**others, key: new}), depth)}
    for _ in range(TRIES):
        if key in arguments and not field.is_required() and draw(st.integers(0, 3)) == 3:
            changed = others
        elif isinstance(current, list) and len(current) > 1 and draw(FLAGS):
            changed = {**others, key: draw(st.permutations(current))}
        else:
            changed = {**others, key: draw_value(draw, field, depth)}
        if not (key in FROM_DATA and changed.get(key) is None) and accepts(changed):
            return changed
    return None


def _vary_inside(draw, registry, written, accepts, depth):
    """What is written out of a registry, with other arguments as far as what is around it takes them."""
    instance = registry.read(written)
    name = instance.type_name
    arguments = arguments_of(instance)
    return {name: vary_arguments(draw, type(instance), arguments, lambda new: accepts({name: new}), depth - 1)}


def draw_value(draw, field, depth=DEPTH):
    """A value for a field; whether it fits other fields is not looked at."""
    return _from_form(draw, form_of(field), _mentioned(field), depth)


def _mentioned(field):
    """The registries and classes of keys that the form of a field refers to, by the names that it has for them."""
    found = mentioned(field.annotation, field.metadata)
    return {registry_name(one) if isinstance(one, Registry) else one.__name__: one for one in found}


def _from_form(draw, form, named, depth):
    if "anyOf" in form:
        return _from_form(draw, draw(st.sampled_from(form["anyOf"])), named, depth)
    if "enum" in form:
        return draw(st.sampled_from(form["enum"]))
    if "$ref" in form:
        return _from_reference(draw, named[form["$ref"].removeprefix(PREFIX)], depth)
    kind = form.get("type", ["integer", "string"])
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "array":
        least = form.get("minItems", 0)
        most = form.get("maxItems", least + 2)
        return [_from_form(draw, form["items"], named, depth) for _ in range(draw(st.integers(least, most)))]
    return draw(SCALARS[kind](form))


def _from_reference(draw, named, depth):
    """An example out of a registry, with other arguments at times; of a class of keys some of them."""
    if not isinstance(named, Registry):
        keys = named.keys().items()
        return {key: draw_value(draw, field, depth) for key, field in keys if field.is_required() or draw(FLAGS)}
    written = draw(st.sampled_from(_examples(named)))
    if depth and draw(FLAGS):
        return _vary_inside(draw, named, written, lambda new: _is_read(named, new), depth)
    return written


def _is_read(registry, written):
    try:
        registry.read(written)
    except ValidationError:
        return False
    return True


def _examples(registry):
    """Every example in a registry, as it is written."""
    found = [example for kind in registry.load_all().values() for example in kind.examples]
    written = [example.written if isinstance(example, Example) else example for example in found]
    return [one for one in written if not any(f"'{word}'" in repr([one]) for word in OF_CERTAIN_WEIGHTS)]


def _integers(form):
    low, high = _limits(form, whole=True)
    return st.integers(low, high)


def _numbers(form):
    low, high = _limits(form)
    ends = {"exclude_min": "exclusiveMinimum" in form, "exclude_max": "exclusiveMaximum" in form}
    numbers = st.floats(low, high, width=16, **ends)
    low, high = _limits(form, whole=True)
    return st.one_of(st.integers(low, high), numbers) if low <= high else numbers


def _limits(form, whole=False):
    """From where to where a number is drawn; of whole ones both may be drawn."""
    low = form.get("minimum", form.get("exclusiveMinimum"))
    high = form.get("maximum", form.get("exclusiveMaximum"))
    if low is None and high is None:
        low, high = -4, 4
    elif high is None:
        high = low + SPREAD
    elif low is None:
        low = high - SPREAD
    if not whole:
        return low, high
    first = math.ceil(low) + (math.ceil(low) == form.get("exclusiveMinimum"))
    last = math.floor(high) - (math.floor(high) == form.get("exclusiveMaximum"))
    return first, min(last, first + SPREAD)


SCALARS = {
    "integer": _integers,
    "number": _numbers,
    "boolean": lambda form: FLAGS,
    "string": lambda form: WORDS,
    "null": lambda form: st.none(),
}
"""Type of JSON -> the values of a form of that type."""
