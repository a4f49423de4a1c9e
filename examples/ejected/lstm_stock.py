"""lstm_stock: Tomorrow's closing price from the last thirty trading days.

Written by `dlspec eject specs/lstm_stock.yaml` (dlspec 0.1.0). It needs keras, matplotlib, numpy, scikit-learn and
tensorflow, and not dlspec. Run it with `python lstm_stock.py`, and begin to read at `main`.

Beside it stands lstm_stock.json, with what was fitted to the training part: after a change of the data, the seed or the
window, eject again.

The spec, whose lines are counted from the next one:

# Tomorrow's price of Google's share, by two LSTM layers that are first pretrained one after the other as
# sequence autoencoders. The report shows the forecasts beside the simplest guess: tomorrow equals today.
# Run it with: dlspec run specs/lstm_stock.yaml

dlspec: 1
name: lstm_stock
description: Tomorrow's closing price from the last thirty trading days.
seed: 42

data:
  dataset: goog                   # built in, offline; `series: prices.csv` for one's own file
  time: date
  target: close
  features: [open, high, low, close, volume]
  window: {length: 30, horizon: 1}
  predict: return                 # level | difference | return: what the network puts out; metrics are always of the level
  scale: standard                 # fitted on the training part only
  split: {validation: 0.15, test: 0.15}       # series: by time, always

model:
  - lstm: {units: 64, return_sequences: true}
  - dropout: 0.2
  - lstm: 32
  - output                        # as many units, and the activation, that the target needs

pretrain:                         # greedy, layer by layer; without this section there is none
  method: autoencoder
  epochs: 10

train:
  optimizer: {adam: {learning_rate: 1e-3}}
  epochs: 60
  batch_size: 64
  early_stopping: {patience: 8}

evaluate:
  metrics: [mae, rmse, mase]
  baselines: [persistence, linear]
"""  # noqa: E501

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from matplotlib import cbook
from sklearn.linear_model import Ridge

HERE = Path(__file__).parent
FITTED = json.loads((HERE / "lstm_stock.json").read_text(encoding="utf-8"))
FEATURES = ["open", "high", "low", "close", "volume"]
WINDOW = 30  # spec line 15
HORIZON = 1  # spec line 15
TRAIN = range(702)  # where windows begin (spec line 18)
VALIDATION = range(702, 859)  # where windows begin (spec line 18)
TEST = range(859, 1016)  # where windows begin (spec line 18)
SEED = 42  # spec line 8
TARGET_COLUMNS = [3]  # where close stands among the columns of x
PRETRAIN_EPOCHS = 10  # spec line 28
PRETRAIN_BATCH_SIZE = 32  # by default
EPOCHS = 60  # spec line 32
BATCH_SIZE = 64  # spec line 33
# metric -> heading of its column, format of its values
HEADINGS = {"mae": ("MAE (USD)", "#.4g"), "rmse": ("RMSE (USD)", "#.4g"), "mase": ("MASE", "#.4g")}


# --- data


def load_data():
    """All timesteps: inputs and targets (line 11 of the spec).

    Daily prices of Google's share, August 2004 to October 2008 (from matplotlib's sample data, BSD-style licence;
    figures from Yahoo Finance).
    """
    with cbook.get_sample_data("goog.npz") as file:
        table = file["price_data"]
    x = np.stack([table[name].astype("float64") for name in FEATURES], axis=1)
    return x, x[:, FEATURES.index("close")]


def windows(x, y, starts):
    """Windows that begin at some timesteps, (samples, 31, 5), and what each leads to.

    A change needs the level before, so that WINDOW changes are WINDOW + 1 levels.
    """
    rows = np.array(starts)[:, None] + np.arange(WINDOW + 1)
    return x[rows], y[rows[:, -1] + HORIZON]


def load_parts():
    """Training, validation and test part (line 18 of the spec): x and y of each."""
    x, y = load_data()
    return [windows(x, y, rows) for rows in (TRAIN, VALIDATION, TEST)]


# --- preprocessing, and the model that is saved


def scaled(x, center, scale):
    """(x - center) / scale in float64: with a large mean and a small spread, float32 would lose the difference."""
    center, scale = np.atleast_1d(center), np.atleast_1d(scale)
    return layers.Rescaling(1 / scale, -center / scale, dtype="float64")(x)


def build_preprocessing():
    """Windows of 31 rows in, their scaled logarithmic returns out (line 16 of the spec); `center` and `scale` are mean
    and standard deviation of the training part (line 17 of the spec).
    """
    raw = keras.Input((WINDOW + 1, 5), dtype="float64", name="raw")
    x = ops.log(raw)
    x = x[:, 1:] - x[:, :-1]
    x = scaled(x, **FITTED["inputs"])
    return keras.Model(raw, ops.cast(x, "float32"), name="preprocessing")


def network_targets(x, y):
    """The scaled return from the last value seen, (samples, 1)."""
    last = x[:, -1, TARGET_COLUMNS]
    y = np.log(y.reshape(len(y), -1)) - np.log(last)
    return ((y - FITTED["target"]["center"]) / FITTED["target"]["scale"]).astype("float32")


def in_units(x, center, scale):
    """The way back from a scaled number: x * scale + center, in float64."""
    return layers.Rescaling(np.atleast_1d(scale), np.atleast_1d(center), dtype="float64")(ops.cast(x, "float64"))


def with_preprocessing(preprocessing, network):
    """Raw values in, the target in its own units out: what is saved."""
    network = keras.Model(network.inputs, network.outputs[0], name=network.name)  # its optimizer is not saved
    x = network(preprocessing.output)
    x = in_units(x, **FITTED["target"])
    last = ops.take(preprocessing.input[:, -1], TARGET_COLUMNS, axis=-1)
    x = last * ops.exp(x)
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
    """The layers of the network (line 20 of the spec)."""
    return keras.Sequential(
        [
            keras.Input((WINDOW, 5)),
            layers.LSTM(64, return_sequences=True, name="lstm_1"),
            layers.Dropout(0.2),
            layers.LSTM(32, name="lstm_2"),
            layers.Dense(1),
        ],
        name="lstm_stock",
    )


# --- pretraining


def input_of_layer(network, name, x):
    """What reaches a layer when the network is given x."""
    return keras.Model(network.inputs, network.get_layer(name).input).predict(x, verbose=0)


def summed_squares(x, z):
    """(x - z)^2, summed over the values of a sample."""
    return ops.sum(ops.reshape(ops.square(x - z), (ops.shape(x)[0], -1)), axis=1)


def decode(code, shape):
    """Decodes a code into what its layer took, which has this shape."""
    z = code[:, -1] if len(code.shape) == 3 else code  # the last state
    z = layers.RepeatVector(shape[1])(z)
    z = layers.LSTM(code.shape[-1], return_sequences=True, name="decoder_2")(z)
    z = layers.Dense(shape[-1])(z)
    return ops.flip(z, axis=1)


def pretrain_layer(layer, x):
    """Trains a layer to give back what it takes (Bengio et al., 2007).

    The last state is repeated for every timestep, and a layer of its kind writes the sequence back, last timestep
    first (Srivastava et al., 2015); the error is between the two sequences.
    """
    inputs = keras.Input(x.shape[1:])
    code = layer(inputs)
    autoencoder = keras.Model(inputs, decode(code, x.shape))
    autoencoder.compile(keras.optimizers.Adam(), summed_squares)
    print(f"Pretraining {layer.name}")
    autoencoder.fit(x, x, batch_size=PRETRAIN_BATCH_SIZE, epochs=PRETRAIN_EPOCHS, verbose=2)


def pretrain(network, x):
    """Pretrains layer by layer, from the lowest up (line 26 of the spec)."""
    for name in ("lstm_1", "lstm_2"):
        pretrain_layer(network.get_layer(name), input_of_layer(network, name, x))


# --- training


def train_network(network, x, y, held_out):
    """Trains the whole network (line 30 of the spec).

    Keras's `fit` takes 1.7 times as long as `dlspec run`, as measured when this was written.
    """
    network.compile(keras.optimizers.Adam(0.001), "mse")
    callbacks = [keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True, verbose=1)]
    network.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_data=held_out, callbacks=callbacks, verbose=2)


# --- the simplest guesses


def flat_inputs(preprocessing, x):
    """What the network sees, with all values of a sample in one row, (samples, values)."""
    inputs = outputs_of(preprocessing, x)
    return inputs.reshape(len(inputs), -1)


def linear(preprocessing, train, x):
    """Ridge regression on what the network sees (line 38 of the spec); its penalty was chosen on the training part."""
    inputs, targets = flat_inputs(preprocessing, train[0]), network_targets(*train)
    model = Ridge(FITTED["linear_alpha"], solver="svd").fit(inputs.astype("float64"), targets.astype("float64"))
    outputs = model.predict(flat_inputs(preprocessing, x).astype("float64")).reshape(-1, targets.shape[1])
    change = outputs * FITTED["target"]["scale"] + FITTED["target"]["center"]  # logarithmic returns
    return x[:, -1, FEATURES.index("close")] * np.exp(change[:, 0])


# --- results


def predict(model, x):
    """What the network predicts, (samples,)."""
    return outputs_of(model, x)[:, 0]


def mae(truth, guess):
    """Mean absolute error."""
    return float(np.abs(truth - guess).mean())


def rmse(truth, guess):
    """Root mean squared error."""
    return float(((truth - guess) ** 2).mean() ** 0.5)


def mase(truth, guess, naive_error):
    """Mean absolute scaled error: errors divided by the mean change from one timestep to the next in the training part
    (Hyndman and Koehler, 2006)."""
    if not np.all(naive_error):
        return float("inf")
    return float((np.abs(truth - guess) / naive_error).mean())


def score(truth, guess):
    """Every metric of a guess (line 37 of the spec)."""
    return {"mae": mae(truth, guess), "rmse": rmse(truth, guess), "mase": mase(truth, guess, FITTED["naive_error"])}


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
    """Prints the metrics of the network, and of the simplest guesses, on the test part (line 36 of the spec).

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
        "persistence": x[:, -1, FEATURES.index("close")],  # the last known value
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
    pretrain(network, x)
    train_network(network, x, y, held_out)
    model = with_preprocessing(preprocessing, network)
    model.save(HERE / "lstm_stock.keras")
    evaluate(model, preprocessing, train, test)


if __name__ == "__main__":
    main()
