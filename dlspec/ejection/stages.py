"""What stages of pretraining have in common, and what differs from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dlspec.ejection.optimizing import needs_steps, optimizer_call
from dlspec.ejection.python import Call, Code, literal, source
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.model.graph import GraphLayer
from dlspec.pretraining.rbm import RBM
from dlspec.training.optimizers import Optimizer
from dlspec.training.plan import Stage, StageMethod, code_of

STEPS = Code("steps")
"""The variable that holds how many weight updates a stage has."""


@dataclass(frozen=True)
class Column:
    """A setting of all stages.

    Args:
        name: of the variable that holds it in the loop, where it differs.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def varies(self) -> bool:
        return len({literal(value) for value in self.values}) > 1

    @property
    def shown(self) -> Any:
        """How the body of the loop says it."""
        return Code(self.name) if self.varies else self.values[0]


def columns(stages: Sequence[Stage], settings: Callable[[Stage], Mapping[str, Any]]) -> dict[str, Column]:
    """The settings of all stages, by name."""
    rows = [settings(stage) for stage in stages]
    return {key: Column(key, tuple(row[key] for row in rows)) for key in rows[0]}


def sizes(script: Script, subject: Subject, stages: Sequence[Stage]) -> dict[str, Column]:
    """Epochs and batch size: a constant where all stages have the same."""
    found = columns(stages, lambda stage: {"epochs": stage.epochs, "batch_size": stage.batch_size})
    for key, column in found.items():
        if not column.varies:
            line = subject.line("pretrain", key) or "by default"
            found[key] = Column(key, (script.constant(f"pretrain_{key}", column.values[0], "pretrain", line),))
    return found


class Optimizers(NamedTuple):
    """The optimizers of all stages.

    Args:
        made: what makes that of a stage.
        columns: the arguments of it that differ from stage to stage.
        knows_steps: whether one of them must know how many weight updates there are.
    """

    made: Any
    columns: dict[str, Column]
    knows_steps: bool


def optimizers(script: Script, stages: Sequence[Stage], of: Callable[[Stage], Optimizer]) -> Optimizers:
    """What makes the optimizer of each stage."""
    calls = [optimizer_call(script, "pretrain", of(stage), STEPS) for stage in stages]
    knows = any(needs_steps(of(stage)) for stage in stages)
    forms = {(made.name, len(made.args), tuple(made.keywords)) for made in calls}
    if len(forms) > 1:  # of different kinds
        made = [Code(f"lambda {STEPS}: {literal(made)}") if knows else made for made in calls]
        column = Column("optimizer", tuple(made))
        return Optimizers(Code(f"optimizer({STEPS})") if knows else Code("optimizer"), {"optimizer": column}, knows)
    first, found = calls[0], {}
    names = ("learning_rate", *(f"argument_{i}" for i in range(1, len(first.args))))
    for i, name in enumerate(names[: len(first.args)]):
        found[name] = Column(name, tuple(made.args[i] for made in calls))
    for name in first.keywords:
        found[name] = Column(name, tuple(made.keywords[name] for made in calls))
    args = tuple(found[name].shown for name in names[: len(first.args)])
    whole = Call(first.name, args, {name: found[name].shown for name in first.keywords})
    return Optimizers(whole, {name: column for name, column in found.items() if column.varies}, knows)


def loop_line(variable: str, values: Sequence[Any], found: Mapping[str, Column]) -> str:
    """`for name, … in (…):` with what differs from stage to stage, in a function."""
    varying = {key: column for key, column in found.items() if column.varies}
    names = ", ".join([variable, *varying])
    rows = [(value, *(column.values[i] for column in varying.values())) for i, value in enumerate(values)]
    shown = tuple(rows) if varying else tuple(values)
    return f"    for {names} in {source(shown, 4, 8 + len(names), 1)}:"


def steps_line(data: str, found: Mapping[str, Column], indent: str) -> str:
    """How many weight updates a stage has."""
    batch, epochs = literal(found["batch_size"].shown), literal(found["epochs"].shown)
    return f"{indent}{STEPS} = math.ceil(len({data}) / {batch}) * {epochs}"


def layer_of(stage: Stage) -> GraphLayer:
    """The layer that a stage pretrains."""
    assert stage.layer is not None, "a pretraining stage has a layer"
    return stage.layer


def mirrors(subject: Subject, layer: GraphLayer) -> list[str]:
    """Of an unrolled network, the layers with weights of the decoder that lead back through a layer."""
    code = code_of(subject.graph, layer)
    return [other.name for other in subject.graph.layers if other.mirrors in code and other.layer.has_weights]


def held_out_while_pretraining(subject: Subject) -> list[str]:
    """`held_out`, where stages stop by samples that they are not trained on."""
    methods = [stage.method for stage in subject.plan.pretraining]
    stops = any(method is not None and stops_by_held_out(method) for method in methods)
    return ["held_out"] if stops and len(subject.data.validation) else []


def stops_by_held_out(method: StageMethod) -> bool:
    """Whether a stage of it ends by what it makes of samples that it is not trained on."""
    if method.early_stopping is None or not isinstance(method, RBM):
        return method.early_stopping is not None
    return method.early_stopping.monitor == "val_loss" and not method.persistent
