"""Optimizers, schedules and losses as source."""

from __future__ import annotations

from typing import Any

from dlspec.ejection.layers import kind_call
from dlspec.ejection.python import Call, Code, call
from dlspec.ejection.script import Script
from dlspec.training.losses import Loss
from dlspec.training.optimizers import Optimizer
from dlspec.training.optimizers.momentum import SGD, Ramp
from dlspec.training.schedules.base import Schedule
from dlspec.training.schedules.standard import Decay, PiecewiseConstantDecay


def optimizer_call(
    script: Script,
    section: str,
    optimizer: Optimizer,
    steps: Code,
    schedule: Schedule | None = None,
    done: Code | None = None,
) -> Call:
    """What makes the optimizer of a training.

    Args:
        section: of the script, into which a class may be copied.
        steps: source of how many weight updates there are; see `needs_steps`.
        done: source of how many of them another optimizer makes before; see `goes_on`.
    """
    changed = {}
    if schedule is not None:
        decayed = _schedule_call(schedule, optimizer.learning_rate, steps)
        changed["learning_rate"] = call(script.use("optimizers", "Later", section), decayed, done) if done else decayed
    if not isinstance(optimizer, SGD) or not isinstance(optimizer.momentum, Ramp):
        return kind_call(optimizer, changed)
    ramp = optimizer.momentum
    made = kind_call(optimizer.model_copy(update={"momentum": 0.0}), changed)
    rate = changed.get("learning_rate", optimizer.learning_rate)
    rising = steps if ramp.over == 1 else Code(f"round({steps} * {ramp.over})")
    own = {key: value for key, value in made.keywords.items() if key not in ("learning_rate", "momentum")}
    own |= {"done": done} if done else {}
    return call(script.use("optimizers", "RisingSGD", section), rate, ramp.start, ramp.end, steps=rising, **own)


def needs_steps(optimizer: Optimizer, schedule: Schedule | None = None) -> bool:
    """Whether the optimizer must know how long it is used."""
    return _rises(optimizer) or (isinstance(schedule, Decay) and schedule.decay_steps is None)


def goes_on(optimizer: Optimizer, schedule: Schedule | None) -> bool:
    """Whether a second optimizer must know what was done before."""
    return _rises(optimizer) or schedule is not None


def _rises(optimizer: Optimizer) -> bool:
    return isinstance(optimizer, SGD) and isinstance(optimizer.momentum, Ramp)


def _schedule_call(schedule: Schedule, rate: float, steps: Code) -> Call:
    name = f"keras.optimizers.schedules.{schedule.keras_name or type(schedule).__name__}"
    if isinstance(schedule, PiecewiseConstantDecay):
        return call(name, schedule.boundaries, [rate, *schedule.values])
    changed: dict[str, Any] = {}
    if isinstance(schedule, Decay) and schedule.decay_steps is None:
        changed["decay_steps"] = Code(f"{steps} - {schedule.steps_before}") if schedule.steps_before else steps
    made = kind_call(schedule, changed)
    return call(name, rate, *made.args, **made.keywords)


def loss_source(loss: Loss) -> Any:
    """A loss: its name where that says all, else what makes it."""
    import keras

    made = kind_call(loss)
    known = not made.args and not made.keywords
    if known:
        found = keras.losses.get(loss.type_name) if _is_known(loss.type_name) else None
        if found is not None:
            return loss.type_name
    return made


def _is_known(name: str) -> bool:
    import keras

    try:
        return keras.losses.get(name) is not None
    except ValueError:
        return False
