"""Steps around a network that lose nothing in float32, which is all that small runtimes compute in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from dlspec.deployment.steps import Operand, Program, Step, Value

LARGEST_OFFSET = 4.0
"""By how much at most, as a share of the spread of the scaled values, a scale shifts them: a number of 24 bits less
another that is much larger than the difference has lost those bits."""
LINEAR = ("cast", "multiply", "add", "slice", "reshape")


def in_float32(program: Program) -> Program | None:
    """The same steps in float32; None where that loses what float64 keeps, or where there is more than a scale.

    Steps lose nothing where plain numbers go through a scale and an offset alone, and offsets are small by the scaled
    values, which have a spread of about 1: `LARGEST_OFFSET`. So it is with pictures and sounds, and with columns that
    lie around zero; not with years, prices or times in seconds.
    """
    (*others, raw) = program.inputs
    if others or raw.dtype not in ("float32", "float64"):
        return None
    if not _is_linear(program.before, {raw.name}) or not _is_linear(program.after, {v.name for v in program.gives}):
        return None
    if any(np.max(np.abs(offset), initial=0) > LARGEST_OFFSET for _, offset in _scales(program.before)):
        return None
    if any(np.any(np.abs(offset) > LARGEST_OFFSET * np.abs(scale)) for scale, offset in _scales(program.after)):
        return None
    return Program(
        _values(program.inputs),
        tuple(map(_step, program.before)),
        _values(program.takes),
        _values(program.gives),
        tuple(map(_step, program.after)),
        _values(program.outputs),
    )


def _is_linear(steps: tuple[Step, ...], of: set[str]) -> bool:
    """Whether all steps are a chain of scales from some values on."""
    known = set(of)
    for step in steps:
        if step.op not in LINEAR or len(step.names) != 1 or not known.issuperset(step.names):
            return False
        known.add(step.name)
    return True


def _scales(steps: tuple[Step, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each offset, with the scale before it."""
    found, scale = [], np.ones(1)
    for step in steps:
        if step.op == "multiply":
            scale = _constant(step)
        if step.op == "add":
            found.append((scale, _constant(step)))
    return found


def _constant(step: Step) -> np.ndarray:
    (value,) = (value for value in step.of if not isinstance(value, str))
    return np.asarray(value, "float64")


def _values(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(replace(value, dtype=_dtype(value.dtype)) for value in values)


def _step(step: Step) -> Step:
    of: list[Operand] = [
        np.asarray(value, "float32") if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for value in step.of
    ]
    return replace(step, dtype=_dtype(step.dtype), of=tuple(of))


def _dtype(dtype: str) -> str:
    return "float32" if dtype == "float64" else dtype


def without_steps(program: Program) -> Program:
    """What a file takes and gives that holds all the steps."""
    return Program(program.inputs, (), program.inputs, program.outputs, (), program.outputs)


def computed(steps: tuple[Step, ...], values: dict[str, Any]) -> None:
    """Adds the results of linear steps to the values by their names, as tensors of TensorFlow."""
    import tensorflow as tf

    for step in steps:
        first, *more = (
            values[value] if isinstance(value, str) else tf.constant(value, step.dtype) for value in step.of
        )
        if step.op == "cast":
            found = tf.cast(first, step.dtype)
        elif step.op == "multiply":
            found = first * more[0]
        elif step.op == "add":
            found = first + more[0]
        elif step.op == "slice":
            axis = step.more["axis"] % len(first.shape)
            found = first[(slice(None),) * axis + (slice(step.more["start"], step.more["stop"]),)]
        else:
            into = step.more["into"]
            found = tf.reshape(first, into)
        values[step.name] = found
