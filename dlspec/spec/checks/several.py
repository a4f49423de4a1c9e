"""Rules about networks of several outputs. What is wrong with one of them, the rules for a network of one find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dlspec.evaluation.require import BEATS
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.words import did_you_mean, one_of
from dlspec.spec.checks.base import Checked
from dlspec.spec.outputs import ALL_OUTPUTS, graph_of_output, required_of_outputs, specs_of_outputs
from dlspec.spec.spec import Spec
from dlspec.training.outputs import TrainedOutput

CODE = "several-outputs"


def views_of(checked: Checked) -> Iterator[Checked]:
    """Of a network of several outputs, each as if it were the only one; else the network as it is."""
    signature = checked.signature
    if signature is None or not signature.views:
        yield checked
        return
    for name, own in specs_of_outputs(checked.spec, signature).items():
        graph = graph_of_output(checked.graph, name) if checked.graph.complete else checked.graph
        yield replace(checked, spec=own, signature=signature.views[name], graph=graph)


def several_problems(checked: Checked) -> Iterator[Diagnostic]:
    """What a network of several outputs cannot be."""
    spec = checked.spec
    outputs = spec.model.outputs if spec.has("model") else None
    if outputs is None:
        return
    if len(outputs) == 1:
        (name,) = outputs
        for key, what in (("loss", "the loss"), ("class_weight", "the `class_weight`")):
            own, of_train = getattr(outputs[name], key), getattr(spec.train, key) if spec.has("train") else None
            if own is not None and spec.is_written("train", key) and of_train not in (None, own):
                message = f"{what} of `{name}` is said here, and otherwise at the output"
                yield Diagnostic("wrong-value", message, spec.span("train", key), help="remove one of them")
        return
    yield from _said_of_one(spec, outputs)
    yield from _not_of_several(checked)
    yield from _required_of_none(spec, [*outputs])


def _said_of_one(spec: Spec, outputs: Mapping[str, TrainedOutput]) -> Iterator[Diagnostic]:
    """Keys that say of one output what each of several has for itself."""
    names, first = [*outputs], next(iter(outputs))
    if spec.is_written("data", "target") and spec.data.target not in (None, outputs[first].target):
        yield Diagnostic(
            CODE,
            f"`target` says what is predicted, and the outputs {one_of(names)} say otherwise",
            spec.key_span("data", "target"),
            help="remove `target`",
        )
    if _says_loss(spec):
        yield Diagnostic(
            CODE,
            f"each of the outputs {one_of(names)} has a loss of its own",
            spec.key_span("train", "loss"),
            help=f"write it at the output: `{first}: {{target: …, loss: …}}`",
        )
    if spec.has("train") and spec.train.class_weight is not None:
        message = "`class_weight` is of the classes of one output, and the network has several"
        help = f"write it at the output: `{first}: {{target: …, class_weight: balanced}}`"
        yield Diagnostic(CODE, message, spec.key_span("train", "class_weight"), help=help)


def _not_of_several(checked: Checked) -> Iterator[Diagnostic]:
    """What is made for networks of one output."""
    spec = checked.spec
    for entry in spec.pretraining:
        unrolls = spec.unrolls and entry is spec.pretraining[-1]
        if entry.method.needs_labels or unrolls:
            what = "then: unroll" if unrolls else entry.method.type_name
            message = f"`{what}` trains towards one output, and the network has several"
            help = "write `method: autoencoder`, and `then: fine_tune`"
            yield Diagnostic(CODE, message, spec.key_span(*entry.path), help=help)


def _required_of_none(spec: Spec, names: list[str]) -> Iterator[Diagnostic]:
    """Of several outputs `require` says of which one it speaks."""
    for output, what, _ in required_of_outputs(spec.evaluate) if spec.has("evaluate") else ():
        if output in names or (output == ALL_OUTPUTS and what == BEATS):
            continue
        key = f"{output}.{what}" if output else what
        message = f"the network has no output `{output}`" if output else f"`{what}` is of one of several outputs"
        help = did_you_mean(output, names, otherwise=one_of(names)) if output else f"write `{names[0]}.{what}: …`"
        yield Diagnostic("unknown-metric", message, spec.span("evaluate", "require", key), help=help)


def _says_loss(spec: Spec) -> bool:
    """Whether `train` names one; `loss: null`, as a spec has it that is written out, names none."""
    return spec.has("train") and spec.is_written("train", "loss") and spec.train.loss is not None
