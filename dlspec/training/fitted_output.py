"""The weights of `output` that are computed after training, where the loss is of what comes to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.data.signature import Target
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.training.losses import Loss
from dlspec.training.losses.pairs import Contrastive
from dlspec.training.values import predict

Array = np.ndarray
LARGEST_FACTOR = 1e6
"""Of logits, at most; at least its inverse."""


def output_layer(network: Any) -> Any:
    """The layer that a Keras network ends in."""
    return network.outputs[0]._keras_history.operation


def network_below(network: Any, name: str) -> Any:
    """The part of a network that leads to the input of its output layer, as a model that shares its layers.

    Args:
        name: of the output layer.
    """
    import keras

    return keras.Model(network.input, network.get_layer(name).input, name=f"{network.name}_below_{name}")


def fit_output(network: Any, name: str, loss: Loss, data: Prepared) -> None:
    """Computes the weights of the output layer of a trained network, in place.

    What comes to it is that of the mode of use. The same network and data give the same weights, so that a run that
    goes on has those of one that was not stopped.

    Args:
        name: of the output layer.
        loss: by which the layers below were trained.

    Raises:
        TrainingError: what comes to the output layer is no finite number.
    """
    below, target = network_below(network, name), data.signature.target
    held_out = data.validation if len(data.validation) else data.train
    codes = predict(below, held_out.inputs).astype("float64")
    if not np.isfinite(codes).all():
        raise TrainingError.of(
            "loss-not-finite",
            f"what the trained network gives to `{name}` is no finite number",
            help="lower `learning_rate` under `train`, or add `clipnorm: 1` to the optimizer",
        )
    if isinstance(loss, Contrastive):
        kernel, bias = _of_distances(codes[:, 0], held_out, loss, target)
    else:
        means = class_means(predict(below, data.train.inputs), data.train, len(target.classes))
        kernel, bias = _of_class_means(means, codes, held_out)
        if target.by_one_unit:  # the second class against the first
            kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    layer = network.get_layer(name)
    layer.kernel.assign(kernel.astype("float32"))
    layer.bias.assign(bias.astype("float32"))


def class_means(codes: Array, part: Part, classes: int) -> Array:
    """The mean code of each class, (classes, units) float64, weighted where samples have weights.

    A class without a sample has the mean of all codes, moved as far away as all codes lie at most: it is never the
    nearest.

    Args:
        codes: of the samples of the part, (samples, units).
    """
    codes, truth = codes.astype("float64"), np.asarray(part.truth)
    weights = np.ones(len(truth)) if part.weights is None else np.asarray(part.weights, "float64")
    sums, counts = np.zeros((classes, codes.shape[1])), np.zeros(classes)
    np.add.at(sums, truth, codes * weights[:, None])
    np.add.at(counts, truth, weights)
    far = codes.mean(axis=0) + 4 * np.abs(codes - codes.mean(axis=0)).max(initial=1.0)
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1e-300)[:, None], far)


def _of_class_means(means: Array, codes: Array, held_out: Part) -> tuple[Array, Array]:
    """Kernel and bias by which logits are minus the squared distance to each mean, up to what all classes share, times
    the factor that fits the held-out part best.

    What all share is chosen so that numbers stay small where all codes lie far from 0.
    """
    middle = means.mean(axis=0)
    kernel, bias = 2 * (means - middle).T, -((means - middle) * (means + middle)).sum(axis=1)
    factor = best_factor(codes @ kernel + bias, np.asarray(held_out.truth), held_out.weights)
    return factor * kernel, factor * bias


def best_factor(logits: Array, truth: Array, weights: Array | None) -> float:
    """The factor of logits at which the log loss is smallest (temperature scaling: Guo et al., 2017).

    As if one more sample had been of the likeliest other class (Platt, 1999), so that it stays finite where all samples
    are told rightly. The log loss is convex in it; where its slope is 0 is found by halving.

    Args:
        logits: of samples, (samples, classes).
        truth: their class numbers, (samples,).
        weights: how much each counts, (samples,); None: all alike.
    """
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, "float64")
    own = logits[np.arange(len(truth)), truth]
    others = logits.copy()
    others[np.arange(len(truth)), truth] = -np.inf
    wrong = 1 / (len(truth) + 2)
    wanted = (1 - wrong) * own + wrong * others.max(axis=1)

    def slope(factor: float) -> float:
        scaled = factor * logits
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return float((weights * ((shares * logits).sum(axis=1) - wanted)).sum())

    low, high = -np.log(LARGEST_FACTOR), np.log(LARGEST_FACTOR)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return float(np.exp(low))


def _of_distances(distances: Array, held_out: Part, loss: Contrastive, target: Target) -> tuple[Array, Array]:
    """Kernel, (1, 1), and bias, (1,), of the logit of the second class, by a logistic regression on distances.

    The truths are moved towards each other by what so many samples tell (Platt, 1999), so that weights stay finite
    where distances part the classes. Pairs never become the likelier the same the farther apart they are.
    """
    same = loss.same_of(target.classes)
    is_same = np.asarray(held_out.truth) == target.classes.index(same or target.classes[-1])
    weights = np.ones(len(is_same)) if held_out.weights is None else np.asarray(held_out.weights, "float64")
    weights = weights / weights.mean()
    slope, offset = logistic(distances, is_same, weights)
    sign = 1.0 if target.classes[-1] == same else -1.0
    return np.array([[sign * slope]]), np.array([sign * offset])


def logistic(distances: Array, is_same: Array, weights: Array) -> tuple[float, float]:
    """Slope, at most 0, and offset of the logit that a pair is one of the same (Platt, 1999), by Newton's method.

    Args:
        distances: (pairs,).
        is_same: (pairs,) bool.
        weights: how much each pair counts, (pairs,), 1 in the mean.
    """
    many, few = float(weights[is_same].sum()), float(weights[~is_same].sum())
    truth = np.where(is_same, (many + 1) / (many + 2), 1 / (few + 2))
    offset = float(np.log((many + 1) / (few + 1)))
    spread = float(distances.std()) or 1.0
    x = np.stack([(distances - distances.mean()) / spread, np.ones(len(distances))], axis=1)

    def log_loss(at: Array) -> float:
        logits = x @ at
        return float((weights * (np.logaddexp(0, logits) - truth * logits)).sum())

    found = np.array([0.0, offset])
    for _ in range(100):
        shares = np.exp(-np.logaddexp(0, -(x @ found)))
        gradient = x.T @ (weights * (shares - truth))
        curvature = (x * (weights * shares * (1 - shares))[:, None]).T @ x + 1e-10 * np.eye(2)
        step, length = np.linalg.solve(curvature, gradient), 1.0
        while log_loss(found - length * step) > log_loss(found) and length > 1e-8:
            length /= 2
        found = found - length * step
        if np.abs(length * step).max() < 1e-10:
            break
    slope = found[0] / spread
    if slope >= 0:  # distances say nothing, or the reverse: all pairs are as likely
        return 0.0, offset
    return float(slope), float(found[1] - slope * distances.mean())
