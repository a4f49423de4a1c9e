"""Rules about how the network is trained."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.spec.checks.base import Checked, rule
from dlspec.training.optimizers import Optimizer

LARGEST_STEP = {"sgd": 10.0, "adadelta": 10.0}
"""Learning rates above which training hardly ever succeeds; 0.3 for methods that scale their steps."""


@rule
def steps_are_not_huge(checked: Checked) -> Iterator[Diagnostic]:
    """Adam and its relatives move every weight by about the learning rate in each step, whatever the gradient is."""
    spec = checked.spec
    given: list[tuple[tuple[str | int, ...], Optimizer]] = []
    if spec.has("train"):
        given.append((("train",), spec.train.optimizer))
    given += [(entry.path, entry.method.optimizer) for entry in spec.pretraining]
    for path, optimizer in given:
        rate = getattr(optimizer, "learning_rate", None)
        limit = LARGEST_STEP.get(optimizer.type_name, 0.3)
        if isinstance(rate, int | float) and rate > limit:
            yield Diagnostic(
                "large-learning-rate",
                f"a learning rate of {rate:g} is far above what `{optimizer.type_name}` learns with",
                spec.span(*path, "optimizer", optimizer.type_name, "learning_rate"),
                Severity.WARNING,
                help=f"begin with `{{{optimizer.type_name}: {'0.1' if limit > 1 else '0.001'}}}`",
            )
