"""spiral_mlp: Which of two spirals does a point belong to?

Written by `dlspec eject specs/spiral_mlp.yaml` (dlspec 0.1.0). It needs keras, numpy, scikit-learn and tensorflow, and
not dlspec. Run it with `python spiral_mlp.py`, and begin to read at `main`.

Beside it stands spiral_mlp.json, with what was fitted to the training part and spiral_mlp.npz, with the rows of each
part: after a change of the data, the seed or the window, eject again.

The spec, whose lines are counted from the next one:

# Two spirals that no straight line separates, and a small dense net that bends the plane until one does.
# The report shows the decision boundary, and the plane as each hidden layer sees it.
# Run it with: dlspec run specs/spiral_mlp.yaml

dlspec: 1
name: spiral_mlp
description: Which of two spirals does a point belong to?
seed: 7

data:
  dataset: {spirals: {samples: 1000, turns: 1.5, noise: 0.03}}    # generated; the seed decides
  split: {validation: 0.15, test: 0.15}

model:
  - dense: {units: 16, activation: tanh}
  - dense: {units: 16, activation: tanh}
  - dense: {units: 8, activation: tanh}
  - output                                # one sigmoid unit, since there are two classes

train:
  optimizer: {adam: 0.01}
  epochs: 120
  batch_size: 32
  early_stopping: {patience: 30}
"""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
FITTED = json.loads((HERE / "spiral_mlp.json").read_text(encoding="utf-8"))
ARRAYS = np.load(HERE / "spiral_mlp.npz")
SEED = 7  # spec line 8
EPOCHS = 120  # spec line 22
BATCH_SIZE = 32  # spec line 23
# metric -> heading of its column, format of its values
HEADINGS = {"accuracy": ("Accuracy", ".2%"), "log_loss": ("Log loss", "#.4g")}


# --- data


def spirals(samples, turns, noise, seed):
    """Points on two spirals wound around each other, (samples, 2), and the spiral of each, (samples,) (after Lang and
    Witbrock, 1988)."""
    random = np.random.default_rng(seed)
    spiral = np.arange(samples) % 2
    distance = np.sqrt(random.uniform(0.005, 1.0, samples))  # even density over the disc
    angle = distance * turns * 2 * np.pi + spiral * np.pi
    points = distance[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + random.normal(0, noise, points.shape), spiral


def load_data():
    """All samples: inputs and targets (line 11 of the spec).

    1,000 points on two generated spirals of 1.5 turns (after Lang and Witbrock, 1988).
    """
    return spirals(samples=1000, noise=0.03, turns=1.5, seed=SEED)


def load_parts():
    """Training, validation and test part (line 12 of the spec): x and y of each."""
    x, y = load_data()
    return [(x[rows], y[rows]) for rows in (ARRAYS["train"], ARRAYS["validation"], ARRAYS["test"])]


# --- preprocessing, and the model that is saved


def scaled(x, center, scale):
    """(x - center) / scale in float64: with a large mean and a small spread, float32 would lose the difference."""
    center, scale = np.atleast_1d(center), np.atleast_1d(scale)
    return layers.Rescaling(1 / scale, -center / scale, dtype="float64")(x)


def build_preprocessing():
    """Samples in, scaled ones out: `center` and `scale` are mean and standard deviation of the training part."""
    raw = keras.Input((2,), dtype="float64", name="raw")
    return keras.Model(raw, ops.cast(scaled(raw, **FITTED["inputs"]), "float32"), name="preprocessing")


def network_targets(x, y):
    """Whether it is "second", (samples, 1) float32."""
    return y.reshape(-1, 1).astype("float32")


def with_preprocessing(preprocessing, network):
    """Raw values in, probabilities of classes out: what is saved."""
    network = keras.Model(network.inputs, network.outputs[0], name=network.name)  # its optimizer is not saved
    x = network(preprocessing.output)
    return keras.Model(preprocessing.input, x, name=f"{network.name}_from_raw")


def outputs_of(model, x, batch_size=512):
    """What a model makes of all samples.

    Keras's `predict` would round them to float32 before the model sees them.
    """
    batches = range(0, len(x), batch_size)
    return np.concatenate([model.predict_on_batch(x[first : first + batch_size]) for first in batches])


def prepared(preprocessing, x, y):
    """What the network sees of a part, and what it is to put out."""
    return outputs_of(preprocessing, x), network_targets(x, y)


# --- the network


def build_network():
    """The layers of the network (line 14 of the spec)."""
    return keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(16, activation="tanh"),
            layers.Dense(16, activation="tanh"),
            layers.Dense(8, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="spiral_mlp",
    )


# --- training


def train_network(network, x, y, held_out):
    """Trains the whole network (line 20 of the spec).

    Keras's `fit` takes 7 times as long as `dlspec run`, as measured when this was written.
    """
    network.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    callbacks = [keras.callbacks.EarlyStopping(patience=30, restore_best_weights=True, verbose=1)]
    network.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_data=held_out, callbacks=callbacks, verbose=2)


# --- the simplest guesses


def flat_inputs(preprocessing, x):
    """What the network sees, with all values of a sample in one row, (samples, values)."""
    inputs = outputs_of(preprocessing, x)
    return inputs.reshape(len(inputs), -1)


def linear(preprocessing, train, x):
    """Logistic regression on what the network sees; its penalty was chosen on the training part."""
    inputs, labels = flat_inputs(preprocessing, train[0]), train[1]
    model = LogisticRegression(C=FITTED["linear_c"], max_iter=2000).fit(inputs.astype("float64"), labels)
    return model.predict_proba(flat_inputs(preprocessing, x).astype("float64"))


# --- results


def predict(model, x):
    """The probability of both classes, (samples, 2); the network puts out that of the second one."""
    second = outputs_of(model, x)
    return np.hstack([1 - second, second])


def accuracy(truth, probabilities):
    """Share of samples whose most probable class is the true one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def log_loss(truth, probabilities):
    """Mean negative logarithm of the probability given to the true class."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


def score(truth, guess):
    """Every metric of a guess."""
    return {"accuracy": accuracy(truth, guess), "log_loss": log_loss(truth, guess)}


def print_table(scores, columns):
    """Prints a row for each guess and a column for each metric.

    Args:
        scores: who guesses -> metric -> its value.
        columns: metric -> what stands above it, and the format of its values.
    """
    table = [["test part", *(heading for heading, _ in columns.values())]]
    for who, found in scores.items():
        table.append([who, *(f"{found[metric]:{form}}" for metric, (_, form) in columns.items())])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for who, *values in table:
        shown = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
        print(who.ljust(widths[0]), *shown, sep="  ")


def evaluate(model, preprocessing, train, test):
    """Prints the metrics of the network, and of the simplest guesses, on the test part.

    Args:
        model: the model that is saved: raw `x` in, predictions out.
        preprocessing: raw `x` in, what the network sees out.
        train, test: `x` and `y` of these parts.

    Returns:
        {network or baseline: {metric: value}}
    """
    x, truth = test
    guesses = {
        "network": predict(model, x),
        "majority": np.tile(np.bincount(train[1], minlength=2) / len(train[1]), (len(truth), 1)),
        "linear": linear(preprocessing, train, x),
    }
    scores = {who: score(truth, guess) for who, guess in guesses.items()}
    print_table(scores, HEADINGS)
    return scores


# --- all of it


def main():
    keras.utils.set_random_seed(SEED)
    train, validation, test = load_parts()
    preprocessing = build_preprocessing()
    x, y = prepared(preprocessing, *train)
    held_out = prepared(preprocessing, *validation)
    network = build_network()
    train_network(network, x, y, held_out)
    model = with_preprocessing(preprocessing, network)
    model.save(HERE / "spiral_mlp.keras")
    evaluate(model, preprocessing, train, test)


if __name__ == "__main__":
    main()
