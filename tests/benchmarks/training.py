"""How fast networks are trained: `python -m tests.benchmarks.training`.

Epochs of specs, through the trainer with everything that belongs to it, against the same network, samples and batches
by Keras's `fit` with its defaults, and by a loop over a whole epoch written by hand, with XLA and without, of which the
better counts. All of them in turn, and the medians of the ratios are printed. Where PyTorch or JAX is installed (`pip
install dlspec[benchmarks]`), a plain loop of the one and an epoch in one `lax.scan` of the other, and scikit-learn's
`MLPClassifier` for dense networks. Then whole commands: `dlspec run` on the digits against a
script of Keras; memory; and what samples, layers and epochs cost.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np

import dlspec
from dlspec.runs.job import load_data
from dlspec.runs.listener import Listener
from dlspec.runtime.backend import load_keras
from dlspec.training.progress import Hooks
from dlspec.training.trainer import Trainer
from dlspec.training.values import seed_everything
from tests.benchmarks.training_cases import LanguageModel, Structured, Transformer, TwoOutputs, UNet
from tests.conftest import ROOT

REPEATS = 5
MEASURED = 3
"""Epochs of a training that is longer, the first of which compiles."""
TEST = 10
"""Samples of the test part, which a spec has at least."""


class Enough(Exception):
    """As much was trained as is measured."""


class Seconds(Listener):
    """Of the first epochs."""

    def __init__(self) -> None:
        self.epochs: list[float] = []

    def epoch_ends(self, stage, row):
        self.epochs.append(row.seconds)
        if len(self.epochs) == MEASURED:
            raise Enough


class Case:
    """A network, its samples and its batches, as a spec and by hand.

    Args:
        model: the layers of the spec.
        build: the same as a list of Keras layers.
        classes: of the target; 0: a number.
    """

    def __init__(
        self, name: str, shape: tuple[int, ...], classes: int, samples: int, batch: int, model: str, build: Callable
    ) -> None:
        self.name, self.batch, self.build, self.classes = name, batch, build, (classes,)
        random = np.random.default_rng(0)
        self.x = random.normal(size=(samples, *shape)).astype("float32")
        y = random.integers(0, classes, samples) if classes else random.normal(size=samples).astype("float32")
        self.targets, self.text = [y], text_of("scale: none", f" [{model}, output]\n", batch)

    def ready(self, folder: Path):
        """Spec, plan and data."""
        arrays = dict(zip("xyz", (self.x, *self.targets), strict=False))
        np.savez(folder / "samples.npz", **{key: np.concatenate([own, own[:TEST]]) for key, own in arrays.items()})
        (folder / "spec.yaml").write_text(self.text, encoding="utf-8")
        spec = dlspec.load(folder / "spec.yaml")
        return spec, dlspec.plan(spec), load_data(spec)

    def ours(self, folder: Path) -> Callable[[], float]:
        spec, plan, data = self.ready(folder)

        def run() -> float:
            seconds = Seconds()
            with suppress(Enough):
                Trainer(spec.training, plan, data, self.network(plan), Hooks(seconds)).run()
            return statistics.median(seconds.epochs[1:])

        return run

    @staticmethod
    def network(plan):
        from dlspec.model.build import build_network

        seed_everything(0, "network")
        return build_network(plan.graph)

    def keras_model(self):
        import keras

        (classes,) = self.classes
        ends = keras.layers.Dense(classes, activation="softmax") if classes else keras.layers.Dense(1)
        return keras.Sequential([keras.Input(self.x.shape[1:]), *self.build(keras.layers), ends])

    def compiled_model(self):
        import keras

        keras.utils.set_random_seed(0)
        model = self.keras_model()
        losses = ["sparse_categorical_crossentropy" if classes else "mse" for classes in self.classes]
        model.compile(optimizer="adam", loss=losses if len(losses) > 1 else losses[0])
        return model

    def by_fit(self) -> Callable[[], float]:
        model = self.compiled_model()
        targets = self.targets if len(self.targets) > 1 else self.targets[0]

        def run() -> float:
            began = time.perf_counter()
            model.fit(self.x, targets, batch_size=self.batch, epochs=1, verbose=0)
            return time.perf_counter() - began

        return run

    def by_loop(self, compiled: bool) -> Callable[[], float]:
        """An epoch in one function, its data in tensors."""
        import tensorflow as tf

        model, batch = self.compiled_model(), self.batch
        model.optimizer.build(model.trainable_variables)
        x, targets, steps = tf.constant(self.x), [*map(tf.constant, self.targets)], len(self.x) // self.batch

        @tf.function(jit_compile=compiled)
        def epoch(order):
            total = tf.constant(0.0)
            for i in tf.range(steps):
                rows = tf.slice(order, [i * batch], [batch])
                with tf.GradientTape() as tape:
                    y = [tf.gather(values, rows) for values in targets]
                    found = model(tf.gather(x, rows), training=True)
                    loss = model.compute_loss(None, y if len(y) > 1 else y[0], found)
                weights = model.trainable_variables
                model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
                total += loss
            return total / steps

        random = np.random.default_rng(0)

        def run() -> float:
            order = tf.constant(random.permutation(len(self.x)).astype("int32"))
            began = time.perf_counter()
            epoch(order).numpy()
            return time.perf_counter() - began

        return run

    def by_scikit_learn(self) -> Callable[[], float]:
        from sklearn.neural_network import MLPClassifier

        sizes = tuple(layer.units for layer in self.build(__import__("keras").layers))

        def run() -> float:
            model = MLPClassifier(sizes, batch_size=self.batch, max_iter=1)
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it has not converged
                model.fit(self.x, self.targets[0])
            return time.perf_counter() - began

        return run

    def by_torch(self) -> Callable[[], float] | None:
        try:
            import torch
        except ImportError:
            return None
        torch.set_num_threads(os.cpu_count() or 1)
        model = self.torch_model()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
        x, targets = torch.tensor(self.x), [*map(torch.tensor, self.targets)]

        def compare(found, wanted, classes):
            if not classes:
                return ((found[:, 0] - wanted) ** 2).mean()
            return torch.nn.functional.cross_entropy(found.reshape(-1, classes), wanted.reshape(-1))

        def loss(rows):
            found = model(x[rows])
            each = found if isinstance(found, tuple) else (found,)
            return sum(compare(one, y[rows], count) for one, y, count in zip(each, targets, self.classes, strict=True))

        def run() -> float:
            began = time.perf_counter()
            order = torch.randperm(len(x))
            for first in range(0, len(x), self.batch):
                rows = order[first : first + self.batch]
                optimizer.zero_grad()
                loss(rows).backward()
                optimizer.step()
            return time.perf_counter() - began

        return run

    def torch_model(self):
        return torch_model(self)

    def by_jax(self) -> Callable[[], float] | None:
        """An epoch in one `lax.scan`, its data on the device; with convolutions a step at a time, since XLA runs them
        many times slower within a loop."""
        try:
            import jax
        except ImportError:
            return None
        from jax import numpy as jnp

        weights, forward = jax_model(self)
        batch, steps, (classes,) = self.batch, len(self.x) // self.batch, self.classes
        x, y = jnp.asarray(self.x), jnp.asarray(self.targets[0])

        def compare(weights, x, y):
            found = forward(weights, x)
            if not classes:
                return ((found[:, 0] - y) ** 2).mean()
            return -jnp.take_along_axis(jax.nn.log_softmax(found), y[:, None], axis=1).mean()

        def step(state, rows):
            weights, means, squares, count = state
            loss, gradients = jax.value_and_grad(compare)(weights, x[rows], y[rows])
            means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
            squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
            rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, means, squares)
            return (weights, means, squares, count + 1), loss

        whole = jax.jit(lambda state, order: jax.lax.scan(step, state, order), donate_argnums=0)
        single = jax.jit(step, donate_argnums=0)

        def epoch(state, order):
            if "conv2d" not in self.text:
                return whole(state, order)
            for rows in order:
                state, loss = single(state, rows)
            return state, loss

        zeros = jax.tree.map(jnp.zeros_like, weights)
        state = [(weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.ones(()))]
        random = np.random.default_rng(0)

        def run() -> float:
            order = jnp.asarray(random.permutation(len(self.x))[: steps * batch].reshape(steps, batch))
            began = time.perf_counter()
            state[0], losses = epoch(state[0], order)
            losses.block_until_ready()
            return time.perf_counter() - began

        return run


class StructuredCase(Case):
    """A network of `training_cases`."""

    def __init__(self, network: Structured) -> None:
        self.name, self.batch, self.classes = network.name, network.batch, network.classes
        self.x, self.targets = network.x, network.targets
        self.text = text_of(network.data, network.model, network.batch)
        self.keras_model, self.torch_model = network.keras_model, network.torch_model

    def by_jax(self) -> None:
        return None


def text_of(data: str, model: str, batch: int) -> str:
    """A spec of the arrays; `data` and `model` in YAML."""
    return (
        "dlspec: 1\n"
        f"data: {{arrays: samples.npz, {data}, split: {{validation: 0, test: {TEST}}}}}\n"
        f"model:{model}train: {{epochs: 100, batch_size: {batch}}}\n"
    )


def jax_model(case: Case):
    """The network of a case in JAX: its weights, and what leads an input forward with them."""
    import jax
    from jax import numpy as jnp

    random, ends = np.random.default_rng(0), case.classes[0] or 1

    def drawn(*shape: int):
        return jnp.asarray(random.normal(size=shape, scale=(2 / np.prod(shape[:-1])) ** 0.5).astype("float32"))

    def pooled(x):
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def convolved(x, kernel, bias):
        found = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return pooled(jax.nn.relu(found + bias))

    if "lstm" in case.text:
        weights = [drawn(case.x.shape[-1], 256), drawn(64, 256), jnp.zeros(256), drawn(64, ends), jnp.zeros(ends)]

        def forward(weights, x):
            kernel, recurrent, bias, last, last_bias = weights

            def timestep(state, drive):
                h, c = state
                i, f, g, o = jnp.split(drive + h @ recurrent, 4, axis=-1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

            start = jnp.zeros((len(x), 64))
            (h, _), _ = jax.lax.scan(timestep, (start, start), jnp.moveaxis(x @ kernel + bias, 1, 0))
            return h @ last + last_bias

        return weights, forward
    if "conv2d" in case.text:
        weights = [drawn(3, 3, 1, 32), jnp.zeros(32), drawn(3, 3, 32, 64), jnp.zeros(64), drawn(1600, ends)]

        def forward(weights, x):
            first, first_bias, second, second_bias, last = weights
            found = convolved(convolved(x, first, first_bias), second, second_bias)
            return found.reshape(len(x), -1) @ last

        return weights, forward
    sizes = [case.x.shape[1], *(layer.units for layer in case.build(__import__("keras").layers)), ends]
    weights = [(drawn(one, other), jnp.zeros(other)) for one, other in pairwise(sizes)]

    def forward(weights, x):
        for kernel, bias in weights[:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        return x @ weights[-1][0] + weights[-1][1]

    return weights, forward


def torch_model(case: Case):
    """The network of a case in PyTorch."""
    from torch import nn

    class Last(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x)[0][:, -1]

    class ChannelsFirst(nn.Module):
        def forward(self, x):
            return x.permute(0, 3, 1, 2)

    ends = case.classes[0] or 1
    if "lstm" in case.text:
        return nn.Sequential(Last(nn.LSTM(case.x.shape[-1], 64, batch_first=True)), nn.Linear(64, ends))
    if "conv2d" in case.text:
        return nn.Sequential(
            ChannelsFirst(), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, ends),
        )  # fmt: skip
    sizes = [case.x.shape[1], *(layer.units for layer in case.build(__import__("keras").layers))]
    layers = [part for one, other in pairwise(sizes) for part in (nn.Linear(one, other), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], ends))


def dense(*units: int) -> tuple[str, Callable]:
    text = ", ".join(f"dense: {{units: {size}, activation: relu}}" for size in units)
    return text, lambda layers: [layers.Dense(size, activation="relu") for size in units]


def convolutions(layers):
    return [
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2), layers.Flatten(),
    ]  # fmt: skip


CASES = {
    "small": lambda: Case("dense 30-32-32-2, batch 32", (30,), 2, 20_000, 32, *dense(32, 32)),
    "middle": lambda: Case("dense 784-256-256-10, batch 128", (784,), 10, 59_904, 128, *dense(256, 256)),
    "lstm": lambda: Case(
        "LSTM 64, 50 timesteps x 8, batch 64", (50, 8), 0, 6_400, 64, "lstm: 64", lambda layers: [layers.LSTM(64)]
    ),
    "conv": lambda: Case(
        "convolutions 32-64, 28 x 28, batch 64",
        (28, 28, 1),
        10,
        6_400,
        64,
        "conv2d: {filters: 32, kernel_size: 3, activation: relu}, max_pooling2d: 2, "
        "conv2d: {filters: 64, kernel_size: 3, activation: relu}, max_pooling2d: 2, flatten",
        convolutions,
    ),
    "transformer": lambda: StructuredCase(Transformer()),
    "language": lambda: StructuredCase(LanguageModel()),
    "unet": lambda: StructuredCase(UNet()),
    "outputs": lambda: StructuredCase(TwoOutputs()),
}
ASKED = {"small": ("15", "0.9"), "middle": ("3.5, 1.8 on a busy machine", "0.9"), "lstm": ("1.7", "0.9"),
         "conv": ("1.2", "0.9"), "transformer": ("1.3", "0.95"), "language": ("1.3", "0.95"),
         "unet": ("1.0", "0.95"), "outputs": ("2", "0.95")}  # fmt: skip
ASKED_OF_TORCH = {"transformer": "1.1", "language": "1.1", "unet": "1.0"}


def compare(key: str) -> None:
    """All rivals in turn, so that what else the machine does meets each of them."""
    case = CASES[key]()
    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, Callable[[], float] | None] = {"dlspec": case.ours(Path(folder)), "fit": case.by_fit()}
        runs["a loop without XLA"] = case.by_loop(False)
        if key not in ("conv", "unet"):  # where it takes 30 times as long
            runs["a loop with XLA"] = case.by_loop(True)
        if key in ("small", "middle"):
            runs["MLPClassifier"] = case.by_scikit_learn()
        runs["PyTorch"], runs["JAX"] = case.by_torch(), case.by_jax()
        times = {name: [] for name, run in runs.items() if run}
        for repeat in range(REPEATS + 1):
            for name in times:
                seconds = runs[name]()
                if repeat:  # the first compiles
                    times[name].append(seconds)
    best = min((name for name in times if name.startswith("a loop")), key=lambda name: statistics.median(times[name]))
    print(f"\n{case.name}, {len(case.x):,} samples; samples a second")
    for name, seconds in times.items():
        ratio = statistics.median(b / a for a, b in zip(times["dlspec"], seconds, strict=True))
        wanted = {"fit": ASKED[key][0], best: ASKED[key][1], "PyTorch": ASKED_OF_TORCH.get(key)}.get(name)
        asked = f"(asked: {wanted})" if wanted else ""
        print(f"  {name:<20} {len(case.x) / statistics.median(seconds):>12,.0f} {ratio:>8.2f} {asked}", flush=True)


SCRIPT = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
digits = load_digits()
x, y = digits.images.astype("float32"), digits.target
order = np.random.default_rng(0).permutation(len(x))
train, validation, test = np.split(order, [1257, 1527])
mean, deviation = x[train].mean(), x[train].std()
x = (x - mean) / deviation
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(64, activation="relu"),
                          keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x[train], y[train], batch_size=32, epochs=30, verbose=0,
                    validation_data=(x[validation], y[validation]))
print(model.evaluate(x[test], y[test], verbose=0))
linear = LogisticRegression(max_iter=2000).fit(x[train].reshape(-1, 64), y[train])
print(linear.score(x[test].reshape(-1, 64), y[test]))
model.save("model.keras")
import matplotlib
matplotlib.use("svg")
from matplotlib import pyplot
pyplot.plot(history.history["loss"]); pyplot.plot(history.history["val_loss"]); pyplot.savefig("loss.svg")
"""
DIGITS = """\
dlspec: 1
name: digits
data: {dataset: digits}
model: [flatten, {dense: {units: 64, activation: relu}}, {dense: {units: 64, activation: relu}}, output]
train: {epochs: 30}
"""


def whole_commands() -> None:
    """`dlspec run` on the digits, with its report, against a script that trains, evaluates, saves and draws."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "script.py").write_text(SCRIPT)
        (home / "digits.yaml").write_text(DIGITS)
        times: dict[str, list[float]] = {"dlspec": [], "script": []}
        commands = {"dlspec": ["-m", "dlspec", "run", "digits.yaml"], "script": ["script.py"]}
        for _ in range(REPEATS):
            for name, arguments in commands.items():
                began = time.perf_counter()
                env = {**os.environ, "PYTHONPATH": str(ROOT)}
                subprocess.run([sys.executable, *arguments], cwd=home, check=True, capture_output=True, env=env)
                times[name].append(time.perf_counter() - began)
    ratio = statistics.median(a / b for a, b in zip(times["dlspec"], times["script"], strict=True))
    print("\nthe digits, 30 epochs, a whole process, seconds")
    for name, seconds in times.items():
        print(f"  {name:<20} {statistics.median(seconds):>8.2f}")
    print(f"  dlspec / script      {ratio:>8.2f} (asked: 1.0 at most)", flush=True)


MEMORY = """
import sys, resource, time
import tests.benchmarks.training as bench
bench.load_keras()
import tensorflow as tf, keras
case = bench.CASES["middle"]()
keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])(tf.zeros((1, 4)))
del case.x, case.y
import pathlib
spec = bench.dlspec.load(pathlib.Path(sys.argv[1]))
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
own = [line for line in open("/proc/self/status") if line.startswith("VmRSS")][0].split()[1]
open("/proc/self/clear_refs", "w").write("5")
data, plan = bench.load_data(spec), bench.dlspec.plan(spec)
bench.Trainer(spec.training, plan, data, bench.Case.network(plan), bench.Hooks(bench.Listener())).run()
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
print((int(peak) - int(own)) / 1024, data.train.inputs.nbytes / 2**20)
"""


def memory() -> None:
    """Peak of a process above what it has once TensorFlow is there."""
    case = CASES["middle"]()
    with tempfile.TemporaryDirectory() as folder:
        case.ready(Path(folder))
        found = subprocess.run(
            [sys.executable, "-c", MEMORY, f"{folder}/spec.yaml"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
    peak, data = map(float, found[-2:])
    print(f"\nmemory, {case.name}: {peak:.0f} MiB above TensorFlow's own, the data {data:.0f} MiB "
          f"(asked: {2 * data + 200:.0f} at most)")  # fmt: skip


def slopes() -> None:
    """Seconds for twice the samples, layers and epochs, over those for the half."""

    def seconds(samples: int, layers: int, epochs: int) -> float:
        case = Case("", (256,), 10, samples, 128, *dense(*[256] * layers))
        case.text = case.text.replace("epochs: 100", f"epochs: {epochs}")
        with tempfile.TemporaryDirectory() as folder:
            spec, plan, data = case.ready(Path(folder))
            began = time.perf_counter()
            Trainer(spec.training, plan, data, case.network(plan), Hooks(Listener())).run()
            return time.perf_counter() - began

    base = statistics.median(seconds(12_800, 4, 20) for _ in range(3))
    print("\nwhat twice as much costs (2 is linear)")
    for name, sizes in {"samples": (25_600, 4, 20), "layers": (12_800, 8, 20), "epochs": (12_800, 4, 40)}.items():
        print(f"  {name:<20} {statistics.median(seconds(*sizes) for _ in range(3)) / base:>8.2f}", flush=True)


if __name__ == "__main__":
    load_keras()
    chosen = sys.argv[1:] or [*CASES, "commands", "memory", "slopes"]
    for key in chosen:
        {"commands": whole_commands, "memory": memory, "slopes": slopes}.get(key, lambda key=key: compare(key))()
