"""Random configurations of a layer type, made from its fields and its examples."""

from hypothesis import strategies as st
from pydantic import ValidationError

from dlspec.language.shapes import ShapeError
from dlspec.model.layers import LAYERS
from tests.model.drawn.values import FLAGS, arguments_of, vary_arguments

INPUTS = ["a", "b", "c"]
SIZES = st.integers(1, 12)


def walk_from_an_example(draw, name):
    """How a layer is written, and a shape for each of its inputs, some way off one of the examples of its type."""
    example = draw(st.sampled_from(LAYERS[name].examples))
    arguments = arguments_of(LAYERS.read(example.written))
    arguments.pop("from", None)
    return walk(draw, name, arguments, example.shapes)


def walk(draw, name, arguments, shapes, *, axes_stay=False):
    """How a layer is written, and a shape for each of its inputs, some way off those that are given.

    It goes by changes of single arguments, sizes and numbers of axes. dlspec itself says which configurations there
    are: a change that it refuses is not made, so that one never ends where there is none.
    """
    kind = LAYERS[name]
    changes = [_number_of_inputs, _linked_sizes, _single_sizes]
    if kind.axes is None and not axes_stay:
        changes.insert(1, _number_of_axes)
    shapes_first = draw(FLAGS)
    if shapes_first:
        shapes = _vary_shapes(draw, kind, arguments, shapes, changes)
    arguments = vary_arguments(draw, kind, arguments, lambda new: _is_taken(kind, new, shapes))
    if not shapes_first:
        shapes = _vary_shapes(draw, kind, arguments, shapes, changes)
    shapes = _forget_sizes(draw, kind, arguments, shapes)
    return _write(kind, arguments, shapes), shapes


def _write(kind, arguments, shapes):
    """As it stands in a list of layers."""
    arguments = {**arguments, "from": INPUTS[: len(shapes)]} if len(shapes) > 1 else arguments
    return {kind.type_name: arguments} if arguments else kind.type_name


def _is_taken(kind, arguments, shapes):
    """Whether dlspec takes the arguments, and the layer the shapes."""
    try:
        LAYERS.read(_write(kind, arguments, shapes)).infer(*shapes)
    except (ValidationError, ShapeError):
        return False
    return True


def _vary_shapes(draw, kind, arguments, shapes, changes):
    """Other shapes that the layer takes."""
    for change in changes:
        changed = change(draw, kind, shapes)
        if _is_taken(kind, arguments, changed):
            shapes = changed
    return shapes


def _number_of_inputs(draw, kind, shapes):
    least, most = kind.takes
    number = draw(st.integers(least, min(most or len(INPUTS), len(INPUTS))))
    return [*shapes, *[shapes[-1]] * number][:number]


def _number_of_axes(draw, kind, shapes):
    """As many axes more or less in each shape."""
    more = draw(st.integers(0, 4)) + 1 - len(shapes[0])
    for _ in range(abs(more)):
        shortest = min(map(len, shapes))
        if more > 0:
            place, size = draw(st.integers(1, shortest)), draw(SIZES)
            shapes = [(*shape[:place], size, *shape[place:]) for shape in shapes]
        elif shortest > 1:
            place = draw(st.integers(1, shortest - 1))
            shapes = [(*shape[:place], *shape[place + 1 :]) for shape in shapes]
    return shapes


def _linked_sizes(draw, kind, shapes):
    """Other sizes, where those that are equal stay so."""
    sizes = {size for shape in shapes for size in shape[1:] if size is not None}
    new = {size: draw(SIZES) for size in sorted(sizes)}
    return [(None, *(new.get(size) for size in shape[1:])) for shape in shapes]


def _single_sizes(draw, kind, shapes):
    """Other sizes of some axes."""
    return [(None, *(draw(SIZES) if draw(st.integers(0, 3)) == 3 else size for size in shape[1:])) for shape in shapes]


def _forget_sizes(draw, kind, arguments, shapes):
    """The same shapes or, in half of the cases, shapes with unknown sizes."""
    if not draw(FLAGS):
        return shapes
    for index, shape in enumerate(shapes):
        for axis in range(1, len(shape)):
            if draw(FLAGS):
                changed = [*shapes]
                changed[index] = (*shapes[index][:axis], None, *shapes[index][axis + 1 :])
                if _is_taken(kind, arguments, changed):
                    shapes = changed
    return shapes
