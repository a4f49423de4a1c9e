"""Random configurations of every layer type: shapes and parameters are those of the built Keras layer."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.views.reference.field_forms import form_of
from tests.model.drawn import draw_layer
from tests.model.drawn.overrides import OVERRIDES
from tests.model.drawn.values import OF_EVERY_LAYER

TYPES = [name for name in LAYERS if issubclass(LAYERS[name], LayerSpec) and name != "output"]
QUICK, FULL = 4, 150


def test_only_layer_types_are_drawn_in_a_way_of_their_own():
    assert set(OVERRIDES) <= set(TYPES)


@pytest.mark.filterwarnings("ignore:.*is recommended:UserWarning")  # Keras takes it all the same
@pytest.mark.parametrize("examples", [QUICK, pytest.param(FULL, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TYPES)
def test_a_drawn_layer_is_as_in_keras(name, examples):
    compared = set()
    changed = defaultdict(int)

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def check(data):
        written, shapes = draw_layer(data.draw, name)
        layer = compare(written, shapes)
        compared.add(f"{written} {shapes}")
        for key in brief_keys(layer):
            changed[key] += 1

    check()
    assert len(compared) >= max(2, examples // 15), f"only {sorted(compared)} are taken: `{name}` needs more examples"
    if examples == FULL:
        never = [key for key, field in LAYERS[name].keys().items() if can_change(key, field) and not changed[key]]
        assert not never, f"`{name}` is never drawn with another value of {never}: an example of it should have one"
    print(f"{name}: {len(compared)} compared, with {dict(changed)}")


def compare(written, shapes):
    """The layer that was compared; unknown sizes that Keras does not take are passed over."""
    import keras

    layer = LAYERS.read(written)
    inputs = [keras.Input(shape[1:], dtype=layer.input_dtype) for shape in shapes]
    built = layer.build("it")
    try:
        output = layer.connect(built, inputs)
    except Exception as error:
        if any(None in shape[1:] for shape in shapes):
            reject()
        raise AssertionError(f"dlspec takes {written} of {shapes}, Keras does not") from error
    assert tuple(output.shape) == layer.infer(*shapes), f"{written} of {shapes}"
    parameters, flops, activations = layer.counts(*shapes)
    assert parameters == built.count_params(), f"{written} of {shapes}"
    assert flops >= 0
    assert activations >= 0
    assert layer.has_weights == bool(built.weights), f"{written} of {shapes}"
    assert LAYERS.read(layer.written()) == layer
    return layer


def brief_keys(layer):
    """Arguments that are required, or have another value than their default."""
    for name, field in type(layer).model_fields.items():
        if field.is_required() or getattr(layer, name) != field.get_default():
            yield name.removesuffix("_")


def can_change(key, field):
    """Whether random values of the argument may fit: texts hardly do."""
    form = form_of(field)
    return key not in OF_EVERY_LAYER and form.get("type") != "string" and len(form.get("enum", "ab")) > 1
