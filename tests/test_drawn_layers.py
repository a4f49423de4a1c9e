"""Random configurations of every layer type: shapes and parameters are those of the built Keras layer."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlspec.model.layers import LAYERS, LayerSpec
from tests.drawn import DRAWS

TYPES = [name for name in LAYERS if issubclass(LAYERS[name], LayerSpec) and name != "output"]
QUICK, FULL = 4, 90
COUNTS: Counter[str] = Counter()


def test_every_layer_type_is_drawn():
    assert sorted(DRAWS) == TYPES


@pytest.mark.parametrize("examples", [QUICK, pytest.param(FULL, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", sorted(DRAWS))
def test_a_drawn_layer_is_as_in_keras(name, examples):
    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data):
        written, shapes = DRAWS[name](data.draw)
        compare(written, [tuple(shape) for shape in shapes])

    check()
    print(f"{name}: {COUNTS[name]} drawn")


def compare(written, shapes):
    import keras

    layer = LAYERS.read(written)
    inputs = [keras.Input(shape[1:], dtype=input_type(layer)) for shape in shapes]
    built = layer.build("it")
    output = call(layer, built, inputs)
    assert tuple(output.shape) == layer.infer(*shapes), f"{written} of {shapes}"
    parameters, flops, activations = layer.counts(*shapes)
    assert parameters == built.count_params(), f"{written} of {shapes}"
    assert flops >= 0
    assert activations >= 0
    assert layer.has_weights == bool(built.weights)
    assert LAYERS.read(layer.written()) == layer
    COUNTS[layer.type_name] += 1


def input_type(layer):
    return getattr(layer, "input_dtype", "float32")


def call(layer, built, inputs):
    """Calls the Keras layer as the building of a network does."""
    return layer.connect(built, inputs)
