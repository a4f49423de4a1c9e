"""Layers built for a stage, as the final network has them."""

import numpy as np

from dlspec.model.layers import LAYERS
from dlspec.training.plan import StagePlace, StageTask


def place_of(*written, shape, inside=False, at_input=True):
    """A place, and Keras layers for its code.

    Args:
        written: the layers of the code, as one writes them.
        shape: of the input, without the batch.
    """
    import keras

    layers = tuple(LAYERS.read(one) for one in written)
    x = keras.Input(shape)
    built = []
    for layer in layers:
        built.append(layer.build())
        x = layer.connect(built[-1], [x])
    return StagePlace(layers, (None, *shape), inside, at_input), built


def stage_model(method, *written, shape, inside=False, steps=100, **task):
    """The compiled stage model of a method, and its Keras layers."""
    place, built = place_of(*written, shape=shape, inside=inside)
    assert method.refuses(place) is None
    return method.build(built, place, StageTask(steps, **task)), built


def train(model, x, steps, y=None):
    """So many steps on all samples at once; the losses."""
    y = np.zeros((len(x), 1), "float32") if y is None else y
    return [float(model.train_on_batch(x, y)) for _ in range(steps)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))
