"""Random configurations of layers, drawn from the fields and the examples of their classes.

A new type of layer needs nothing here: `values` draws its arguments from what may be written for its fields, `walking`
changes arguments and shapes of its examples as far as dlspec takes them. For few types `overrides` begins elsewhere.
"""

from tests.model.drawn.overrides import OVERRIDES
from tests.model.drawn.walking import walk_from_an_example


def draw_layer(draw, name):
    """How a layer of this type is written, and the shapes that it is given, one for each input:
    `{"dense": {"units": 3}}, [(None, 8)]`."""
    return OVERRIDES[name](draw) if name in OVERRIDES else walk_from_an_example(draw, name)
