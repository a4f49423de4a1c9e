"""One battery over everything that a spec can name, and the examples that each kind declares."""

import pytest
from pydantic import ValidationError

from dlspec.data.datasets import DATASETS
from dlspec.data.features import FEATURES
from dlspec.deployment import EXPORT_TARGETS
from dlspec.evaluation.baselines import BASELINES
from dlspec.evaluation.metrics import METRICS
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.constraints import CONSTRAINTS
from dlspec.model.initializers import INITIALIZERS
from dlspec.model.layers import LAYERS, Example
from dlspec.model.layers.recurrent import CELLS
from dlspec.model.regularizers import REGULARIZERS
from dlspec.pretraining import PRETRAINING
from dlspec.pretraining.denoising_autoencoder import CORRUPTIONS
from dlspec.pretraining.section import read_pretraining
from dlspec.runtime.trackers.base import TRACKERS
from dlspec.training.callbacks.base import CALLBACKS
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.schedules.base import SCHEDULES

REGISTRIES = [
    LAYERS, DATASETS, BASELINES, METRICS, INITIALIZERS, REGULARIZERS, CONSTRAINTS, OPTIMIZERS, SCHEDULES, CALLBACKS,
    LOSSES, CORRUPTIONS, FEATURES, TRACKERS,
]  # fmt: skip
KINDS = [(registry, name) for registry in [*REGISTRIES, PRETRAINING] for name in registry]
EXAMPLES = [
    (registry, example.written if isinstance(example, Example) else example)
    for registry in [*REGISTRIES, CELLS, EXPORT_TARGETS]
    for name in registry
    for example in registry[name].examples
]


def codes(error: ValidationError) -> list[str]:
    return [line["type"] for line in error.errors()]


@pytest.mark.parametrize(("registry", "name"), KINDS, ids=lambda value: getattr(value, "noun", value))
def test_every_kind_has_an_example_and_says_what_it_does(registry, name):
    kind = registry[name]
    assert kind.examples
    first_sentence = (kind.__doc__ or "").split("\n\n")[0]
    assert first_sentence.strip().endswith((".", ")"))


@pytest.mark.parametrize(("registry", "written"), EXAMPLES, ids=str)
def test_an_example_survives_being_written_out(registry, written):
    kind = registry.read(written)
    assert registry.read(kind.written()) == kind
    assert registry.read(kind.brief()) == kind


@pytest.mark.parametrize("written", [e for name in PRETRAINING for e in PRETRAINING[name].examples], ids=str)
def test_a_pretraining_method_survives_being_written_out(written):
    method = read_pretraining(written)
    assert read_pretraining(method.written()) == method


@pytest.mark.parametrize(("registry", "written"), EXAMPLES, ids=str)
def test_a_misspelt_key_is_one_mistake_with_its_name(registry, written):
    name = written if isinstance(written, str) else next(iter(written))
    arguments = {} if isinstance(written, str) else written[name]
    if not isinstance(arguments, dict):
        arguments = {registry[name].primary(): arguments}
    with pytest.raises(ValidationError) as caught:
        registry.read({name: {**arguments, "qqzzy": 1}})
    assert codes(caught.value) == ["unknown-key"]


@pytest.mark.parametrize(("registry", "written"), EXAMPLES, ids=str)
def test_no_field_takes_a_mapping_that_means_nothing(registry, written):
    kind = registry.read(written)
    for field in type(kind).model_fields:
        arguments = {name: getattr(kind, name) for name in type(kind).model_fields}
        with pytest.raises(ValidationError) as caught:
            registry.read({kind.type_name: {**arguments, field: {"no": "sense"}}})
        assert all("-" in code for code in codes(caught.value)), "an error in pydantic's own words"


@pytest.mark.parametrize(
    ("registry", "written"),
    [e for e in EXAMPLES if e[0] in (INITIALIZERS, REGULARIZERS, CONSTRAINTS, OPTIMIZERS, LOSSES)],
    ids=str,
)
def test_a_kind_becomes_the_object_of_keras_with_every_argument(registry, written):
    part = registry.read(written)
    built = part.build()
    assert isinstance(built, part.keras_class())
    config = built.get_config()
    for key, value in part.arguments().items():
        if key in config and value is not None and key != "dtype":
            assert config[key] == pytest.approx(value), key


def test_every_activation_is_known_to_keras():
    import keras

    for name in ACTIVATIONS:
        assert keras.activations.get(name)(keras.ops.zeros((2, 3))).shape == (2, 3)
