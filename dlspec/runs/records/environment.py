"""`environment.json`: what besides the spec and its data decided the last digits, and when and how a run was begun."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import ConfigDict, Field, NonNegativeFloat, model_validator

from dlspec.runtime.environment import now, surroundings, typed
from dlspec.runtime.records import Record

Value = str | int | float | bool | None


class Plugin(Record):
    """A plugin that was loaded."""

    path: str
    sha256: str


class Surroundings(Record):
    """What a process computed with: the named fields, and beside them versions, flags and the like, each a value."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Value] = Field(init=False)

    device: str
    command: str
    started: str
    backend: str = "tensorflow"
    compiled_by_xla: tuple[str, ...] | None = None
    taken_fingerprint: str | None = None
    teacher_fingerprint: str | None = None
    plugins: tuple[Plugin, ...] = ()
    seconds: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _is_a_time(self) -> Self:
        datetime.fromisoformat(self.started)
        return self


class Leg(Surroundings):
    """What was another when a run went on."""

    dlspec: str | None = None
    seed: int | None = None
    data_fingerprint: str | None = None


class Environment(Surroundings):
    """What a run was begun with.

    Args:
        dlspec: its version.
        data_fingerprint: sha256 of the content of the data.
        taken_fingerprint: sha256 of the layers that were taken out of another run.
        teacher_fingerprint: sha256 of the network of the run that taught this one.
        compiled_by_xla: the stages that were.
        resumed: what was another at each resume.
        seconds: that the run took, all its legs together.
        addresses: of layers in uses of a block, as `gated.2.skipped`, and what they are called in the network.
    """

    dlspec: str
    seed: int
    data_fingerprint: str
    addresses: dict[str, str] = Field(default_factory=dict)
    resumed: tuple[Leg, ...] = ()


def environment_of(seed: int, fingerprint: str, device: str) -> dict[str, Any]:
    """What this process has to say of a run that it begins."""
    return {
        **surroundings(device),
        "seed": seed,
        "data_fingerprint": fingerprint,
        "command": typed(),
        "started": now(),
    }
