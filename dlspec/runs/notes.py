"""What a reader should know of a training that went on to its end and yet went wrong: a loss that never moved, units
that are dead, a validation part that says little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.sample_size import WIDEST, apart, judges_little, wilson_interval
from dlspec.evaluation.metrics import show_number
from dlspec.language.words import one_of
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers import LayerSpec
from dlspec.model.layers.activations import ReLU
from dlspec.model.layers.core import Lookup
from dlspec.model.mixtures import FLOOR
from dlspec.runs.collapsed import collapsed_units
from dlspec.runs.job import Job, new_network
from dlspec.runs.records.data import Parts
from dlspec.spec.planning import choice_by_validation
from dlspec.training.optimizers import Optimizer

if TYPE_CHECKING:
    from dlspec.data.preparation import Part, Prepared
    from dlspec.data.signature import Target
    from dlspec.evaluation.evaluate import Evaluation
    from dlspec.training.progress import HistoryRow

Array = np.ndarray

LOOKED_AT = 500
"""Samples of the training part that the trained network is looked at with."""
FEWEST_EPOCHS = 4
"""A loss of fewer epochs says nothing of whether it moves."""
MOVED = 0.01
"""A loss moves that falls by a hundredth at least, and by more than it scatters."""
SCATTER = 1.15
"""Times how much it bends from epoch to epoch in the median that a loss must fall by: of noise about the best, that is
two standard deviations. A loss that falls evenly does not bend."""
LEARNED = 0.02
"""A network has learned something that does better than one guess for all samples by so much of that guess's loss."""
NOTHING = 1e-9
"""A guess that is no worse than this leaves nothing to learn."""
LARGE_INPUT = 100
"""Inputs beyond this drive units far from where they learn."""
AT_ONCE = 2**26
"""Values that the layers put out, which are in memory together while units are looked at."""
RELUS = ("relu", "relu6")
CONSTANT = ("mean", "majority", "quantiles", "gaussian")
"""Baselines that are one guess for all samples."""


def remarks(
    job: Job,
    history: Sequence[HistoryRow],
    network: Any,
    facts: Mapping[str, Mapping[str, float]],
    evaluation: Evaluation,
) -> list[str]:
    """All of them, in sentences.

    Args:
        history: a row for every epoch of every stage.
        facts: layer -> what was seen of it after pretraining.
    """
    from dlspec.training.values import predict

    data, graph = job.data, job.plan.graph
    some = data.train.at(np.unique(np.linspace(0, len(data.train) - 1, LOOKED_AT).astype(int)))
    known = {name for name, found in facts.items() if _is_large(found["dead_units"], found["units"])}
    dead = [found for found in dead_relus(graph, network, some.inputs) if found.name not in known]
    found = dead_layers(facts)
    for stage in job.plan.pretraining:
        assert stage.method is not None, "a pretraining stage has a method"
        losses = [row.loss for row in history if row.stage == stage.name]
        found_out = facts.get(stage.layer.name, {}).get("explained", 0.0) if stage.layer else 0.0
        if found_out < LEARNED and not moves(losses):
            cure = _other_rate(stage.method.optimizer, stage.set_in)
            found.append(_never_moved(losses, f" of `{stage.name}`", cure))
    losses = [row.loss for row in history if row.stage.startswith("fine_tune")]
    if not moves(losses):
        own, start = (predict(model, some.inputs) for model in (network, new_network(job.spec, job.plan, data)))
        if not learned(data, some, own, start):
            found.append(_never_moved(losses, "", _cure(job, some, bool(dead or known), evaluation.losses)))
    found += map(_of_dead, dead)
    return [*found, *collapsed_units(graph, network, some.inputs), *_small_validation(job, network, evaluation)]


# --- a loss that never moves


def moves(losses: Sequence[float]) -> bool:
    """Whether a loss fell from the first epoch to the best, by more than it scatters from epoch to epoch.

    Single lucky epochs do not count: the best is the lowest median of three that follow each other. Of fewer than
    `FEWEST_EPOCHS` epochs, and of a loss of zero, nothing is said.
    """
    if len(losses) < FEWEST_EPOCHS or losses[0] == 0:
        return True
    medians = [median(losses[i : i + 3]) for i in range(1, len(losses) - 2)]
    best = min(medians)
    fall = losses[: medians.index(best) + FEWEST_EPOCHS]  # what comes after may rise again
    bends = [abs(one - 2 * two + three) for one, two, three in zip(fall, fall[1:], fall[2:], strict=False)]
    return losses[0] - best > max(MOVED * abs(losses[0]), SCATTER * median(bends))


def learned(data: Prepared, part: Part, outputs: Array, at_first: Array) -> bool:
    """Whether a network does better than it did untrained, and than one guess for all samples; also where there is
    nothing to learn, since all have the same target.

    Args:
        outputs: of the network for the samples of the part.
        at_first: the same before training.
    """
    from dlspec.data.preparation import class_shares

    kind, targets = data.signature.target.kind, np.asarray(part.targets)
    if kind == "class":
        truth = np.asarray(part.truth).reshape(-1)
        outputs, at_first = (shares.reshape(-1, shares.shape[-1])[truth >= 0] for shares in (outputs, at_first))
        truth = truth[truth >= 0]
        all_alike = np.bincount(truth, minlength=len(data.signature.target.classes)) / len(truth)
        guesses = [
            class_shares(outputs),
            class_shares(at_first),
            np.broadcast_to(all_alike, (len(truth), len(all_alike))),
        ]
        right, *other = (float((shares.argmax(axis=1) == truth).mean()) for shares in guesses)
        if right > max(other) + LEARNED:
            return True
        losses = [_log_loss(shares[np.arange(len(truth)), truth]) for shares in guesses]
    elif data.signature.target.form != "value":
        losses = _losses_by_values(data.signature.target, targets.reshape(len(targets), -1), outputs, at_first)
        if data.signature.target.mixture:  # a likelihood may be zero: no share of it can be taken
            return losses[0] < min(losses[1:]) - LEARNED
    else:
        targets = targets.reshape(len(targets), -1).astype("float64")
        guesses = [values.reshape(len(values), -1) for values in (outputs, at_first)] + [targets.mean(axis=0)]
        if kind == "labels":
            losses = [_log_loss(np.where(targets == 1, shares, 1 - shares)) for shares in guesses]
        else:
            losses = [float(((targets - values) ** 2).mean()) for values in guesses]
    own, first, guess = losses
    return guess < NOTHING or own < (1 - LEARNED) * min(first, guess)


def _losses_by_values(target: Target, truth: Array, outputs: Array, at_first: Array) -> list[float]:
    """What quantiles or mixtures are judged by, at the scale of the network: of it, of the untrained one, and of one
    guess for all samples.

    Args:
        truth: (samples, numbers).
    """
    from dlspec.evaluation.fitted_quantiles import quantiles_of_columns
    from dlspec.evaluation.mixtures import as_mixtures
    from dlspec.evaluation.verdict import losses

    truth = truth.astype("float64")
    if target.mixture:
        guess = as_mixtures(truth.mean(axis=0), np.maximum(truth.std(axis=0), FLOOR))
    else:
        guess = quantiles_of_columns(truth, target.levels)
    guesses = [outputs, at_first, np.broadcast_to(guess, (len(truth), *guess.shape))]
    return [float(losses(target.form, truth, own.astype("float64"), levels=target.levels).mean()) for own in guesses]


def _log_loss(given: Array) -> float:
    """Of the probabilities that were given to the truth."""
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


def _never_moved(losses: Sequence[float], of: str, cure: str) -> str:
    """The sentence of it.

    Args:
        of: what the loss is of; empty: the whole network.
    """
    first, best, last = losses[0], min(losses), max(losses[1:])
    epochs = f"the first of {len(losses)} epochs"
    if best >= first:
        says = f"did not fall below the {show_number(first)} of {epochs}"
    elif first - best > MOVED * abs(first):
        says = f"goes up and down without falling: {show_number(first)} in {epochs}, then {show_number(best)} to "
        says += show_number(last)
    else:
        place = losses.index(best) + 1
        says = f"hardly fell: {show_number(first)} in {epochs}, {show_number(best)} in the best, epoch {place}"
    return f"The training loss{of} {says}; next to nothing was learned. {cure}"


def a_baseline_learned(data: Prepared, losses: Mapping[str, Array]) -> bool | None:
    """Whether a baseline does better on the test part than one guess for all samples; None: none of them tries to.

    Args:
        losses: of the test part, of the network and each baseline.
    """
    from dlspec.evaluation.baselines import BASELINES
    from dlspec.evaluation.fitted_sequences import FittedText
    from dlspec.evaluation.verdict import losses_of

    tried = [own for name, own in losses.items() if name not in ("network", *CONSTANT)]
    if not tried:
        return None
    kind, targets = data.signature.target.kind, np.asarray(data.train.targets)
    if data.signature.target.written:
        guess = FittedText.most_frequent(data.train).guess(data.test)
    elif kind == "class":
        counts = np.bincount(np.asarray(data.train.truth), minlength=len(data.signature.target.classes))
        guess = np.broadcast_to(counts / counts.sum(), (len(data.test), len(counts)))
    elif data.signature.target.form != "value":
        constant = BASELINES.read("gaussian" if data.signature.target.mixture else "quantiles")
        guess = constant.fit(data).guess(data.test)
    else:
        mean = targets.reshape(len(targets), -1).mean(axis=0, dtype="float64")
        guess = data.to_units(np.broadcast_to(mean, (len(data.test), len(mean))), data.test)
    if data.signature.target.mixture:  # a likelihood may be zero: no share of it can be taken
        return min(float(own.mean()) for own in tried) < float(losses_of(data, guess).mean()) - LEARNED
    return min(float(own.mean()) for own in tried) < (1 - LEARNED) * float(losses_of(data, guess).mean())


def _cure(job: Job, part: Part, dead: bool, losses: Mapping[str, Array]) -> str:
    """What to try so that fine-tuning moves.

    Args:
        losses: see `a_baseline_learned`.
    """
    if dead:
        return "Most units of a layer are dead: nothing is learned through them."
    scaled = job.spec.data.scale
    inputs = np.asarray(part.inputs)
    words = any(isinstance(layer.layer, Lookup) for layer in job.plan.graph.layers)
    largest = float(np.abs(inputs).max(initial=0)) if inputs.dtype.kind == "f" and not words else 0.0
    if largest > LARGE_INPUT:
        instead = "" if scaled == "standard" else ", as `scale: standard` under `data` does"
        return f"The inputs reach {show_number(largest)}: bring them near to 1{instead}."
    if a_baseline_learned(job.data, losses) is False:
        names = one_of([name for name in losses if name not in ("network", *CONSTANT)])
        what = f"`{job.data.signature.target.name}`" if job.data.signature.target.names else "what is asked for"
        return f"Nor did {names} learn more than one guess for all samples: the inputs may say nothing about {what}."
    return _other_rate(job.spec.train.optimizer, "under `train`")


def _other_rate(optimizer: Optimizer, where: str) -> str:
    """Which learning rate to try instead of that in use."""
    rate, usual = optimizer.learning_rate, type(optimizer)().learning_rate
    if rate <= usual / 10:
        return f"Steps may be too small: try a larger `learning_rate` {where} than {rate:g}, such as {usual:g}."
    if rate >= 10 * usual:
        return f"Steps may be too large: try a smaller `learning_rate` {where} than {rate:g}, such as {usual:g}."
    return f"Try a `learning_rate` {where} of {10 * rate:g} or {rate / 10:g} instead of {rate:g}."


# --- dead units


def _is_large(dead: float, units: float) -> bool:
    """Whether so many dead units are worth a remark: two thirds or more. Some are usual, also half of them."""
    return 3 * dead >= 2 * units


def dead_layers(facts: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What to say of layers most of whose units put out the same whatever they see."""
    return [
        f"After pretraining {found['dead_units']:g} of {found['units']:g} units of `{name}` were dead: they put out "
        "the same whatever comes. A lower learning rate under `pretrain` may help."
        for name, found in facts.items()
        if _is_large(found["dead_units"], found["units"])
    ]


@dataclass(frozen=True)
class Dead:
    """A layer with `relu`, and how many of its units put out 0 for every sample looked at.

    Args:
        what: `units`, or `channels` of a convolution, which are dead where they are 0 at every place.
        samples: how many were looked at.
    """

    name: str
    dead: int
    units: int
    what: str
    samples: int


def dead_relus(graph: Graph, network: Any, inputs: Array) -> list[Dead]:
    """Layers most of whose units are dead after training. A layer that is used several times is dead where
    it is at each of them."""
    import keras

    from dlspec.training.values import as_array

    given = {one.name for one in graph.inputs}
    looked: list[tuple[str, GraphLayer]] = []
    tensors = []
    own = {id(node) for nodes in network._nodes_by_depth.values() for node in nodes}
    uses = Counter[str]()
    for layer in graph.layers:
        if layer.name not in graph.reached:
            continue
        owner = layer.shares or layer.name
        if _has_relu(layer.layer) and not (_is_bare(layer.layer) and graph.origin(layer.inputs[0]) in given):
            calls = [node for node in network.get_layer(owner)._inbound_nodes if id(node) in own]
            tensors.append(calls[uses[owner]].outputs[0])
            looked.append((owner, layer))
        uses[owner] += 1
    if not looked:
        return []
    model = keras.Model(network.input, tensors)
    alive: dict[str, Array] = {}
    at_once = max(1, AT_ONCE // max(1, graph.activations))
    for first in range(0, len(inputs), at_once):
        outputs = model(np.asarray(inputs[first : first + at_once]), training=False)
        for (owner, layer), output in zip(looked, outputs if isinstance(outputs, list) else [outputs], strict=True):
            values = np.moveaxis(as_array(output), _channels(layer.layer), -1)
            seen = (values > 0).reshape(-1, values.shape[-1]).any(axis=0)
            alive[owner] = seen | alive.get(owner, np.zeros_like(seen))
    return [
        Dead(name, int((~seen).sum()), len(seen), _units_of(graph[name]), len(inputs))
        for name, seen in alive.items()
        if _is_large(int((~seen).sum()), len(seen))
    ]


def _units_of(layer: GraphLayer) -> str:
    return "channels" if len(layer.output_shape or ()) > 3 or hasattr(layer.layer, "filters") else "units"


def _has_relu(layer: LayerSpec) -> bool:
    if isinstance(layer, ReLU):
        return not layer.negative_slope
    inner = [one for one, _ in layer.inner()] if hasattr(layer, "inner") else []
    return getattr(layer, "activation", None) in RELUS or any(map(_has_relu, inner))


def _is_bare(layer: LayerSpec) -> bool:
    """Whether it has no weights, so that its units are what comes in."""
    return not layer.has_weights


def _channels(layer: LayerSpec) -> int:
    """The axis of the units."""
    wrapped = [one for one, _ in layer.inner()] if hasattr(layer, "inner") else []
    if getattr((wrapped or [layer])[0], "channels_first", False):
        return 2 if wrapped else 1
    return -1


def _of_dead(found: Dead) -> str:
    return (
        f"After training {found.dead} of {found.units} {found.what} of `{found.name}` were dead: `relu` puts out 0 for "
        f"each of the {found.samples:,} training samples looked at. A lower learning rate, or `leaky_relu`, may help."
    )


# --- a validation part that is too small


def _small_validation(job: Job, network: Any, evaluation: Evaluation) -> Iterator[str]:
    """What the accuracy is worth that something was chosen by. Of a part that is worth nothing whatever the accuracy,
    the data check has spoken."""
    from dlspec.training.values import predict

    data, chosen = job.data, choice_by_validation(job.spec)
    part, few = data.validation, apart(data, len(data.validation))
    if (
        data.signature.target.kind != "class"
        or data.signature.target.written
        or not few
        or not chosen
        or judges_little(data, len(part))
    ):
        return
    low, high = wilson_interval(few / 2, few)
    if high - low <= WIDEST:  # the widest that it can be
        return
    accuracy = evaluation.validation.get("accuracy")
    if accuracy is None:
        shares = data.to_units(predict(network, part.inputs), part)
        accuracy = float((shares.argmax(axis=1) == np.asarray(part.truth)).mean())
    low, high = wilson_interval(accuracy * few, few)
    if high - low > WIDEST:
        what = "windows" if data.signature.window else "samples"
        alike = f", which overlap and are worth {few}" if few < len(part) else ""
        yield (
            f"The validation part has {len(part):,} {what}{alike}: its accuracy of {accuracy:.0%} could be anything "
            f"from {low:.0%} to {high:.0%} by chance{chosen}."
        )


def small_folds(data: Prepared, parts: Sequence[Parts]) -> list[str]:
    """What to say of folds whose validation part is too small, where that of the fold that is shown is not."""
    small = [own.validation for own in parts if own.validation and judges_little(data, own.validation)]
    if not small or judges_little(data, len(data.validation)):
        return []
    folds = f"{len(small)} of {len(parts)} folds"
    return [f"In {folds} the validation part judges little: the smallest has {min(small):,} samples."]
