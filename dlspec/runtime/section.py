"""The section `runtime`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from dlspec.language.fields import Flag, OneOrMore, PositiveInt, SpecModel
from dlspec.language.section import Section
from dlspec.runtime.trackers.base import AnyTracker


class DistributeSpec(SpecModel):
    """Several devices of one machine, each with a copy of the network and a part of every batch."""

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        return f"{{strategy: {value}}}" if isinstance(value, str) else None

    strategy: Literal["mirrored"] = Field(description="`mirrored`: after each step all copies are the same")
    devices: PositiveInt | None = Field(
        None, description="how many; by default all GPUs; on a CPU, as many parts of it, to try it out"
    )


class RuntimeSpec(Section):
    """Where and how it runs."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    deterministic: Flag = False
    xla: Literal["auto", "on", "off"] = "auto"
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    distribute: DistributeSpec | None = None
    track: Annotated[list[AnyTracker], OneOrMore] | None = None
