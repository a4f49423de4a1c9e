"""Dense layers and activations."""

from tests.drawn.common import ACTIVATIONS, FLAGS, UNITS, shape, some


def dense(draw):
    arguments = {"units": draw(UNITS), **some(draw, use_bias=FLAGS, activation=ACTIVATIONS)}
    return {"dense": arguments}, [shape(draw, draw(UNITS) % 3 + 1, known_last=True)]


DRAWS = {"dense": dense}
