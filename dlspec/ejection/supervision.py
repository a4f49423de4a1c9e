"""Pretraining below a temporary output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.ejection.layers import layer_call
from dlspec.ejection.optimizing import loss_source
from dlspec.ejection.python import Code, call, source
from dlspec.ejection.script import Script
from dlspec.ejection.stages import columns, held_out_while_pretraining, loop_line, optimizers, sizes, steps_line
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import stopping_call
from dlspec.model.layers.core import Dense
from dlspec.model.layers.recurrent import Recurrent
from dlspec.training.plan import Stage


def write_supervised(script: Script, subject: Subject, stages: Sequence[Stage]) -> list[str]:
    """Writes what trains a layer to predict the target; returns the statements of `pretrain`."""
    input_of_layer = script.use("autoencoders", "input_of_layer", "pretrain")
    found = columns(stages, lambda stage: {"end": _end(stage), "stopping": _stopping(stage)})
    optimizer = optimizers(script, stages, lambda stage: _method(stage).optimizer)
    found |= {**optimizer.columns, **sizes(script, subject, stages)}
    held_out = held_out_while_pretraining(subject)
    varying = [key for key, column in found.items() if column.varies]
    shown = {key: column.shown for key, column in found.items()}
    target, loss = subject.target, subject.spec.train.loss
    assert loss is not None, "the default loss was filled in"
    output = layer_call(Dense(units=target.units, activation=target.activation))
    name = script.new_name("pretrain_layer")
    lines = [
        f"def {name}({', '.join(['encoder', 'x', 'y', *held_out, *varying])}):",
        '    """Trains a layer below a temporary output to predict the target (Bengio et al., 2007)."""',
        "    inputs = code = keras.Input(x.shape[1:])",
        "    for layer in encoder:",
        "        code = layer(code)",
    ]
    if shown["end"] is not None:
        lines.append(f"    code = {shown['end']}")
    lines.append(f"    model = keras.Model(inputs, {source(output)}(code))")
    if optimizer.knows_steps:
        lines.append(steps_line("x", found, "    "))
    lines.append("    " + source(call("model.compile", optimizer.made, loss_source(loss)), 4))
    keywords: dict[str, Any] = {"batch_size": shown["batch_size"], "epochs": shown["epochs"]}
    if held_out:
        keywords |= {"validation_data": Code("held_out"), "callbacks": [shown["stopping"]]}
    lines.append("    " + source(call("model.fit", Code("x"), Code("y"), **keywords, verbose=2), 4))
    script.define("pretrain", "\n".join(lines))
    given: list[Any] = [Code("encoder"), call(input_of_layer, Code("network"), Code("names[0]"), Code("x")), Code("y")]
    body = [loop_line("names", [list(stage.encoder) for stage in stages], found)]
    if held_out:
        seen = call(input_of_layer, Code("network"), Code("names[0]"), Code("held_out[0]"))
        given.append((seen, Code("held_out[1]")))
    body.append("        encoder = [network.get_layer(name) for name in names]")
    body.append("        " + source(call(name, *given, *map(Code, varying)), 8))
    if subject.spec.train.class_weight is not None:
        script.leave_out("`class_weight` while layers are pretrained")
    return body


def _method(stage: Stage) -> Any:
    return stage.method


def _stopping(stage: Stage) -> Any:
    stopping = _method(stage).early_stopping
    return None if stopping is None else stopping_call(stopping)


def _end(stage: Stage) -> Code | None:
    """What makes one row of a code of several axes."""
    place = stage.place
    assert place is not None, "a pretraining stage has a place"
    if len(place.code_shape) == 3 and issubclass(place.layer.kind, Recurrent):
        return Code("code[:, -1]")
    return Code("layers.Flatten()(code)") if len(place.code_shape) > 2 else None
