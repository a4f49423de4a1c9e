"""Whether a function that was written gives what dlspec has: it is run, and its values are compared."""

from __future__ import annotations

import ast
import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.ejection.copying import names_in
from dlspec.ejection.script import ARRAYS, FITTED, HERE, Script

Array = np.ndarray

CLOSE = 1e-12
"""Of a number, by which the order of additions may change it."""
Data = Array | Mapping[str, Array]
"""Samples (rows, ...), or columns by their names, (rows, 1) each."""


class Folder(type(Path())):  # type: ignore[misc]
    """A folder that need not be there: `folder / "../data"` is a path beside it."""

    def __truediv__(self, other: str | Path) -> Path:
        return Path(os.path.normpath(os.path.join(str(self), str(other))))


def executed(script: Script, folder: Path, section: str = "data") -> dict[str, Any]:
    """What a section of a script defines, by name, when it is run.

    Args:
        folder: where the script will stand.

    Raises:
        Exception: whatever the script raises.
    """
    body = "\n\n\n".join([*(one.text for one in script.constants), *script.chunks[section]])
    used = names_in(ast.parse(body))
    imports = [how for name, how in script.imports.items() if name in used]
    space: dict[str, Any] = {HERE: Folder(folder.absolute()), ARRAYS: script.arrays, "__name__": script.name}
    space[FITTED] = json.loads(json.dumps(script.fitted))
    exec(compile("\n".join([*imports, body]), f"<{script.name}>", "exec"), space)
    return space


def result_of(write: Callable[[Script], None], folder: Path, function: str, *args: Any) -> Any:
    """What a function of a script returns, or the exception that it raises; a warning counts as one.

    Args:
        write: writes the function into a script.
    """
    trial = Script("trial")
    try:
        write(trial)
    except NotImplementedError as error:  # there is no plain way
        return error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            return executed(trial, folder)[function](*args)
    except Exception as error:  # whatever goes wrong, it is not what was meant
        return error


@dataclass(frozen=True)
class Expected:
    """What `load_data` is to give.

    Args:
        x: of all rows.
        y: of all rows; None: the target is the input.
        seen: rows whose `x` matters, (rows,) bool.
        judged: rows whose `y` matters, (rows,) bool.
    """

    x: Data
    y: Array | None
    seen: Array
    judged: Array

    def each(self, every: int) -> Expected:
        """Of every so manieth row alone."""
        if every == 1:
            return self
        x = (
            {name: values[::every] for name, values in self.x.items()}
            if isinstance(self.x, Mapping)
            else self.x[::every]
        )
        return Expected(x, None if self.y is None else self.y[::every], self.seen[::every], self.judged[::every])

    @property
    def size(self) -> int:
        """Bytes of `x`."""
        return sum(own.nbytes for own in (self.x.values() if isinstance(self.x, Mapping) else [self.x]))

    def differences(self, found: Any, *, with_y: bool = True) -> list[str]:
        """What is not the same: columns by their names or places, `x` and `y` as a whole; nothing where all is."""
        if isinstance(found, Exception) or (with_y and not (isinstance(found, tuple) and len(found) == 2)):
            return ["x", "y"]
        x, y = found if with_y else (found, None)
        wrong = self._of_x(x)
        if not with_y:
            return wrong
        if self.y is None or y is None:
            return wrong if y is None and self.y is None else [*wrong, "y"]
        return wrong if same(y, self.y, self.judged) else [*wrong, "y"]

    def _of_x(self, x: Any) -> list[str]:
        if isinstance(self.x, Mapping):
            if not isinstance(x, dict) or list(x) != list(self.x):
                return ["x"]
            return [f"x:{name}" for name, own in self.x.items() if not same(x[name], own, self.seen)]
        if same(x, self.x, self.seen):
            return []
        if not isinstance(x, np.ndarray) or x.shape != self.x.shape or x.ndim != 2 or x.dtype.kind not in "fiu":
            return ["x"]
        return [f"x:{place}" for place in range(x.shape[1]) if not same(x[:, place], self.x[:, place], self.seen)]


def same(found: Any, expected: Array, rows: Array) -> bool:
    """Whether two arrays have the same shape and, in some rows, the same values up to rounding."""
    if (
        not isinstance(found, np.ndarray)
        or found.shape != expected.shape
        or (found.dtype == object) != (expected.dtype == object)
    ):
        return False
    places = np.flatnonzero(rows)
    for block in np.array_split(places, max(1, len(places) // 4096)):
        own, other = found[block], expected[block]
        if expected.dtype == object:
            if not all(type(a) is str and a == b for a, b in zip(own.ravel(), other.ravel(), strict=True)):
                return False
        elif own.dtype.kind == "f" and other.dtype.kind == "f":
            if not np.allclose(own, other, rtol=CLOSE, atol=0, equal_nan=True):
                return False
        elif own.dtype.kind not in "iufb" or not np.array_equal(own, other):
            return False
    return True
