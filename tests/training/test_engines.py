"""The engine makes the steps that Keras's `fit` makes, compiled by XLA or not."""

from functools import cache

import numpy as np
import pytest

import dlspec
from dlspec.training.engines.xla_rule import way_of, ways
from dlspec.training.values import as_array
from tests.trained import StopAfter, Training, same

DENSE, IMAGE, SEQUENCE, WORDS = (6,), (8, 8, 1), (7, 3), (9,)
COUNT, BATCH, EPOCHS = 43, 8, 3  # the last batch of an epoch is smaller


def networks():
    """Name -> shape of a sample, layers, what is predicted, and the optimizer."""
    from keras import layers as k
    from keras import optimizers, regularizers

    adam = optimizers.Adam
    return {
        "dense": (DENSE, lambda: [k.Dense(5, activation="relu"), k.Dense(3, activation="softmax")], "class", adam),
        "penalties": (
            DENSE,
            lambda: [k.Dense(5, kernel_regularizer=regularizers.L2(0.01), activity_regularizer="l1"), k.Dense(1)],
            "number",
            adam,
        ),
        "dropout": (
            DENSE, lambda: [k.Dense(9, "relu"), k.Dropout(0.5), k.Dense(9), k.Dropout(0.3), k.Dense(1)], "number", adam,
        ),
        "batch_norm": (DENSE, lambda: [k.Dense(5, use_bias=False), k.BatchNormalization(), k.Dense(1)], "number", adam),
        "clipping": (DENSE, lambda: [k.Dense(5), k.Dense(1)], "number", lambda: optimizers.SGD(0.5, clipnorm=0.1)),
        "accumulation": (
            DENSE, lambda: [k.Dense(5), k.Dense(1)], "number", lambda: adam(gradient_accumulation_steps=3),
        ),
        "schedule": (
            DENSE,
            lambda: [k.Dense(5), k.Dense(1)],
            "number",
            lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 4, 0.5), momentum=0.9, nesterov=True),
        ),
        "decay": (DENSE, lambda: [k.Dense(5), k.Dense(1)], "number", lambda: optimizers.AdamW(0.01, weight_decay=0.1)),
        "lstm": (SEQUENCE, lambda: [k.LSTM(4, return_sequences=True), k.LSTM(3), k.Dense(1)], "number", adam),
        "gru": (SEQUENCE, lambda: [k.GRU(4, go_backwards=True), k.Dense(3, "softmax")], "class", adam),
        "bidirectional": (
            SEQUENCE, lambda: [k.Bidirectional(k.SimpleRNN(4)), k.Dropout(0.2), k.Dense(1)], "number", adam,
        ),
        "inner_dropout": (SEQUENCE, lambda: [k.LSTM(4, recurrent_dropout=0.3), k.Dense(1)], "number", adam),
        "other_gates": (SEQUENCE, lambda: [k.GRU(4, reset_after=False), k.Dense(1)], "number", adam),
        "masked": (
            WORDS, lambda: [k.Embedding(20, 4, mask_zero=True), k.LSTM(4), k.Dense(1)], "number", adam,
        ),
        "masked_places": (
            WORDS,
            lambda: [k.Embedding(20, 4, mask_zero=True), k.LSTM(4, return_sequences=True), k.Dense(3, "softmax")],
            "class at each place",
            adam,
        ),
        "convolution": (
            IMAGE, lambda: [k.Conv2D(4, 3, activation="relu"), k.MaxPooling2D(), k.Flatten(), k.Dense(3, "softmax")],
            "class", adam,
        ),
        "pooled": (SEQUENCE, lambda: [k.LayerNormalization(), k.GlobalAveragePooling1D(), k.Dense(1)], "number", adam),
    }  # fmt: skip


NAMES = [
    "dense", "penalties", "dropout", "batch_norm", "clipping", "accumulation", "schedule", "decay", "lstm", "gru",
    "bidirectional", "inner_dropout", "other_gates", "masked", "masked_places", "convolution", "pooled",
]  # fmt: skip


def samples(shape, target):
    random = np.random.default_rng(0)
    if shape == WORDS:
        x = random.integers(0, 20, (COUNT, *shape)) * (np.arange(9) < random.integers(2, 9, (COUNT, 1)))
        x = x.astype("float32")
    else:
        x = random.normal(size=(COUNT, *shape)).astype("float32")
    if target == "class at each place":
        return x, random.integers(0, 3, x.shape), random.uniform(0.2, 2, x.shape).astype("float32")
    y = random.integers(0, 3, COUNT) if target == "class" else random.normal(size=(COUNT, 1)).astype("float32")
    return x, y, random.uniform(0.2, 2, COUNT).astype("float32")


def network(name):
    import keras

    shape, layers, target, optimizer = networks()[name]
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input(shape), *layers()])
    model.compile(optimizer(), "sparse_categorical_crossentropy" if target.startswith("class") else "mse")
    model.optimizer.build(model.trainable_variables)
    return model, *samples(shape, target)


def orders():
    return [np.random.default_rng(epoch).permutation(COUNT) for epoch in range(EPOCHS)]


@cache
def by_fit(name, weighted=False):
    model, x, y, weights = network(name)
    for order in orders():
        of_samples = weights[order] if weighted else None
        model.fit(x[order], y[order], BATCH, shuffle=False, verbose=0, sample_weight=of_samples)
    return [as_array(variable) for variable in model.variables]


def by_engine(name, compiled, weighted=False, pieces=1):
    from dlspec.training.engines.choice import make_engine

    model, x, y, weights = network(name)
    engine = make_engine(model, x, y, weights if weighted else None, BATCH, compiled=compiled)
    steps = -(-COUNT // BATCH)
    losses = []
    for order in orders():
        for first in range(0, steps, pieces):
            losses.append(engine.run(order, first, min(steps, first + pieces)))
    return [as_array(variable) for variable in model.variables], np.concatenate(losses)


def near(first, second, tolerance=2e-5):
    for one, other in zip(first, second, strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other, atol=tolerance * max(1.0, np.abs(one).max()))
        else:
            np.testing.assert_array_equal(one, other)  # steps, and states of random generators


WAYS = [(name, compiled) for name in NAMES for compiled in (False, True)]
WAYS.remove(("inner_dropout", True))  # XLA draws other numbers inside a step; the rule leaves such layers as they are


@pytest.mark.everyday("dense-False", "lstm-False", "masked-False", "dense-True")
@pytest.mark.parametrize(("name", "compiled"), WAYS)
def test_the_engine_makes_the_weights_of_fit(name, compiled):
    assert list(networks()) == NAMES
    expected = by_fit(name)
    before = [as_array(variable) for variable in network(name)[0].variables]
    assert any(not np.allclose(one, other) for one, other in zip(before, expected, strict=True)), "it was trained"
    found, losses = by_engine(name, compiled)
    near(expected, found)
    assert len(losses) == EPOCHS * 6
    assert np.isfinite(losses).all()


@pytest.mark.everyday("dense-plain", "masked_places-compiled")
@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
@pytest.mark.parametrize("name", ["dense", "masked_places"])
def test_weighted_samples_count_as_in_fit(name, compiled):
    near(by_fit(name, weighted=True), by_engine(name, compiled, weighted=True)[0])


def test_a_longer_padding_changes_neither_the_loss_nor_the_weights():
    from dlspec.training.engines.choice import make_engine

    found = []
    for longer in (0, 5):
        model, x, y, _ = network("masked_places")
        x, y = (np.pad(values, ((0, 0), (0, longer))) for values in (x, y))
        model = of_any_length(model)
        engine = make_engine(model, x, y, None, BATCH, compiled=False)
        losses = engine.run(orders()[0], 0, 6)
        found.append((losses, engine.loss(x, y), [as_array(weight) for weight in model.weights]))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)
    near(found[0][2], found[1][2])


def of_any_length(model):
    """The same network for sequences of any length, compiled anew."""
    import keras

    again = keras.Sequential([keras.Input((None,)), *model.layers])
    again.compile("adam", "sparse_categorical_crossentropy")
    again.optimizer.build(again.trainable_variables)
    return again


@pytest.mark.everyday("dropout")
@pytest.mark.parametrize("name", ["dropout", "lstm", "bidirectional"])
def test_a_compiled_run_may_be_cut_anywhere(name):
    whole, losses = by_engine(name, True, pieces=6)
    for pieces in (1, 4):
        again, other = by_engine(name, True, pieces=pieces)
        assert all(np.array_equal(one, two) for one, two in zip(whole, again, strict=True))
        np.testing.assert_array_equal(losses, other)


@pytest.mark.everyday("lstm-{}", "gru-{go_backwards: true, use_bias: false}", "simple_rnn-{return_sequences: true}")
@pytest.mark.parametrize("settings", ["{}", "{go_backwards: true, use_bias: false}", "{return_sequences: true}"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "simple_rnn"])
def test_faster_loops_give_what_keras_gives(kind, settings):
    """Outputs, last states, and the gradients of all weights, of the inputs and of the first states."""
    import keras
    import tensorflow as tf

    from dlspec.training.engines.recurrent import hasten

    given = {"go_backwards": True, "use_bias": False} if "back" in settings else {}
    given |= {"return_sequences": True} if "sequences" in settings else {}
    cells = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
    keras.utils.set_random_seed(5)
    layer = cells[kind](4, return_state=True, **given)
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, layer(inputs))
    for weight in layer.trainable_weights:
        weight.assign(weight + tf.random.normal(weight.shape, stddev=0.3))
    x = tf.random.normal((6, 7, 3))

    def found():
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = model(x, training=True)
            whole = sum(tf.reduce_sum(tf.sin(values * (i + 1.0))) for i, values in enumerate(outputs))
        return [*outputs, *tape.gradient(whole, [*layer.trainable_weights, x])]

    expected = [values.numpy() for values in found()]
    hasten(model)
    near(expected, [values.numpy() for values in found()], 1e-5)
    compiled = tf.function(found, jit_compile=True)
    near(expected, [values.numpy() for values in compiled()], 1e-5)


def test_layers_are_saved_and_left_as_the_standard_ones(tmp_path):
    import keras

    from dlspec.training.engines.choice import make_engine

    model, x, y, _ = network("bidirectional")
    engine = make_engine(model, x, y, None, BATCH, compiled=True)
    engine.run(np.arange(COUNT), 0, 5)
    changed = {"inner_loop": model.layers[0].forward_layer, "call": model.layers[1]}
    assert all(name in vars(layer) for name, layer in changed.items())
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again(x), model(x), atol=1e-6)
    engine.close()
    assert not any(name in vars(layer) for name, layer in changed.items())
    np.testing.assert_allclose(again(x), model(x), atol=1e-6)


LONG = """\
dlspec: 1
data: {dataset: %s}
model: [%s, output]
train: {epochs: %d}
"""


@pytest.mark.parametrize(
    ("dataset", "layers", "epochs", "compiled", "why"),
    [
        ("digits", "flatten, dense: 64", 1000, True, "saves about"),
        ("digits", "flatten, dense: 64", 1, False, "takes longer than it saves"),
        ("digits", "{reshape: [8, 8, 1]}, {conv2d: {filters: 4, kernel_size: 3}}, flatten", 1000, False, "`conv2d`"),
        ("digits", "flatten, {dense: 64}, {dropout: 0.5}, {batch_normalization: }", 1000, True, "saves about"),
        ("digits", "flatten, {gaussian_noise: 0.5}, {dense: 64}", 1000, False, "`gaussian_noise`"),
        ("adding_problem", "lstm: 16", 100, True, "saves about"),
        ("adding_problem", "lstm: {units: 16, dropout: 0.1}", 100, False, "`lstm`"),
        ("adding_problem", "bidirectional: {gru: 16}", 100, True, "saves about"),
        (
            "adding_problem",
            "bidirectional: {layer: {gru: 16}, backward_layer: {gru: {units: 16, go_backwards: true, dropout: 0.1}}}",
            100,
            False,
            "`bidirectional`",
        ),
        (
            "adding_problem",
            "dense: 16, {multi_head_attention: {num_heads: 2, key_dim: 8}}, flatten",
            500,
            True,
            "saves",
        ),
        (
            "adding_problem",
            "dense: 16, {multi_head_attention: {num_heads: 2, key_dim: 8, dropout: 0.1}}, flatten",
            500,
            False,
            "`multi_head_attention`",
        ),
        ("adding_problem", "dense: 16, additive_attention, flatten", 500, False, "`additive_attention`"),
        ("adding_problem", "abs, layer_scale, {mean: {axis: 1}}, dense: 64", 1000, True, "saves about"),
    ],
)
def test_the_rule_says_what_is_compiled(dataset, layers, epochs, compiled, why):
    text = LONG % (dataset, layers.replace("{batch_normalization: }", "batch_normalization"), epochs)
    spec = dlspec.load(text)
    (way,) = ways(spec.runtime, dlspec.plan(spec)).values()
    assert way.compiled is compiled
    assert why.replace("takes longer", "would take longer") in way.why


def test_the_spec_has_the_last_word():
    for xla in ("on", "off"):
        spec = dlspec.load(LONG % ("digits", "flatten, dense: 64", 10), overrides={"runtime.xla": xla})
        plan = dlspec.plan(spec)
        assert way_of(spec.runtime, plan, plan.stages[0], 1000).compiled is (xla == "on")


def test_what_xla_cannot_compile_is_named():
    text = LONG % ("digits", "{reshape: [8, 8, 1]}, {random_rotation: {factor: 0.1, name: turned}}, flatten", 1)
    with pytest.raises(dlspec.TrainingError, match=r"XLA cannot compile.*, which `turned` computes") as found:
        Training(text, **{"runtime.xla": "on"}).run()
    assert "`xla: auto`" in str(found.value)


@pytest.mark.slow
def test_dropout_with_a_shape_of_its_own_keeps_it_when_compiled():
    """Masks are drawn before for layers with a plain mask and one input; others draw themselves."""
    import keras

    from dlspec.training.engines.masks import Masks

    inputs = keras.Input((6, 4))
    shared = keras.layers.Dropout(0.5)
    x = shared(keras.layers.Dropout(0.5, noise_shape=(None, 1, 4), name="own")(inputs))
    model = keras.Model(inputs, [keras.layers.Dropout(0.5, name="plain")(x), shared(inputs)])
    assert [layer.name for layer in Masks(model).layers] == ["plain"]
    text = (
        "dlspec: 1\ndata: {dataset: {adding_problem: {samples: 60, timesteps: 6}}}\n"
        "model: [{dropout: {rate: 0.5, noise_shape: [null, 1, 2]}}, {lstm: 4}, output]\ntrain: {epochs: 1}\n"
    )
    _, history = Training(text, **{"runtime.xla": "on"}).run()
    assert np.isfinite(history[-1].loss)


@pytest.mark.slow
def test_dropout_on_sequences_trains_alike_compiled_and_not():
    text = (
        "dlspec: 1\ndata: {dataset: {adding_problem: {samples: 120, timesteps: 6}}}\n"
        "model: [{lstm: {units: 4, return_sequences: true}}, {dropout: 0.3}, {gru: 4}, output]\ntrain: {epochs: 2}\n"
    )
    plain, history = Training(text, **{"runtime.xla": "off"}).run()
    compiled, again = Training(text, **{"runtime.xla": "on"}).run()
    near(plain, compiled)
    np.testing.assert_allclose([row.loss for row in history], [row.loss for row in again], rtol=1e-5)
    np.testing.assert_allclose([row.val_loss for row in history], [row.val_loss for row in again], rtol=1e-5)


SENTENCES = """\
dlspec: 1
data: {arrays: FOLDER/words.npz, scale: none, target: {y: category}, split: {validation: 8, test: 8}}
model:
  - embedding: {input_dim: 12, output_dim: 8, mask_zero: true}
  - position_embedding
  - skip: [layer_normalization, {multi_head_attention: {num_heads: 2, key_dim: 4, use_causal_mask: true}}]
  - branches: {merge: add, paths: [[{gru: {units: 8, return_sequences: true}}, layer_scale], [abs, sqrt]]}
  - output
train: {epochs: 2, batch_size: 8}
"""


@pytest.mark.slow
def test_attention_tables_and_operations_train_alike_compiled_and_not(tmp_path, one_step_at_a_time):
    random = np.random.default_rng(0)
    x = random.integers(1, 12, (43, 7)) * (np.arange(7) < random.integers(2, 8, (43, 1)))
    np.savez(tmp_path / "words.npz", x=x.astype("int32"), y=random.integers(0, 3, x.shape))
    text = SENTENCES.replace("FOLDER", str(tmp_path))
    plain, history = Training(text, **{"runtime.xla": "off"}).run()
    compiled, again = Training(text, **{"runtime.xla": "on"}).run()
    near(plain, compiled)
    np.testing.assert_allclose([row.loss for row in history], [row.loss for row in again], rtol=1e-5)
    np.testing.assert_allclose([row.val_loss for row in history], [row.val_loss for row in again], rtol=1e-5)
    stopped = Training(text, **{"runtime.xla": "on"})
    assert stopped.run(StopAfter(6)) == (None, None)
    whole, _ = Training(text, **{"runtime.xla": "on"}).run(checkpoint=stopped.saved[-1])
    assert same(compiled, whole)


@pytest.mark.everyday("on-mixed_bfloat16")
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("xla", ["on", "off"])
def test_mixed_precision_keeps_weights_in_32_bits(precision, xla, tmp_path):
    text = (
        "dlspec: 1\ndata: {dataset: {spirals: {samples: 200}}}\n"
        "model: [{dense: {units: 24, activation: relu}}, {dense: {units: 24, activation: relu}}, output]\n"
        f"train: {{epochs: 20, optimizer: {{adam: 0.02}}}}\nruntime: {{precision: {precision}, xla: {xla}}}\n"
    )
    run = dlspec.run(dlspec.load(text), out=tmp_path / "run")
    network = next(layer for layer in run.model.layers if layer.name.endswith("_network"))
    first, *_, last = [layer for layer in network.layers if layer.weights]
    assert (first.compute_dtype, first.variable_dtype) == (precision.removeprefix("mixed_"), "float32")
    assert last.compute_dtype == "float32"
    losses = [row["loss"] for row in run.history]
    assert losses[-1] < 0.8 * losses[0]
    assert dlspec.build(run.spec).layers[1].compute_dtype == first.compute_dtype
    plain = dlspec.load(text, overrides={"runtime.precision": "float32"})
    assert dlspec.build(plain).layers[1].compute_dtype == "float32", "the setting ends with the network"


def test_pretraining_and_mixed_precision_exclude_each_other():
    text = (
        "dlspec: 1\ndata: {dataset: iris}\nmodel: [dense: 8, output]\npretrain: {method: autoencoder}\n"
        "runtime: {precision: mixed_float16}\n"
    )
    (problem,) = dlspec.validate(text)
    assert problem.message == "`precision: mixed_float16` is for networks that are not pretrained"
    taken = dlspec.validate(text.replace("{method: autoencoder}", "{from: runs/none}"))
    assert [problem.code for problem in taken] == ["no-run"], "layers of another run may be taken"


@pytest.mark.parametrize(
    "method",
    [pytest.param(name, marks=pytest.mark.slow) for name in ("denoising_autoencoder", "rbm", "supervised")],
)
def test_stages_that_are_built_alike_share_what_was_compiled(method, monkeypatch):
    """The third layer has the form of the second; the last digits are those of a program of their own."""
    from dlspec.training.engines.tensorflow import TensorFlowEngine

    text = (
        "dlspec: 1\ndata: {dataset: digits, scale: min_max}\n"
        f"model: [flatten, {', '.join(['dense: {units: 20, activation: sigmoid}'] * 3)}, output]\n"
        f"pretrain: {{method: {method}, epochs: 2, batch_size: 100}}\ntrain: {{epochs: 1}}\n"
    )
    took, take_over = [], TensorFlowEngine.take_over
    monkeypatch.setattr(TensorFlowEngine, "take_over", lambda *given: took.append(take_over(*given)) or took[-1])
    shared, history = Training(text, **{"runtime.xla": "on"}).run()
    assert took == [True]
    monkeypatch.setattr(TensorFlowEngine, "take_over", lambda *given: False)
    own, again = Training(text, **{"runtime.xla": "on"}).run()
    assert all(np.array_equal(a, b) for a, b in zip(shared, own, strict=True))
    assert [row.loss for row in history] == [row.loss for row in again]


@pytest.mark.slow
def test_stages_of_other_settings_share_nothing(monkeypatch):
    from dlspec.training.engines.tensorflow import TensorFlowEngine

    layers = ", ".join(f"dense: {{units: 20, activation: sigmoid, name: h{i}}}" for i in range(3))
    text = (
        "dlspec: 1\ndata: {dataset: digits, scale: min_max}\n"
        f"model: [flatten, {layers}, output]\n"
        "pretrain: {method: autoencoder, epochs: 1, batch_size: 100, per_layer: {h2: {optimizer: {adam: 0.1}}}}\n"
        "train: {epochs: 1}\n"
    )
    monkeypatch.setattr(TensorFlowEngine, "take_over", lambda *given: pytest.fail("the rate is another"))
    Training(text, **{"runtime.xla": "on"}).run()
