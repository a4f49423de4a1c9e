"""Shapes, parameters and building of every layer type against Keras itself."""

import numpy as np
import pytest

from dlspec.layers import LAYERS, ShapeError
from dlspec.layers.core import Output

EXAMPLES = [(e.written, e.shape) for name in LAYERS for e in LAYERS[name].examples if name != "output"]


@pytest.mark.parametrize(("written", "shape"), EXAMPLES, ids=str)
def test_shape_and_parameters_are_those_of_keras(written, shape, tmp_path):
    import keras

    layer = LAYERS.read(written)
    inputs = keras.Input(shape[1:])
    built = layer.build("it")
    model = keras.Model(inputs, built(inputs))
    assert tuple(model.output.shape) == layer.infer(shape)
    assert built.count_params() == layer.parameters(shape)
    assert bool(built.weights) == layer.weighted
    x = np.random.default_rng(0).normal(size=(2, *shape[1:])).astype("float32")
    out = np.asarray(model(x))
    assert out.shape[1:] == layer.infer(shape)[1:]
    model.save(tmp_path / "m.keras")
    assert np.array_equal(np.asarray(keras.models.load_model(tmp_path / "m.keras")(x)), out)


@pytest.mark.parametrize(("written", "shape"), EXAMPLES, ids=str)
def test_defaults_are_those_of_keras(written, shape):
    layer = LAYERS.read(written)
    name = next(iter(written)) if isinstance(written, dict) else written
    import keras
    from pydantic_core import PydanticUndefined

    required = {n: getattr(layer, n) for n, f in LAYERS[name].model_fields.items() if f.is_required()}
    config = getattr(keras.layers, LAYERS[name].__name__)(**required).get_config()
    for key, field in LAYERS[name].model_fields.items():
        default = field.default
        if key in ("name", "trainable") or default is PydanticUndefined or key not in config:
            continue
        if hasattr(default, "build"):
            assert config[key]["class_name"] == type(default).__name__, key
        elif key == "strides" and default is None:
            assert tuple(config[key]) == tuple(config["pool_size"])
        else:
            got = tuple(config[key]) if isinstance(config[key], list) else config[key]
            assert got == default or (isinstance(default, float) and got == pytest.approx(default)), key


@pytest.mark.parametrize(
    ("written", "shape", "flops"),
    [
        ({"dense": 3}, (None, 8), 3 * (2 * 8 + 1)),
        ({"dense": {"units": 3, "use_bias": False, "activation": "relu"}}, (None, 8), 3 * (2 * 8 + 1)),
        # four gates of 2 (3 + 4) 4 operations and 4 biases, four more operations a unit and gate, six timesteps
        ({"lstm": 4}, (None, 6, 3), 6 * (4 * (2 * (3 + 4) * 4 + 4) + 4 * 4 * 4)),
        ({"conv2d": {"filters": 4, "kernel_size": 3}}, (None, 8, 8, 2), 6 * 6 * 4 * (2 * 9 * 2 + 1)),
        ({"max_pooling2d": 2}, (None, 8, 8, 2), 4 * 4 * 2 * 4),
        ("flatten", (None, 8, 8), 0),
    ],
    ids=str,
)
def test_flops_by_hand(written, shape, flops):
    assert LAYERS.read(written).flops(shape) == flops


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ({"lstm": 4}, (None, 8)),
        ({"conv2d": {"filters": 2, "kernel_size": 9}}, (None, 8, 8, 1)),
        ({"conv2d": {"filters": 4, "kernel_size": 3, "groups": 2}}, (None, 8, 8, 3)),
        ({"max_pooling1d": 9}, (None, 8, 1)),
        ({"reshape": [5, 2]}, (None, 12)),
        ({"reshape": [5, -1]}, (None, 12)),
        ({"repeat_vector": 3}, (None, 4, 4)),
    ],
    ids=str,
)
def test_a_shape_that_does_not_fit_is_refused(written, shape):
    with pytest.raises(ShapeError):
        LAYERS.read(written).infer(shape)


def test_what_is_known_of_an_output_is_known_without_the_input():
    assert LAYERS.read({"lstm": 4}).infer(None) == (None, 4)
    assert LAYERS.read({"lstm": {"units": 4, "return_sequences": True}}).infer(None) == (None, None, 4)
    assert LAYERS.read("flatten").infer(None) == (None, None)
    assert LAYERS.read({"dense": 4}).infer(None) is None


def test_output_counts_like_the_dense_layer_that_it_becomes():
    output = Output(units=10, activation="softmax")
    dense = LAYERS.read({"dense": {"units": 10, "activation": "softmax"}})
    assert output.parameters((None, 32)) == dense.parameters((None, 32))
    assert output.flops((None, 32)) == dense.flops((None, 32))
