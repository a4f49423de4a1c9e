"""Every layer, initializer, optimizer, schedule, loss and callback as the call that makes the same."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import constraints, initializers, layers, ops, regularizers  # noqa: F401

from dlspec.ejection.layers import CONNECTIONS, MASKING, TAKINGS, connected, kind_call, layer_call
from dlspec.ejection.optimizing import loss_source, needs_steps, optimizer_call
from dlspec.ejection.python import Call, Code, call, literal, statement
from dlspec.ejection.script import Script
from dlspec.model.constraints import CONSTRAINTS
from dlspec.model.initializers import INITIALIZERS
from dlspec.model.layers import LAYERS, LayerSpec
from dlspec.model.layers.core import Output
from dlspec.model.regularizers import REGULARIZERS
from dlspec.training.callbacks.base import CALLBACKS
from dlspec.training.callbacks.standard import TensorBoard
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.optimizers.momentum import SGD
from dlspec.training.schedules.base import SCHEDULES
from tests.conftest import ROOT

EXAMPLES = [
    pytest.param(name, example, id=f"{name}_{i}")
    for name, kind in sorted(LAYERS.load_all().items())
    if issubclass(kind, LayerSpec) and kind is not Output and name != "sampling"  # which Keras does not have
    for i, example in enumerate(kind.examples)
]


def plain(config):
    """A configuration without names and seeds, lists for tuples."""
    if isinstance(config, dict):
        left_out = ("name", "seed", "build_config", "registered_name")
        return {key: plain(value) for key, value in sorted(config.items()) if key not in left_out}
    if isinstance(config, list | tuple):
        return plain(config[0]) if len(config) == 1 and isinstance(config[0], int) else [plain(each) for each in config]
    return config


def made(source):
    return eval(literal(source), globals())


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_a_layer_is_made_as_dlspec_makes_it(name, example):
    layer = LAYERS.read(example.written)
    found = [json.dumps(plain(each.get_config()), default=str) for each in (layer.build(), made(layer_call(layer)))]
    ours, theirs = map(json.loads, found)
    assert theirs == ours


def test_every_way_to_apply_a_layer_is_known():
    ways = {kind.connect for kind in LAYERS.load_all().values() if issubclass(kind, LayerSpec) and kind not in TAKINGS}
    assert ways <= {*CONNECTIONS, *MASKING}


@pytest.mark.parametrize(
    ("written", "shapes"),
    [
        ({"multi_head_attention": {"num_heads": 2, "key_dim": 3, "use_causal_mask": True}}, [(5, 4)]),
        ({"attention": {}}, [(5, 4), (3, 4)]),
        ("add", [(4,), (4,)]),
        ({"random_crop": {"height": 3, "width": 3}}, [(5, 5, 2)]),
    ],
)
def test_a_layer_is_applied_as_dlspec_applies_it(written, shapes):
    layer = LAYERS.read(written)
    inputs = [keras.Input(shape) for shape in shapes]
    names = {f"x{i}": given for i, given in enumerate(inputs)}
    theirs = eval(literal(connected(layer, layer_call(layer), [Code(name) for name in names])), globals(), names)
    ours = layer.connect(layer.build(), inputs)
    models = [keras.Model(inputs, outputs) for outputs in (ours, theirs)]
    models[1].set_weights(models[0].get_weights())
    values = [np.random.default_rng(0).normal(size=(2, *shape)).astype("float32") for shape in shapes]
    np.testing.assert_array_equal(*(np.asarray(model(values, training=False)) for model in models))


@pytest.mark.parametrize("registry", [INITIALIZERS, REGULARIZERS, CONSTRAINTS], ids=lambda each: each.noun)
def test_what_layers_are_made_of(registry):
    tried = 0
    for kind in registry.load_all().values():
        for example in kind.examples:
            read = registry.read(example)
            assert plain(made(kind_call(read)).get_config()) == plain(read.build().get_config()), example
            tried += 1
    assert tried > 3


def test_optimizers():
    for kind in OPTIMIZERS.load_all().values():
        for example in kind.examples:
            read, script = OPTIMIZERS.read(example), Script("tried")
            source = literal(optimizer_call(script, "train", read, Code("50"), None))
            space = dict(globals())
            for definition in script.chunks["train"]:
                exec(definition, space)
            theirs, ours = eval(source, space), read.over(50)
            if needs_steps(read):
                assert (theirs.first, theirs.last, theirs.steps) == (ours.first, ours.last, ours.rising)
            else:
                assert plain(theirs.get_config()) == plain(ours.get_config()), source


def test_schedules():
    for kind in SCHEDULES.load_all().values():
        for example in kind.examples:
            schedule, optimizer = SCHEDULES.read(example), SGD(learning_rate=0.5)
            source = optimizer_call(Script("tried"), "train", optimizer, Code("300"), schedule)
            theirs, ours = made(source).get_config()["learning_rate"], optimizer.over(300, schedule).get_config()
            assert plain(theirs) == plain(ours["learning_rate"]), example


SUMS = ("squared_error", "cross_entropy")
"""Losses that Keras does not have."""


def test_losses():
    random = np.random.default_rng(1)
    predicted = random.uniform(0.1, 0.9, (6, 3)).astype("float32")
    predicted /= predicted.sum(axis=1, keepdims=True)
    for kind in LOSSES.load_all().values():
        ours = kind.type_name in SUMS or kind.of_form != "value" or kind.fitted or kind.aligns  # which have no script
        for example in [] if ours else [kind.type_name, *kind.examples]:
            loss = LOSSES.read(example)
            truth = loss.encode(random.integers(0, 3, 6), 3)
            if "class" not in loss.of:
                truth = random.uniform(0.1, 0.9, (6, 3)).astype("float32")
            source = loss_source(loss)
            found = keras.losses.get(source) if isinstance(source, str) else made(source)
            values = [float(np.mean(np.asarray(each(truth, predicted)))) for each in (loss.build(), found)]
            assert values[1] == pytest.approx(values[0], rel=1e-6), example


def test_callbacks():
    for kind in CALLBACKS.load_all().values():
        for example in kind.examples if kind is not TensorBoard else ():
            read = CALLBACKS.read(example)
            theirs, ours = made(kind_call(read)), read.build()
            assert {
                key: value for key, value in vars(theirs).items() if key.islower() and isinstance(value, int | str)
            } == {key: value for key, value in vars(ours).items() if key.islower() and isinstance(value, int | str)}


def test_a_layer_that_is_applied_is_broken_as_ruff_does(tmp_path):
    lines = []
    for size in range(30, 100):
        made = call("layers.Dense", Code("f" * size), kernel_initializer=call("initializers.Zeros", mode="fan"))
        for given in ((Code("x"),), (Code("code"), Code("inputs"))):
            lines.append(f"def f(x):\n    {statement('x', Call(made, given), 4)}\n")
    file = tmp_path / "lines.py"
    file.write_text("\n\n".join(lines), encoding="utf-8")
    how = ["format", "--check", "--diff", "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(file)]
    done = subprocess.run([sys.executable, "-m", "ruff", *how], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
