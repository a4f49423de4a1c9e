"""Arrays that numpy has saved: `.npz` with several by name, or an `.npy` file for each."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from dlspec.data.arrays import LazyArray, Samples, joined
from dlspec.data.datasets import Column, Columns, Description
from dlspec.data.sources.base import FileSource, SourceContext, files_state, fits_in_memory
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import Text, one_of
from dlspec.runtime.archives import TooLarge, check_arrays
from dlspec.runtime.memory import machine_memory

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

MOST_CLASSES = 100
"""Whole numbers of which there are more are numbers, and no classes."""
MOST_TARGETS = 1000
"""With more columns than this, `y` is no list of targets."""
PARTS = ("_train", "_test")
"""Ends of the names of arrays that are the training and the test part, as Keras names them."""


AnyArrays = Text | Annotated[dict[Text, Text], Field(min_length=1)]
"""An `.npz` file, or what each of several `.npy` files is."""


@dataclass(frozen=True)
class ArrayFiles(FileSource):
    """Arrays with a sample in each row: `x` is what the network sees, `y` what is predicted, others have their names.

    With `x_train`, `y_train`, `x_test` and `y_test` the test part is given. A `y` of several columns is several
    targets, `y_1` and so on, labels where all are 0 or 1; with a single 1 in every row it is a class. Nothing that is
    pickled is read.

    Args:
        roles: of `.npy` files, what each of `paths` is; empty where `paths` names an `.npz` file.
    """

    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | dict[str, str], place: SourceContext) -> Self:
        named = given if isinstance(given, dict) else {}
        paths = tuple(named.values()) if isinstance(given, dict) else (given,)
        return cls(paths, place.folder, place.span, place.cache, tuple(named))

    def written(self, given: Any, paths: Sequence[str]) -> Any:
        return dict(zip(self.roles, paths, strict=True)) if self.roles else paths[0]

    key = "arrays"

    def describe(self) -> Description:
        for path in self.paths:
            self._existing(path)
        try:
            return _described(self, files_state(self.folder / path for path in self.paths))
        except OSError as error:
            raise self._unreadable(self.paths[0], error) from None

    def look(self) -> Description:
        """The columns, out of the files."""
        import numpy as np

        arrays = self._arrays()
        found, tests = self._joined(arrays)
        found, targets = _with_targets(found)
        columns = []
        for name, values in found.items():
            if values.ndim > 1:
                columns.append(Column(name, shape=values.shape[1:]))
            elif values.dtype.kind in "mM":
                columns.append(Column(name, "time"))
            else:
                words = np.unique(values)
                classes = values.dtype.kind not in "fc" and len(words) <= MOST_CLASSES and name != "x"
                if classes:
                    columns.append(Column(name, "class", classes=tuple(str(word) for word in words)))
                else:
                    columns.append(Column(name, "text" if values.dtype.kind in "US" else "number"))
        rows = len(next(iter(found.values())))
        return Description("samples", tuple(columns), target=targets, rows=rows, test_rows=tests, features=("x",))

    def load(self, seed: int) -> Columns:
        found, _ = _with_targets(self._joined(self._arrays())[0])
        described = self.describe()
        columns: Columns = {}
        for name, values in found.items():
            column = described.column(name)
            if isinstance(values, LazyArray):
                kept = values.ndim > 1 and not fits_in_memory(values.shape, values.dtype, self.cache)
                values = values if kept else values[:]
            columns[name] = values.astype(str).astype(object) if column and column.kind == "class" else values
        return columns

    def opened(self, file: Path, shape: tuple[int, ...]) -> tuple[str, list[str], Samples]:
        """The array `x` of another file, as that in these; names are the numbers of rows, from 1."""
        roles = ("x",) if file.suffix == ".npy" else ()
        samples = replace(self, paths=(str(file),), folder=Path(), roles=roles)._joined_alone()
        if samples.shape[1:] != shape:
            raise DataError.of("wrong-shape", f"a sample has the shape {shape}, and in `{file}` {samples.shape[1:]}")
        return "row", [str(row) for row in range(1, len(samples) + 1)], samples

    def _joined_alone(self) -> Samples:
        return self._joined({name: values for name, values in self._arrays().items() if name[:1] == "x"})[0]["x"]

    def _arrays(self) -> dict[str, Any]:
        """The arrays as they are named; those of `.npy` files stay in them."""
        import numpy as np

        found: dict[str, Any] = {}
        for role, path in zip(self.roles or ("",), self.paths, strict=True):
            file = self._existing(path)
            try:
                if role:
                    found[role] = MappedFile(np.load(file, mmap_mode="r", allow_pickle=False))
                else:
                    with file.open("rb") as opened:
                        if zipfile.is_zipfile(opened):
                            check_arrays(opened, machine_memory())
                        opened.seek(0)
                        loaded = np.load(opened, allow_pickle=False)
                        if not isinstance(loaded, np.lib.npyio.NpzFile):
                            help = f"write `{self.key}: {{x: {path}, y: …}}`"
                            raise self._error("data-unreadable", f"`{path}` is one array, without a name", help)
                        found |= {name: loaded[name] for name in loaded.files}
            except OSError as error:
                if error.strerror:
                    raise self._unreadable(path, error) from None
                raise self._broken(path) from None
            except TooLarge as error:
                said = f"`{path}` does not fit into the memory of this machine: {error}"
                raise self._error(
                    "data-too-large", said, "save each array as an `.npy` file, which stays on disk"
                ) from None
            except ValueError as error:
                if "pickle" in str(error).lower() or "Python objects" in str(error):
                    said = f"`{path}` holds Python objects, which are not read: they could run anything"
                    raise self._error("data-unreadable", said, "save arrays of numbers or of text") from None
                raise self._broken(path) from None
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError):
                raise self._broken(path) from None
        return found

    def _joined(self, arrays: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Arrays with a name each, those of the test part behind those of the training part, and its rows."""
        short = {name.removesuffix("_train") for name in arrays if name.endswith("_train")}
        found, tests = {}, 0
        for name in short:
            other = arrays.get(f"{name}_test")
            if other is None:
                found[name] = arrays[f"{name}_train"]
            else:
                if arrays[f"{name}_train"].shape[1:] != other.shape[1:]:
                    shapes = f"{arrays[f'{name}_train'].shape} and {other.shape}"
                    raise self._error("files-differ", f"`{name}_train` and `{name}_test` have the shapes {shapes}")
                found[name], tests = joined([arrays[f"{name}_train"], other]), len(other)
        found |= {name: values for name, values in arrays.items() if not name.endswith(PARTS)}
        found = {name: found[name] for name in sorted(found, key=lambda name: (name != "x", name != "y", name))}
        if "x" not in found:
            help = "name what the network sees `x`, as in `numpy.savez(file, x=…, y=…)`"
            raise self._error("data-unreadable", f"`{self.paths[0]}` has {one_of(arrays)}, and no array `x`", help)
        scalars = [name for name, values in found.items() if values.ndim == 0]
        if scalars:
            raise self._error("data-unreadable", f"`{scalars[0]}` is a single value, and no array of samples")
        lengths = {name: len(values) for name, values in found.items()}
        other = next((name for name in lengths if lengths[name] != lengths["x"]), None)
        if other:
            said = f"`x` has {lengths['x']:,} samples, and `{other}` has {lengths[other]:,}"
            raise self._error("files-differ", said, "every array has a row for each sample")
        return found, tests

    def _broken(self, path: str) -> DataError:
        return self._error("data-unreadable", f"`{path}` is no whole file of numpy", "save it anew")


def _with_targets(arrays: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arrays, a `y` of several columns as an array for each of them, and what is predicted."""
    import numpy as np

    found = dict(arrays)
    given = found.get("y")
    if given is None:
        return found, ()
    if given.ndim != 2 or given.dtype.kind not in "iufb" or not 1 <= given.shape[1] <= MOST_TARGETS:
        return found, ("y",)
    values = given[:]
    yes_or_no = bool(((values == 0) | (values == 1)).all())
    if values.shape[1] == 1:
        return found | {"y": values[:, 0]}, ("y",)
    if yes_or_no and (values.sum(axis=1) == 1).all():
        return found | {"y": values.argmax(axis=1)}, ("y",)
    del found["y"]
    names = tuple(f"y_{place}" for place in range(1, values.shape[1] + 1))
    columns = values.astype("uint8" if yes_or_no else "float64").T
    return found | {name: np.ascontiguousarray(column) for name, column in zip(names, columns, strict=True)}, names


class MappedFile(LazyArray):
    """An array that stays in its file."""

    def __init__(self, mapped: Array) -> None:
        super().__init__(mapped.shape, mapped.dtype)
        self.mapped = mapped

    def read(self, rows: Array) -> Array:
        return self.mapped[rows]


@lru_cache(maxsize=16)
def _described(source: ArrayFiles, state: tuple[tuple[str, int, int], ...]) -> Description:
    return source.look()
