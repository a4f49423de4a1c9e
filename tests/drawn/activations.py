"""Activations as layers."""

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, UNITS, shape, some

SLOPES = st.sampled_from([0.0, 0.1, 0.5])


def activation(draw):
    return {"activation": draw(st.sampled_from(["relu", "tanh", "softmax", "gelu"]))}, [
        shape(draw, draw(UNITS) % 3 + 1)
    ]


def relu(draw):
    arguments = some(draw, max_value=st.sampled_from([1.0, 6]), negative_slope=SLOPES, threshold=SLOPES)
    return {"relu": arguments}, [shape(draw, draw(UNITS) % 4)]


def leaky_relu(draw):
    return {"leaky_relu": some(draw, negative_slope=SLOPES)}, [shape(draw, draw(UNITS) % 4)]


def elu(draw):
    return {"elu": some(draw, alpha=SLOPES)}, [shape(draw, draw(UNITS) % 4)]


def prelu(draw):
    given = list(shape(draw, draw(UNITS) % 4 + 1))
    axes = [axis for axis in range(1, len(given)) if given[axis] is None or draw(FLAGS)]
    return {"prelu": {"shared_axes": axes} if axes else {}}, [tuple(given)]


def softmax(draw):
    given = shape(draw, draw(UNITS) % 3 + 1)
    axes = st.lists(st.integers(1, len(given) - 1), min_size=1, unique=True)
    return {"softmax": some(draw, axis=st.one_of(axes, st.integers(1 - len(given), -1)))}, [given]


DRAWS = {
    "activation": activation,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "prelu": prelu,
    "softmax": softmax,
}
