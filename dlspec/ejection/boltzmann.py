"""Pretraining as restricted Boltzmann machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.ejection.python import Code, NotWritten, call, source, statement
from dlspec.ejection.script import Script
from dlspec.ejection.stages import (
    columns,
    held_out_while_pretraining,
    layer_of,
    loop_line,
    optimizers,
    sizes,
    steps_line,
    stops_by_held_out,
)
from dlspec.ejection.subject import Subject
from dlspec.pretraining.rbm import RBM
from dlspec.training.optimizers import Optimizer
from dlspec.training.plan import Stage

UNITS = {"sigmoid": "binary", "bernoulli": "binary", "linear": "gaussian", "gaussian": "gaussian", "relu": "rectified"}
"""Activation of hidden units, or kind of visible ones -> the function of the snippet."""
USUAL = {"gibbs_steps": 1, "weight_decay": 0.0}
IN_LOOP = " " * 8


def write_boltzmann(script: Script, subject: Subject, stages: Sequence[Stage]) -> list[str]:
    """Copies what trains the machines; returns the statements of `pretrain`."""
    settings = columns(stages, lambda stage: _settings(script, stage))
    optimizer = optimizers(script, stages, lambda stage: _optimizer(_method(stage)))
    persistent = any(_method(stage).persistent for stage in stages)
    held_out = held_out_while_pretraining(subject)
    name = "pretrain_rbm_with_patience" if held_out else "pretrain_rbm_by_chains" if persistent else "pretrain_rbm"
    train = script.use("rbm", name, "pretrain")
    input_of_layer = script.use("autoencoders", "input_of_layer", "pretrain")
    size = sizes(script, subject, stages)
    names = [layer_of(stage).name for stage in stages]
    patience = settings.pop("patience")
    watched = {"patience": patience} if held_out else {}
    lines = [
        loop_line("name", names, {**settings, **watched, **optimizer.columns, **size}),
        f"{IN_LOOP}layer, seen = network.get_layer(name), {input_of_layer}(network, name, x)",
    ]
    if optimizer.knows_steps:
        lines.append(steps_line("seen", size, IN_LOOP))
    lines.append(IN_LOOP + statement("optimizer", optimizer.made, 8))
    given = {key: column.shown for key, column in settings.items()}
    units = given.pop("hidden"), given.pop("visible")
    keywords = {key: value for key, value in given.items() if value != USUAL[key]}
    counts = size["epochs"].shown, size["batch_size"].shown
    seen = [Code("seen"), *(call(input_of_layer, Code("network"), Code("name"), Code(each)) for each in held_out)]
    more = [patience.shown] if held_out else []
    made = call(train, Code("layer"), *seen, *units, Code("optimizer"), *counts, *more, **keywords)
    if not subject.graph.unrolled:
        return [*lines, IN_LOOP + source(made, 8)]
    back = IN_LOOP + statement("back", made, 8)
    return [*lines, back, f'{IN_LOOP}network.get_layer(f"{{name}}_mirror").set_weights(back)']


def _method(stage: Stage) -> RBM:
    assert isinstance(stage.method, RBM), "its stages have this method"
    return stage.method


def _settings(script: Script, stage: Stage) -> dict[str, Any]:
    method, place, layer = _method(stage), stage.place, layer_of(stage)
    assert place is not None, "a pretraining stage has a place"
    if not getattr(layer.layer, "use_bias", True):
        raise NotWritten(f"`{layer.name}` has no bias, which the hidden units of a script's RBM have")
    stopping = method.early_stopping
    patience = None
    if stopping is not None and stops_by_held_out(method):
        given = {key: getattr(stopping, key) for key in ("min_delta", "start_from_epoch", "restore_best_weights")}
        usual = {"min_delta": 0.0, "start_from_epoch": 0, "restore_best_weights": True}
        changed = {key: value for key, value in given.items() if value != usual[key]}
        patience = call(script.use("rbm", "Patience", "pretrain"), stopping.patience, **changed)
    elif stopping is not None:
        watched = "chains that persist" if method.persistent else f"`monitor: {stopping.monitor}`"
        script.leave_out(f"`early_stopping` of RBMs with {watched}: each is trained for all its epochs")
    if any(getattr(layer.layer, key, None) is not None for key in ("kernel_regularizer", "bias_regularizer")):
        script.leave_out("regularizers of layers while these are pretrained as RBMs")
    return {
        "hidden": script.use("rbm", UNITS[method.hidden(place)], "pretrain"),
        "visible": script.use("rbm", UNITS[method.visible_of(place)], "pretrain"),
        "gibbs_steps": method.gibbs_steps,
        "weight_decay": method.weight_decay,
        "patience": patience,
    }


def _optimizer(method: RBM) -> Optimizer:
    """The optimizer with the momentum that stands beside it."""
    changed = {} if method.momentum is None else {"momentum": method.momentum}
    return method.optimizer.model_copy(update=changed)
