"""digits_dbn: Which digit is it, learnt from 100 labels on top of what two Boltzmann machines found out alone?

Written by `dlspec eject specs/digits_dbn.yaml` (dlspec 0.1.0). It needs keras, numpy, scikit-learn and tensorflow, and
not dlspec. Run it with `python digits_dbn.py`, and begin to read at `main`.

Beside it stands digits_dbn.json, with what was fitted to the training part and digits_dbn.npz, with the rows of each
part: after a change of the data, the seed or the window, eject again.

What the spec says, and this does not do:
- `compare` with other parts of the data for each seed: all seeds have those of the first

The spec, whose lines are counted from the next one:

# A deep belief network (Hinton et al., 2006): two restricted Boltzmann machines, one on top of the other, learn what
# handwritten digits look like; 100 labels then name them. The report shows digits that the upper machine dreams, what
# each layer keeps, and the same network trained without pretraining: 88.7% right against 90.5%, by three seeds.
# Run it with: dlspec run specs/digits_dbn.yaml

dlspec: 1
name: digits_dbn
description: Which digit is it, learnt from 100 labels on top of what two Boltzmann machines found out alone?
seed: 1

data:
  dataset: digits
  scale: min_max                          # from 0 to 1, to be taken for probabilities
  labels: 100
  split: {validation: 0.15, test: 0.25}

model:
  - flatten
  - dense: {units: 128, activation: sigmoid, name: h1}
  - dense: {units: 128, activation: sigmoid, name: h2}
  - output

pretrain:
  method: rbm
  epochs: 100
  batch_size: 20
  optimizer: {sgd: 0.05}
  momentum: {start: 0.5, end: 0.9}
  weight_decay: 2e-4

train:
  optimizer: {adam: 2e-3}
  epochs: 150
  batch_size: 10
  early_stopping: {patience: 25}

evaluate:
  metrics: [accuracy, log_loss]
  baselines: [majority, linear]
  compare: {without_pretraining: {seeds: 3}}
"""

import json
import math
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from sklearn import datasets
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
FITTED = json.loads((HERE / "digits_dbn.json").read_text(encoding="utf-8"))
ARRAYS = np.load(HERE / "digits_dbn.npz")
SEED = 1  # spec line 9
PRETRAIN_EPOCHS = 100  # spec line 25
PRETRAIN_BATCH_SIZE = 20  # spec line 26
EPOCHS = 150  # spec line 33
BATCH_SIZE = 10  # spec line 34
# metric -> heading of its column, format of its values
HEADINGS = {"accuracy": ("Accuracy", ".2%"), "log_loss": ("Log loss", "#.4g")}


# --- data


def load_data():
    """All samples: inputs and targets (line 12 of the spec).

    1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak, 1998; shipped with scikit-learn, CC BY 4.0).
    """
    digits = datasets.load_digits()
    return digits.images, digits.target


def load_parts():
    """Training, validation, test and unlabeled part (line 15 of the spec): x and y of each."""
    x, y = load_data()
    return [(x[rows], y[rows]) for rows in (ARRAYS["train"], ARRAYS["validation"], ARRAYS["test"], ARRAYS["unlabeled"])]


# --- preprocessing, and the model that is saved


def scaled(x, center, scale):
    """(x - center) / scale in float64: with a large mean and a small spread, float32 would lose the difference."""
    center, scale = np.atleast_1d(center), np.atleast_1d(scale)
    return layers.Rescaling(1 / scale, -center / scale, dtype="float64")(x)


def build_preprocessing():
    """Samples in, scaled ones out: `center` and `scale` are smallest value and range of the training part (line 13 of
    the spec).
    """
    raw = keras.Input((8, 8), dtype="float64", name="raw")
    return keras.Model(raw, ops.cast(scaled(raw, **FITTED["inputs"]), "float32"), name="preprocessing")


def network_targets(x, y):
    """The number of the class of each sample."""
    return y


def with_preprocessing(preprocessing, network):
    """Raw values in, probabilities of classes out: what is saved."""
    network = keras.Model(network.inputs, network.outputs[0], name=network.name)  # its optimizer is not saved
    x = network(preprocessing.output)
    return keras.Model(preprocessing.input, x, name=f"{network.name}_from_raw")


def prepared(preprocessing, x, y):
    """What the network sees of a part, and what it is to put out."""
    return preprocessing.predict(x, verbose=0), network_targets(x, y)


# --- the network


def build_network():
    """The layers of the network (line 17 of the spec)."""
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Flatten(),
            layers.Dense(128, activation="sigmoid", name="h1"),
            layers.Dense(128, activation="sigmoid", name="h2"),
            layers.Dense(10, activation="softmax"),
        ],
        name="digits_dbn",
    )


# --- pretraining


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def binary(x):
    """Units that are on with probability sigmoid(x): this probability, and a sample."""
    probability = sigmoid(x)
    return probability, (np.random.random(x.shape) < probability).astype(x.dtype)


class RisingSGD(keras.optimizers.SGD):
    """Stochastic gradient descent whose momentum rises in a straight line, from the first step on (Hinton, 2010)."""

    def __init__(self, learning_rate, first, last, steps, done=0, **arguments):
        super().__init__(learning_rate, momentum=max(first, last), **arguments)
        self.first, self.last, self.steps, self.done = first, last, steps, done

    def update_step(self, gradient, variable, learning_rate):
        share = ops.minimum(ops.cast(self.iterations + self.done, variable.dtype) / self.steps, 1.0)
        momentum = self.first + (self.last - self.first) * share
        move = ops.cast(gradient, variable.dtype) * ops.cast(learning_rate, variable.dtype)
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, velocity * momentum - move)
        self.assign_add(variable, velocity * momentum - move if self.nesterov else velocity)


def contrastive_divergence(v0, kernel, hidden_bias, visible_bias, hidden, visible, gibbs_steps):
    """A step of CD-k (Hinton, 2002): dW = v0 h(v0) - vk h(vk), vk being what k steps of Gibbs sampling make of v0.

    Returns how kernel and biases move, and the reconstruction error.
    """
    h0, sample = hidden(v0 @ kernel + hidden_bias)
    for _ in range(gibbs_steps):
        vk, _ = visible(sample @ kernel.T + visible_bias)  # the mean, which makes less noise than a sample
        hk, sample = hidden(vk @ kernel + hidden_bias)
    move = (v0.T @ h0 - vk.T @ hk) / len(v0), (h0 - hk).mean(axis=0), (v0 - vk).mean(axis=0)
    return move, ((v0 - vk) ** 2).sum(axis=1).mean()


def rbm_epoch(x, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay):
    """One pass over all samples by contrastive divergence; returns the mean reconstruction error.

    Args:
        weights: kernel, bias of the hidden and bias of the visible units, which move.
    """
    order, errors = np.random.permutation(len(x)), []
    for first in range(0, len(x), batch_size):
        kernel, *biases = (ops.convert_to_numpy(weight) for weight in weights)
        v0 = x[order[first : first + batch_size]]
        (dw, db, dc), error = contrastive_divergence(v0, kernel, *biases, hidden, visible, gibbs_steps)
        gradients = [weight_decay * kernel - dw, -db, -dc]
        optimizer.apply([ops.convert_to_tensor(each) for each in gradients], weights)
        errors.append(error)
    return np.mean(errors)


def pretrain_rbm(layer, x, hidden, visible, optimizer, epochs, batch_size, gibbs_steps=1, weight_decay=0.0):
    """Trains a layer as the hidden units h of a restricted Boltzmann machine (Hinton et al., 2006).

    Visible units v and hidden units h have the energy E(v, h) = -c v - b h - v W h. Returns the weights that lead back.
    """
    visible_bias = keras.Variable(np.zeros(x.shape[1], "float32"), name="visible_bias")
    weights = [layer.kernel, layer.bias, visible_bias]
    optimizer.build(weights)
    for epoch in range(epochs):
        error = rbm_epoch(x, weights, hidden, visible, optimizer, batch_size, gibbs_steps, weight_decay)
        print(f"{layer.name}: epoch {epoch + 1}, reconstruction error {error:.4f}")
    return [ops.convert_to_numpy(layer.kernel).T, ops.convert_to_numpy(visible_bias)]


def input_of_layer(network, name, x):
    """What reaches a layer when the network is given x."""
    return keras.Model(network.inputs, network.get_layer(name).input).predict(x, verbose=0)


def pretrain(network, x):
    """Pretrains layer by layer, from the lowest up (line 23 of the spec)."""
    for name in ("h1", "h2"):
        layer, seen = network.get_layer(name), input_of_layer(network, name, x)
        steps = math.ceil(len(seen) / PRETRAIN_BATCH_SIZE) * PRETRAIN_EPOCHS
        optimizer = RisingSGD(0.05, 0.5, 0.9, steps=steps)
        pretrain_rbm(layer, seen, binary, binary, optimizer, PRETRAIN_EPOCHS, PRETRAIN_BATCH_SIZE, weight_decay=0.0002)


# --- training


def train_network(network, x, y, held_out):
    """Trains the whole network (line 31 of the spec).

    Keras's `fit` takes 18 times as long as `dlspec run`, as measured when this was written.
    """
    network.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    callbacks = [keras.callbacks.EarlyStopping(patience=25, restore_best_weights=True, verbose=1)]
    network.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_data=held_out, callbacks=callbacks, verbose=2)


# --- the simplest guesses


def flat_inputs(preprocessing, x):
    """What the network sees, with all values of a sample in one row, (samples, values)."""
    inputs = preprocessing.predict(x, verbose=0)
    return inputs.reshape(len(inputs), -1)


def linear(preprocessing, train, x):
    """Logistic regression on what the network sees (line 39 of the spec); its penalty was chosen on the training
    part.
    """
    inputs, labels = flat_inputs(preprocessing, train[0]), train[1]
    model = LogisticRegression(C=FITTED["linear_c"], max_iter=2000).fit(inputs.astype("float64"), labels)
    return model.predict_proba(flat_inputs(preprocessing, x).astype("float64"))


# --- results


def predict(model, x):
    """The probability of each class, (samples, classes)."""
    return model.predict(x, verbose=0)


def accuracy(truth, probabilities):
    """Share of samples whose most probable class is the true one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def log_loss(truth, probabilities):
    """Mean negative logarithm of the probability given to the true class."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


def score(truth, guess):
    """Every metric of a guess (line 38 of the spec)."""
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
    """Prints the metrics of the network, and of the simplest guesses, on the test part (line 37 of the spec).

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
        "majority": np.tile(np.bincount(train[1], minlength=10) / len(train[1]), (len(truth), 1)),
        "linear": linear(preprocessing, train, x),
    }
    scores = {who: score(truth, guess) for who, guess in guesses.items()}
    print_table(scores, HEADINGS)
    return scores


def print_means(who, results):
    """Prints the mean of every metric over several trainings, and its standard deviation."""
    for metric in results[0]:
        values = [scores[metric] for scores in results]
        spread = f" (sd {np.std(values, ddof=1):.2g}, {len(values)} trainings)" if len(values) > 1 else ""
        print(f"{who}: {metric} {np.mean(values):.4g}{spread}")


# --- all of it


def main():
    keras.utils.set_random_seed(SEED)
    train, validation, test, unlabeled = load_parts()
    preprocessing = build_preprocessing()
    x, y = prepared(preprocessing, *train)
    held_out = prepared(preprocessing, *validation)
    network = build_network()
    everything = np.concatenate([x, preprocessing.predict(unlabeled[0], verbose=0)])  # with and without labels
    pretrain(network, everything)
    train_network(network, x, y, held_out)
    model = with_preprocessing(preprocessing, network)
    model.save(HERE / "digits_dbn.keras")
    results = evaluate(model, preprocessing, train, test)
    for pretrained in (True, False):  # spec line 40
        found = [results["network"]] if pretrained else []  # what was trained above is one of them
        for seed in range(SEED + len(found), SEED + 3):
            keras.utils.set_random_seed(seed)
            network = build_network()
            if pretrained:
                pretrain(network, everything)
            train_network(network, x, y, held_out)
            model = with_preprocessing(preprocessing, network)
            found.append(score(test[1], predict(model, test[0])))
        print_means("with pretraining" if pretrained else "without pretraining", found)


if __name__ == "__main__":
    main()
