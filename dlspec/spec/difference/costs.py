"""What two specs cost and what their networks take and give, side by side, and the stages of their training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.quantities import count_bytes, show_bytes
from dlspec.language.shapes import Shape, show_shape
from dlspec.spec.checks import Checked
from dlspec.spec.other_run import taken_layers
from dlspec.spec.planning import count_samples, make_plan
from dlspec.training.estimates import count_of, training_memory, work_of
from dlspec.training.plan import Plan, Stage

Kind = Literal["count", "bytes", "shapes"]
Value = int | tuple[Shape | None, ...]


@dataclass(frozen=True)
class Total:
    """Something that a spec comes to.

    Args:
        kind: a number, bytes, or a list of shapes, the batch first.
        old, new: None where it is not known.
        allowed: what `budget` of the new spec allows.
    """

    name: str
    kind: Kind
    old: Value | None
    new: Value | None
    allowed: int | None = None

    @property
    def differs(self) -> bool:
        return self.old != self.new

    @property
    def difference(self) -> int | None:
        return self.new - self.old if isinstance(self.old, int) and isinstance(self.new, int) else None

    @property
    def percent(self) -> float | None:
        if self.difference is None or not self.old or not isinstance(self.old, int):
            return None
        return round(100 * self.difference / self.old, 2)

    def show(self, value: Value | None) -> str:
        if value is None:
            return "not known"
        if isinstance(value, tuple):
            return ", ".join(map(show_shape, value))
        return show_bytes(value) if self.kind == "bytes" else f"{value:,}"

    @property
    def change(self) -> str:
        """`+10,631 (+35.0%)`, and how that is with `budget`."""
        parts = []
        if self.difference is not None:
            size = self.show(abs(self.difference))
            percent = "" if self.percent is None else f" ({self.percent:+.1f}%)"
            parts.append(f"{'-' if self.difference < 0 else '+'}{size}{percent}")
        if self.allowed is not None and isinstance(self.new, int):
            over = "over the budget of" if self.new > self.allowed else "budget"
            parts.append(f"{over} {self.show(self.allowed)}")
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        old, new = (
            [None if shape is None else list(shape[1:]) for shape in value] if isinstance(value, tuple) else value
            for value in (self.old, self.new)
        )
        numbers = {"difference": self.difference, "percent": self.percent, "allowed": self.allowed}
        return {"name": self.name, "kind": self.kind, "old": old, "new": new, **numbers}


@dataclass(frozen=True)
class StageChange:
    """A stage of training that comes or goes."""

    how: Literal["added", "dropped"]
    name: str
    epochs: int
    batch_size: int
    steps: int | None

    @property
    def text(self) -> str:
        steps = "" if self.steps is None else f", {self.steps:,} steps"
        return f"{self.epochs:,} epochs in batches of {self.batch_size:,}{steps}"

    def as_json(self) -> dict[str, Any]:
        sizes = {"epochs": self.epochs, "batch_size": self.batch_size, "steps": self.steps}
        return {"how": self.how, "name": self.name, **sizes}


class Planned(NamedTuple):
    """A spec with the plan of its training."""

    checked: Checked
    plan: Plan

    @classmethod
    def of(cls, checked: Checked) -> Planned:
        """As far as it is known without reading all data."""
        spec, description = checked.spec, checked.description
        samples = count_samples(spec, description) if description is not None else None
        taken: tuple[tuple[str, ...], ...] = ()
        with suppress(DataError):  # the run is not there, which was said
            taken = taken_layers(spec, checked.graph)
        return cls(checked, make_plan(spec, checked.graph, samples, taken))

    @property
    def is_known(self) -> bool:
        """Whether what each layer takes is known, on which its costs hang."""
        return all(None not in layer.input_shapes for layer in self.plan.graph.layers)

    def steps(self, stage: Stage) -> int | None:
        """Weight updates of a stage, where it is known of how many samples."""
        samples = self.plan.samples
        return None if samples is None else work_of(self.plan, stage, count_of(stage, samples)).steps

    def all_steps(self, kind: str) -> int | None:
        steps = [self.steps(stage) for stage in self.plan.stages if stage.kind == kind]
        return None if None in steps else sum(n for n in steps if n is not None)


LIMITED = {
    "parameters": "parameters",
    "FLOPs of a sample": "flops",
    "saved weights": "size",
    "memory of training": "memory",
}
"""Name of a total -> the key of `budget` that limits it."""
IN_BYTES = ("saved weights", "memory of training")


def _totals(planned: Planned) -> dict[str, Value | None]:
    """What a spec comes to; None: that is not known."""
    graph, signature, samples = planned.plan.graph, planned.checked.signature, planned.plan.samples
    memory = training_memory(planned.checked.spec.training, graph)
    costs = (graph.parameters, graph.flops, memory.weights, memory.total)
    return {
        "input shape": tuple(given.shape for given in graph.inputs),
        "output shape": tuple(graph[name].output_shape for name in graph.outputs),
        "features": None if signature is None else len(signature.features),
        "classes": None if signature is None else len(signature.target.classes),
        **{name: cost if planned.is_known else None for name, cost in zip(LIMITED, costs, strict=True)},
        "training samples": None if samples is None else samples.labelled,
        "steps of pretraining": planned.all_steps("pretrain"),
        "steps of training": planned.all_steps("fine_tune"),
    }


def compare_totals(old: Planned, new: Planned) -> list[Total]:
    """Everything that either spec comes to; what neither has, as classes where a number is predicted, is left out."""
    found, now = [], _totals(new)
    for name, before in _totals(old).items():
        limit = getattr(new.checked.spec.budget, LIMITED[name]) if name in LIMITED else None
        allowed = count_bytes(limit) if isinstance(limit, str) else limit
        if before or now[name]:
            kind: Kind = "shapes" if name.endswith("shape") else "bytes" if name in IN_BYTES else "count"
            found.append(Total(name, kind, before, now[name], allowed))
    return found


def compare_stages(old: Planned, new: Planned, names: Mapping[str, str]) -> list[StageChange]:
    """Stages that are in one of the plans.

    Args:
        names: of layers that are in both networks, the old one -> the new one.
    """

    def name_now(stage: Stage) -> str | None:
        if stage.layer is None:
            return stage.name
        name = stage.layer.name
        return stage.name.replace(f":{name}", f":{names[name]}", 1) if name in names else None

    def changes(how: Literal["added", "dropped"], one: Planned, stages: Iterable[Stage]) -> list[StageChange]:
        return [StageChange(how, x.name, x.epochs, x.batch_size, one.steps(x)) for x in stages]

    before, now = {*map(name_now, old.plan.stages)}, {stage.name for stage in new.plan.stages}
    added = (stage for stage in new.plan.stages if stage.name not in before)
    dropped = (stage for stage in old.plan.stages if name_now(stage) not in now)
    return [*changes("added", new, added), *changes("dropped", old, dropped)]
