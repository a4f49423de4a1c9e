"""The section `evaluate`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from dlspec.evaluation.baselines import AnyBaseline
from dlspec.evaluation.metrics import AnyMetric
from dlspec.evaluation.require import Require
from dlspec.language.fields import OneOrMore, PositiveInt, SpecModel
from dlspec.language.section import Section


class WithoutPretraining(SpecModel):
    """The same network trained without pretraining, by as many seeds as it is trained with it."""

    seeds: PositiveInt = Field(3, description="how many seeds, the first that of the run")

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{seeds: {value}}}" if isinstance(value, int) and not isinstance(value, bool) else None


class CompareSpec(SpecModel):
    """What else is trained, to see what something is good for."""

    without_pretraining: WithoutPretraining = Field(description="the same network without pretraining")


class EvaluateSpec(Section):
    """What the trained network is compared with, and by which metrics."""

    metrics: Annotated[list[AnyMetric], OneOrMore, Field(min_length=1)] | None = None
    baselines: Annotated[list[AnyBaseline], OneOrMore] | None = None
    compare: CompareSpec | None = None
    require: Require | None = None
