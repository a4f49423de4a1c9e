"""Pretraining below a temporary output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.ejection.layers import layer_call
from dlspec.ejection.optimizing import loss_source
from dlspec.ejection.python import Code, call, source
from dlspec.ejection.script import Script
from dlspec.ejection.stages import Column, columns, held_out_while_pretraining, loop_line, optimizers, sizes, steps_line
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import class_weights, encoding, stopping_call
from dlspec.model.layers.core import Dense
from dlspec.model.layers.recurrent import Recurrent
from dlspec.training.plan import Stage


def write_supervised(script: Script, subject: Subject, stages: Sequence[Stage]) -> list[str]:
    """Writes what trains a layer to predict the target; returns the statements of `pretrain`."""
    input_of_layer = script.use("autoencoders", "input_of_layer", "pretrain")
    end, settings = _end(stages)
    found = {**settings, **columns(stages, lambda stage: {"stopping": _stopping(stage)})}
    optimizer = optimizers(script, stages, lambda stage: _method(stage).optimizer)
    found |= {**optimizer.columns, **sizes(script, subject, stages)}
    held_out = held_out_while_pretraining(subject)
    varying = [key for key, column in found.items() if column.varies]
    shown = {key: column.shown for key, column in found.items()}
    target, loss = subject.target, subject.spec.train.loss
    assert loss is not None, "the default loss was filled in"
    output = layer_call(Dense(units=target.units, activation=target.activation), "temporary_output")
    name = script.new_name("pretrain_layer")
    lines = [
        f"def {name}({', '.join(['encoder', 'x', 'y', *held_out, *varying])}):",
        '    """Trains a layer below a temporary output to predict the target (Bengio et al., 2007)."""',
        "    inputs = code = keras.Input(x.shape[1:])",
        "    for layer in encoder:",
        "        code = layer(code)",
    ]
    lines += end
    lines.append(f"    model = keras.Model(inputs, {source(output)}(code))")
    if optimizer.knows_steps:
        lines.append(steps_line("x", found, "    "))
    lines.append("    " + source(call("model.compile", optimizer.made, loss_source(loss)), 4))
    keywords: dict[str, Any] = {"batch_size": shown["batch_size"], "epochs": shown["epochs"]}
    if held_out:
        keywords |= {"validation_data": Code("held_out"), "callbacks": [shown["stopping"]]}
    weights = class_weights(script, subject)
    if weights is not None:
        lines += weights
        keywords["class_weight"] = Code("class_weight")
    lines.append("    " + source(call("model.fit", Code("x"), Code("y"), **keywords, verbose=2), 4))
    script.define("pretrain", "\n".join(lines))
    given: list[Any] = [Code("encoder"), call(input_of_layer, Code("network"), Code("names[0]"), Code("x")), Code("y")]
    body = encoding(subject, held_out=bool(held_out))
    body.append(loop_line("names", [list(stage.encoder) for stage in stages], found))
    if held_out:
        seen = call(input_of_layer, Code("network"), Code("names[0]"), Code("held_out[0]"))
        given.append((seen, Code("held_out[1]")))
    body.append("        encoder = [network.get_layer(name) for name in names]")
    body.append("        " + source(call(name, *given, *map(Code, varying)), 8))
    return body


def _method(stage: Stage) -> Any:
    return stage.method


def _stopping(stage: Stage) -> Any:
    stopping = _method(stage).early_stopping
    return None if stopping is None else stopping_call(stopping)


def _end(stages: Sequence[Stage]) -> tuple[list[str], dict[str, Column]]:
    """The statements that make one row of a code of several axes, and what of them differs from stage to stage."""
    ends = [_end_of(stage) for stage in stages]
    if {*ends} <= {FLAT, AS_IT_IS}:  # which leaves a row as it is
        return [f"    code = {FLAT}(code)"] if FLAT in ends else [], {}
    if {*ends} == {LAST}:
        return ["    code = code[:, -1]"], {}
    if {*ends} == {LAST, AS_IT_IS}:
        return ["    if len(code.shape) == 3:  # a code for each timestep", "        code = code[:, -1]"], {}
    values = tuple(Code(FLAT if end == AS_IT_IS else end) for end in ends)
    return ["    code = end(code)"], {"end": Column("end", values)}


FLAT, LAST, AS_IT_IS = "layers.Flatten()", "lambda code: code[:, -1]", ""
"""How the code of a layer becomes a row, as source."""


def _end_of(stage: Stage) -> str:
    place = stage.place
    assert place is not None, "a pretraining stage has a place"
    if len(place.code_shape) == 3 and issubclass(place.layer.kind, Recurrent):
        return LAST
    return FLAT if len(place.code_shape) > 2 else AS_IT_IS
