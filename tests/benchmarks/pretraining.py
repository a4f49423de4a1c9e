"""How fast stages of pretraining are: `python -m tests.benchmarks.pretraining`.

Each is measured against the same done by hand, one after the other and again, and the medians of the ratios are
printed: Keras's `fit` with the lower layers frozen in the model; a TensorFlow loop over an epoch in one function
compiled by XLA; the same layer trained alone on features that were computed before; scikit-learn's `BernoulliRBM`.
MNIST is read from `$KERAS_HOME`, or from the folder of real data.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from tests.conftest import REAL_DATA, ROOT

os.environ.setdefault("KERAS_HOME", str(REAL_DATA / "keras"))

import dlspec
from dlspec.data.source_of import source_of
from dlspec.model.build import build_network
from dlspec.runs.job import load_data
from dlspec.runs.listener import Listener
from dlspec.runtime.backend import load_keras
from dlspec.spec.signature import read_signature
from dlspec.training.engines.choice import make_engine
from dlspec.training.plan import StagePlace, StageTask
from dlspec.training.progress import Hooks
from dlspec.training.trainer import Trainer
from dlspec.training.values import seed_everything

SIZES = (784, 500, 500, 500)
BATCH, EPOCHS, REPEATS = 100, 10, 3
STACK = """\
dlspec: 1
data: {dataset: mnist, scale: min_max, split: {validation: 0}}
model:
  - flatten
  - dense: {units: 500, activation: sigmoid, name: h1}
  - dense: {units: 500, activation: sigmoid, name: h2}
  - dense: {units: 500, activation: sigmoid, name: h3}
  - output
pretrain: {method: denoising_autoencoder, corruption: {masking: 0.25}, epochs: 10, batch_size: 100}
train: {epochs: 1, batch_size: 1000}
"""
MACHINE = STACK.replace(
    "units: 500, activation: sigmoid, name: h1", "units: 1000, activation: sigmoid, name: h1"
).replace(
    "{method: denoising_autoencoder, corruption: {masking: 0.25}, epochs: 10,",
    "{method: rbm, momentum: 0.5, layers: [h1], then: freeze, epochs: 5,",
)


class Clock(Listener):
    """Seconds of every epoch, and of every stage from the end of the one before."""

    def __init__(self) -> None:
        self.epochs: dict[str, list[float]] = {}
        self.stages: dict[str, float] = {}
        self.last = time.perf_counter()

    def epoch_ends(self, stage, row):
        self.epochs.setdefault(stage.name, []).append(row.seconds)

    def stage_ends(self, stage, reason):
        now = time.perf_counter()
        self.stages[stage.name], self.last = now - self.last, now


class Ours:
    """A spec made ready, to be trained again and again."""

    def __init__(self, text: str, **overrides) -> None:
        self.spec = dlspec.load(text, overrides=overrides)
        self.data = load_data(self.spec)
        signature, _ = read_signature(self.spec, source_of(self.spec.data).describe())
        self.plan = dlspec.plan(self.spec)
        assert signature is not None

    def train(self) -> tuple[Clock, object]:
        seed_everything(0, "network")
        network = build_network(self.plan.graph)
        clock = Clock()
        trainer = Trainer(self.spec.training, self.plan, self.data, network, Hooks(clock))
        trainer.run()
        return clock, trainer


def by_fit(x: np.ndarray, layers: int) -> float:
    """Seconds of an epoch of `fit`: a stage written by hand, numpy in, lower layers frozen in the model."""
    import keras

    from dlspec.pretraining._reconstruction import MaskingNoise

    inputs = h = keras.Input((SIZES[0],))
    for size in SIZES[1:layers]:
        lower = keras.layers.Dense(size, activation="sigmoid", trainable=False)
        h = lower(h)
    below = keras.Model(inputs, h)
    target = below.predict(x, batch_size=1000, verbose=0) if layers > 1 else x
    code = keras.layers.Dense(SIZES[layers], activation="sigmoid")(MaskingNoise(0.25)(h))
    model = keras.Model(inputs, keras.layers.Dense(h.shape[-1], activation="sigmoid")(code))
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(x, target, batch_size=BATCH, epochs=1, verbose=0)
    began = time.perf_counter()
    model.fit(x, target, batch_size=BATCH, epochs=1, verbose=0)
    return time.perf_counter() - began


def by_loop(x: np.ndarray, units: int) -> Callable[[], float]:
    """Seconds of an epoch of a TensorFlow loop by hand, an epoch being one function compiled by XLA."""
    import keras
    import tensorflow as tf

    count, size = x.shape
    data = tf.constant(x)
    random = np.random.default_rng(0)
    start = keras.initializers.GlorotUniform(0)
    weights = [tf.Variable(v) for v in (start((size, units)), tf.zeros(units), start((units, size)), tf.zeros(size))]
    moments = [(tf.Variable(tf.zeros_like(w)), tf.Variable(tf.zeros_like(w))) for w in weights]

    @tf.function(jit_compile=True)
    def epoch(order, first, seed):
        total = tf.constant(0.0)
        for i in tf.range(count // BATCH):
            batch = tf.gather(data, tf.slice(order, [i * BATCH], [BATCH]))
            kept = tf.random.stateless_uniform(tf.shape(batch), tf.stack([seed, i])) >= 0.25
            with tf.GradientTape() as tape:
                w, b, v, c = weights
                z = tf.sigmoid((batch * tf.cast(kept, tf.float32)) @ w + b) @ v + c
                errors = tf.nn.sigmoid_cross_entropy_with_logits(batch, z)
                loss = tf.reduce_mean(tf.reduce_sum(errors, axis=1))
            step = first + tf.cast(i, tf.float32) + 1.0
            rate = 1e-3 * tf.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            for variable, gradient, (m, v2) in zip(weights, tape.gradient(loss, weights), moments, strict=True):
                m.assign_add((gradient - m) * 0.1)
                v2.assign_add((tf.square(gradient) - v2) * 0.001)
                variable.assign_sub(rate * m / (tf.sqrt(v2) + 1e-7))
            total += loss
        return total

    done = [0]

    def run() -> float:
        order = tf.constant(random.permutation(count).astype("int32"))
        began = time.perf_counter()
        epoch(order, tf.constant(float(done[0] * (count // BATCH))), tf.constant(done[0])).numpy()
        done[0] += 1
        return time.perf_counter() - began

    run()  # compiles
    return run


def alone(place: StagePlace, method, x: np.ndarray) -> float:
    """Seconds of a layer trained alone on features that are there: stage model and engine, nothing around them."""
    import keras

    seed_everything(0, "alone")
    inputs = keras.Input(place.known_shape[1:])
    layer = place.layer.build("alone")
    layer(inputs)
    began = time.perf_counter()
    steps = len(x) // BATCH
    model = method.build([layer], place, StageTask(steps * EPOCHS))
    model.optimizer.build(model.trainable_variables)
    engine = make_engine(model, x, None, None, BATCH, compiled=True)
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(len(x))
        for first in range(0, steps, 60):
            engine.run(order, first, min(steps, first + 60))
    return time.perf_counter() - began


def median(values: list[float]) -> float:
    return statistics.median(values)


def row(name: str, ours: list[float], other: list[float], samples: int, wanted: str) -> None:
    """Prints throughput of both, and the median ratio of pairs."""
    ratio = median([b / a for a, b in zip(ours, other, strict=True)])
    print(f"{name:<58} {samples / median(ours):>10,.0f} {samples / median(other):>10,.0f} {ratio:>7.2f}  {wanted}")


def stages() -> None:
    import keras

    ours = Ours(STACK)
    x = ours.data.pretraining_inputs.reshape(-1, SIZES[0])
    loops = {k: by_loop(np.ascontiguousarray(x[:, : SIZES[k - 1]]), SIZES[k]) for k in (1, 2)}
    loops[3] = loops[2]
    mine = {k: [] for k in (1, 2, 3)}
    fits = {k: [] for k in (1, 2, 3)}
    hand = {k: [] for k in (1, 2, 3)}
    whole = {k: [] for k in (2, 3)}
    layer = {k: [] for k in (2, 3)}
    for _ in range(REPEATS):
        clock, trainer = ours.train()
        features = x
        for k, stage in enumerate(ours.plan.pretraining, start=1):
            mine[k].append(median(clock.epochs[stage.name][1:]))
            hand[k].append(loops[k]())
            fits[k].append(by_fit(x, k))
            if k > 1:
                below = keras.Model(trainer.network.inputs, trainer.network.get_layer(stage.layer.name).input)
                features = below.predict(ours.data.pretraining_inputs, batch_size=1000, verbose=0)
                whole[k].append(clock.stages[stage.name])
                layer[k].append(alone(stage.place, stage.method, features))
    count = len(x)
    print(f"\n784-500-500-500, denoising autoencoder, {count:,} samples, batch {BATCH}, samples a second")
    print(f"{'':<58} {'dlspec':>10} {'other':>10} {'ratio':>7}")
    for k in (1, 2, 3):
        row(f"stage {k}: an epoch, against `fit`", mine[k], fits[k], count, "(asked: 2)")
    for k in (1, 2, 3):
        row(f"stage {k}: an epoch, against a loop compiled by XLA", mine[k], hand[k], count, "(asked: 0.9)")
    for k in (2, 3):
        row(f"stage {k}: {EPOCHS} epochs, against its layer alone", whole[k], layer[k], EPOCHS * count, "(asked: 0.9)")


def products(x: np.ndarray, units: int) -> float:
    """Seconds of an epoch of the five matrix products that a step of CD-1 cannot do without, and of nothing else."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def step(v, h, w):
        up, down = v @ w, tf.matmul(h, w, transpose_b=True)
        return up, down, down @ w, tf.matmul(v, h, transpose_a=True), tf.matmul(down, up, transpose_a=True)

    random = np.random.default_rng(0)
    h, w = (tf.constant(random.random(shape, "float32")) for shape in ((BATCH, units), (x.shape[1], units)))
    batches = [tf.constant(x[first : first + BATCH]) for first in range(0, len(x), BATCH)]
    step(batches[0], h, w)
    began = time.perf_counter()
    for batch in batches:
        last = step(batch, h, w)
    last[-1].numpy()
    return time.perf_counter() - began


def machines() -> None:
    from sklearn.neural_network import BernoulliRBM

    ours = Ours(MACHINE)
    x = ours.data.pretraining_inputs.reshape(-1, SIZES[0])
    mine, others, floats, least = [], [], [], []
    errors = []
    for repeat in range(3):
        clock, trainer = ours.train()
        mine.append(median(clock.epochs["pretrain:h1"][1:]))
        model = BernoulliRBM(1000, learning_rate=0.1, batch_size=BATCH, n_iter=5 if repeat == 0 else 1, random_state=0)
        wide = x.astype("float64")
        began = time.perf_counter()
        model.fit(wide)
        others.append((time.perf_counter() - began) / model.n_iter)
        began = time.perf_counter()
        BernoulliRBM(1000, learning_rate=0.1, batch_size=BATCH, n_iter=1, random_state=0).fit(x)
        floats.append(time.perf_counter() - began)
        least.append(products(x, 1000))
        if repeat == 0:
            hidden = 1 / (1 + np.exp(-(x @ model.components_.T + model.intercept_hidden_)))
            back = 1 / (1 + np.exp(-(hidden @ model.components_ + model.intercept_visible_)))
            machine = trainer.state.stage_models[0]
            own = np.asarray(machine.reconstruct(x))
            errors = [((own - x) ** 2).sum(axis=1).mean(), ((back - x) ** 2).sum(axis=1).mean()]
    print(f"\nrestricted Boltzmann machine, 784-1000, CD-1, {len(x):,} samples, batch {BATCH}, samples a second")
    print(f"{'':<58} {'dlspec':>10} {'other':>10} {'ratio':>7}")
    row("an epoch, against BernoulliRBM", mine, others, len(x), "(asked: 5)")
    row("an epoch, against BernoulliRBM given float32", mine, floats, len(x), "")
    row("an epoch, against its five matrix products alone", mine, least, len(x), "")
    row("the five products alone, against BernoulliRBM", least, others, len(x), "(about the most that there is)")
    print(
        f"squared reconstruction error after 5 epochs: {errors[0]:.2f}, BernoulliRBM {errors[1]:.2f} (asked: no worse)"
    )


WIDE = STACK.replace("units: 500, activation: sigmoid, name: h1", "units: 4000, activation: sigmoid, name: h1").replace(
    "epochs: 10,", "layers: [h1, h2], epochs: 1,"
)
CHILD = """
import sys, threading, time
from pathlib import Path
from dlspec.training import layer_outputs
from tests.benchmarks.pretraining import WIDE, Ours, load_keras
if sys.argv[1] == "file":
    layer_outputs.IN_MEMORY = 256 * 2**20
def resident():  # without pages of mapped files, which give way when others need the room
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssAnon"))
    return int(line.split()[1]) / 2**20
def watch():
    while True:
        most.append(resident())
        time.sleep(0.02)
load_keras()
ours = Ours(WIDE)
before, most = resident(), []
threading.Thread(target=watch, daemon=True).start()
ours.train()
print(max(most) - before)
"""


def memory() -> None:
    """Features of 960 MB, kept in memory or in a file."""
    print("\n60,000 features of 4,000 values, 0.96 GB: most memory that training takes")
    for where in ("memory", "file"):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, where], check=True, capture_output=True, text=True, cwd=ROOT
        )  # fmt: skip
        print(f"{'kept in ' + where:<58} {float(done.stdout.split()[-1]):>8.2f} GiB")


if __name__ == "__main__":
    load_keras()
    stages()
    machines()
    memory()
