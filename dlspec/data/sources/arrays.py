"""Arrays that numpy has saved: `.npz` with several by name, or an `.npy` file for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from dlspec.data.arrays import LazyArray, Samples
from dlspec.data.datasets import Column, ColumnKind, Columns, Description, Loaded
from dlspec.data.sources.array_files import (
    ArrayInFile,
    JoinedArray,
    describe_column,
    describe_places,
    describe_targets,
)
from dlspec.data.sources.base import FileSource, SourceContext, files_state, fits_in_memory
from dlspec.data.sources.series_archives import SUFFIX, read_archive
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import Text
from dlspec.language.words import one_of
from dlspec.runtime.archives import ARCHIVES, BROKEN, Pickled, TooLarge, check_array, check_arrays
from dlspec.runtime.memory import machine_memory
from dlspec.runtime.npy import MAGIC

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

PARTS = ("_train", "_test")
"""Ends of the names of arrays that are the training and the test part, as Keras names them."""


_HELD = {"S": "text", "U": "text", "M": "times", "m": "times"}
"""Letter of numpy for a kind of values -> what arrays of them hold, which no layer takes."""
AnyArrays = Text | Annotated[dict[Text, Text], Field(min_length=1)]
"""An `.npz` file, or what each of several `.npy` files is."""


@dataclass(frozen=True)
class ArrayFiles(FileSource):
    """Arrays with a sample in each row: `x` is what the network sees, `y` what is predicted, others have their names.

    Text of the time-series archives, a `.ts` file, or `{train: A_TRAIN.ts, test: A_TEST.ts}`, has series in `x`,
    (series, timesteps, dimensions), and the class or the number of each in `y`.

    With `x_train`, `y_train`, `x_test` and `y_test` the test part is given. A `y` of several columns is several
    targets, `y_1` and so on, labels where all are 0 or 1; with a single 1 in every row it is a class. Nothing that is
    pickled is read.

    Where the spec says of a target what it holds, `{y: category}` or `{y: numeric}`, an array of it has a class or a
    number at each of its places; a `y` of one column, or of a single 1 in every row, is one class as without the type.

    Args:
        roles: of `.npy` files, what each of `paths` is; empty where `paths` names an `.npz` file.
        at_places: as that of `SourceContext`.
        texts: arrays of which the spec says that they hold texts, which else may be classes.
    """

    roles: tuple[str, ...] = ()
    at_places: tuple[tuple[str, ColumnKind], ...] = ()
    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | dict[str, str], context: SourceContext) -> Self:
        named = given if isinstance(given, dict) else {}
        paths = tuple(named.values()) if isinstance(given, dict) else (given,)
        return cls(
            paths,
            context.folder,
            context.span,
            context.cache,
            tuple(named),
            context.at_places,
            tuple(name for name, kind in context.said if kind == "text"),
            training=context.training,
        )

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
        """The columns, out of the headers and, where there may be classes, of the values."""
        found, tests = self._joined(self._stored())
        rows = len(found["x"])
        deciding = self._deciding(rows, tests)
        targets: dict[str, Column] = {}
        columns: dict[str, Column] = {}
        for name, stored in found.items():
            stored = replace(stored, looked_at=deciding)
            with self._reading(self._path_of(name)):
                if name in self.texts and stored.ndim == 1 and stored.kind in "SU":
                    columns[name] = Column(name, "text")
                    targets |= {name: columns[name]} if name == "y" else {}
                elif name == "y":
                    targets = self._targets(stored)
                    columns |= targets if "y" in targets else {}
                elif name in dict(self.at_places) and stored.ndim > 1:
                    columns[name] = describe_places(name, stored, dict(self.at_places)[name])
                else:
                    columns[name] = describe_column(name, stored)
        about = tuple((columns | targets).values())
        return Description("samples", about, target=tuple(targets), rows=rows, test_rows=tests, features=("x",))

    def _targets(self, y: JoinedArray) -> dict[str, Column]:
        """What is predicted, by name: at each place of `y` where the spec says what it holds, as it is without."""
        kind = dict(self.at_places).get("y")
        found = describe_targets(y) if kind is None or y.ndim <= 2 else {}
        own = found.get("y")
        if kind is None or y.ndim == 1 or (own is not None and not own.shape and (y.shape[1] == 1 or kind == "class")):
            return found
        return {"y": describe_places("y", y, kind)}

    def load(self, seed: int) -> Columns:
        described = self.describe()
        columns: Columns = {}
        for name, values in _with_targets(self._loaded(self._stored()), described).items():
            column = described.column(name)
            if isinstance(values, LazyArray):
                kept = values.ndim > 1 and not fits_in_memory(values.shape, values.dtype, self.cache)
                values = values if kept else values[:]
            columns[name] = _as_words(values) if _holds_words(column) else values
        return columns

    def opened(self, file: Path, shape: tuple[int, ...]) -> tuple[str, list[str], Samples]:
        """The array `x` of another file, as that in these; names are the numbers of rows, from 1."""
        roles = ("x",) if file.suffix == ".npy" else ()
        if file.suffix.lower() == SUFFIX:  # as long as those in training
            x = read_archive(file, file.name)
            if len(shape) == 2 and x.lengths[1] <= shape[0]:
                samples = x.arrays(file, shape[0])["x"].load()
                return "row", [str(row) for row in range(1, len(samples) + 1)], samples
        samples = replace(self, paths=(str(file),), folder=Path(), roles=roles)._joined_alone()
        if samples.shape[1:] != shape:
            raise DataError.of("wrong-shape", f"a sample has the shape {shape}, and in `{file}` {samples.shape[1:]}")
        return "row", [str(row) for row in range(1, len(samples) + 1)], samples

    def labelled(self, file: Path, shape: tuple[int, ...]) -> Columns:
        """All arrays of another file, `y` as in these files, where they are still there.

        Args:
            shape: of a sample.

        Raises:
            DataError: it holds one array alone, or samples of another shape.
        """
        other = replace(self, paths=(str(file),), folder=Path(), roles=())
        described = other.describe()
        with suppress(DataError):
            described = self.describe()
        if file.suffix.lower() == SUFFIX and len(shape) == 2:  # as long as those in training
            read = read_archive(file, file.name)
            arrays = other._loaded({name: JoinedArray((each,)) for name, each in read.arrays(file, shape[0]).items()})
        else:
            arrays = other._loaded(other._stored())
        if arrays["x"].shape[1:] != shape:
            message = f"a sample has the shape {shape}, and in `{file}` {arrays['x'].shape[1:]}"
            raise DataError.of("wrong-shape", message)
        found: Columns = {}
        for name, values in _with_targets(arrays, described).items():
            column = described.column(name)
            found[name] = _as_words(values[:]) if _holds_words(column) else values
        return found

    def _joined_alone(self) -> Samples:
        return self._loaded({name: stored for name, stored in self._stored().items() if name[:1] == "x"})["x"]

    def _stored(self) -> dict[str, JoinedArray]:
        """The arrays as they are named, of which only the headers are read."""
        if self._archives:
            return self._of_archives()
        found: dict[str, JoinedArray] = {}
        for role, path in zip(self.roles or ("",), self.paths, strict=True):
            file = self._existing(path)
            with self._reading(path), file.open("rb") as opened:
                begin = opened.read(6)
                opened.seek(0)
                is_archive, is_array = begin[:4] in ARCHIVES, begin == MAGIC
                if role and is_archive:
                    raise self._error("data-unreadable", f"`{path}` holds arrays with names", f"write `arrays: {path}`")
                if not role and is_array:
                    help = f"write `{self.key}: {{x: {path}, y: …}}`"
                    raise self._error("data-unreadable", f"`{path}` is one array, without a name", help)
                if is_archive:
                    for member, header in check_arrays(opened, machine_memory()).items():
                        found[member.removesuffix(".npy")] = JoinedArray((ArrayInFile(file, member, header),))
                else:
                    found[role] = JoinedArray((ArrayInFile(file, "", check_array(opened, file.stat().st_size)),))
        return found

    @property
    def _archives(self) -> bool:
        """Whether the files are text of the time-series archives."""
        return all(path.lower().endswith(SUFFIX) for path in self.paths)

    def _of_archives(self) -> dict[str, JoinedArray]:
        """The series of a file, or those for training and those for the test."""
        roles = self.roles or ("",)
        if {*roles} not in ({""}, {"train", "test"}):
            help = f"write `{self.key}: {{train: A_TRAIN.ts, test: A_TEST.ts}}`, or a file alone"
            raise self._error("data-unreadable", "series of `.ts` files are for training or for the test", help)
        files = {role: self._existing(path) for role, path in zip(roles, self.paths, strict=True)}
        archives = {role: read_archive(file, file.name) for role, file in files.items()}
        length = max(archive.lengths[1] for archive in archives.values())
        return {
            f"{name}_{role}" if role else name: JoinedArray((array,))
            for role, archive in archives.items()
            for name, array in archive.arrays(files[role], length).items()
        }

    def load_parts(self, seed: int) -> Loaded:
        loaded = super().load_parts(seed)
        if not self._archives:
            return loaded
        ends = [read_archive(file, file.name).lengths for file in map(self._existing, self.paths)]
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        if low == high:
            return loaded
        note = f"The series have {low} to {high} timesteps; shorter ones go on with their last value."
        return loaded._replace(notes=(*loaded.notes, note))

    def _loaded(self, arrays: dict[str, JoinedArray], first: str = "x") -> dict[str, Samples]:
        """The arrays after `_joined`; those of `.npy` files stay in them."""
        loaded = {}
        for name, stored in self._joined(arrays, first)[0].items():
            with self._reading(self._path_of(name)):
                loaded[name] = stored.load()
        return loaded

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        """Says in our words what is wrong with a file."""
        try:
            yield
        except TooLarge as error:
            said = f"`{path}` does not fit into the memory of this machine: {error}"
            help = "save each array as an `.npy` file, which stays on disk"
            raise self._error("data-too-large", said, help) from None
        except Pickled:
            said = f"`{path}` holds Python objects, which are not read: they could run anything"
            raise self._error("data-unreadable", said, "save arrays of numbers or of text") from None
        except UnicodeDecodeError:
            said = f"`{path}` has text that cannot be decoded"
            raise self._error("data-unreadable", said, "save text as `str`, or as bytes in UTF-8") from None
        except BROKEN as error:
            if isinstance(error, OSError) and error.strerror:
                raise self._unreadable(path, error) from None
            raise self._error("data-unreadable", f"`{path}` is no whole file of numpy", "save it anew") from None

    def _path_of(self, name: str) -> str:
        """The file in which an array is."""
        named = dict(zip(self.roles, self.paths, strict=False))
        return named.get(name) or named.get(f"{name}_train") or self.paths[0]

    def _joined(self, arrays: dict[str, JoinedArray], needed: str = "x") -> tuple[dict[str, JoinedArray], int]:
        """Arrays with a name each, those of the test part behind those of the training part, and its rows.

        Args:
            needed: the array that must be there, which says how many rows all have.
        """
        for name, stored in arrays.items():
            if stored.ndim == 0:
                raise self._error("data-unreadable", f"`{name}` is a single value, and no array of samples")
            if stored.kind == "V":
                help = "save each of their fields as an array of its own"
                raise self._error("data-unreadable", f"the values of `{name}` are records", help)
            if stored.kind == "c":
                help = f"save both as channels: `numpy.stack([{name}.real, {name}.imag], axis=-1)`"
                said = f"`{name}` holds complex numbers, of which a network sees no imaginary part"
                raise self._error("data-unreadable", said, help)
            if stored.ndim > 1 and stored.kind not in "buif":
                help = "save numbers, such as the place of each word in a list of words"
                raise self._error("data-unreadable", f"`{name}` holds arrays of {_HELD[stored.kind]}", help)
            if not len(stored):
                raise self._error("no-rows", f"`{name}` has no sample", "save an array with some")
        found, tests = {}, 0
        for name in (name.removesuffix("_train") for name in arrays if name.endswith("_train")):
            first, other = arrays[f"{name}_train"], arrays.get(f"{name}_test")
            if other is None:
                found[name] = first
                continue
            both = f"`{name}_train` and `{name}_test`"
            if first.shape[1:] != other.shape[1:]:
                raise self._error("files-differ", f"{both} have the shapes {first.shape} and {other.shape}")
            if not first.fits(other):
                raise self._error("files-differ", f"{both} have the types `{first.dtype}` and `{other.dtype}`")
            found[name], tests = first.followed_by(other), len(other)
        found |= {name: stored for name, stored in arrays.items() if not name.endswith(PARTS)}
        found = {name: found[name] for name in sorted(found, key=lambda name: (name != "x", name != "y", name))}
        if needed not in found:
            help = "name what the network sees `x`, as in `numpy.savez(file, x=…, y=…)`"
            said = f"`{self.paths[0]}` has {one_of(arrays) if arrays else 'no array'}, and no array `x`"
            raise self._error("data-unreadable", said, help)
        rows = len(found[needed])
        for name, stored in found.items():
            if len(stored) != rows:
                said = f"`{needed}` has {rows:,} samples, and `{name}` has {len(stored):,}"
                raise self._error("files-differ", said, "every array has a row for each sample")
        return found, tests


class ArraysByName(ArrayFiles):
    """A file of arrays for a network that was trained on a built-in set: they are called as there, and none is `x`."""

    def labelled(self, file: Path, shape: tuple[int, ...]) -> Columns:
        stored = self._stored()
        return {name: values[:] for name, values in self._loaded(stored, first=next(iter(stored), "x")).items()}


def _holds_words(column: Column | None) -> bool:
    """Whether an array has a class, or a text, in each row."""
    return column is not None and column.kind in ("class", "text") and not column.shape


def _as_words(values: Array) -> Array:
    return values.astype(str).astype(object)


def _with_targets(arrays: dict[str, Samples], described: Description) -> dict[str, Samples]:
    """Arrays, a `y` of several columns as it is described: as classes, or as an array for each target."""
    import numpy as np

    if "y" not in arrays:
        return arrays
    y, column = arrays["y"], described.column("y")
    if column is None:
        targets = [described.column(name) for name in described.targets]
        yes_or_no = all(target is not None and target.kind == "class" for target in targets)
        if yes_or_no:
            _check_rows(((y[:] == 0) | (y[:] == 1)).all(axis=1), "other values than 0 and 1")
        values = y[:].astype("uint8" if yes_or_no else "float64").T
        columns = dict(zip(described.targets, map(np.ascontiguousarray, values), strict=True))
        return {name: array for name, array in arrays.items() if name != "y"} | columns
    if y.ndim == 2 and column.shape == ():
        if y.shape[1] > 1:
            _check_rows(((y[:] == 0) | (y[:] == 1)).all(axis=1) & (y[:].sum(axis=1) == 1), "not a single 1")
        return arrays | {"y": y[:, 0] if y.shape[1] == 1 else y[:].argmax(axis=1)}
    return arrays


def _check_rows(fine: Array, what: str) -> None:
    """Raises DataError at the first row of `y` that is not as those of the training part."""
    if not fine.all():
        row = int(fine.argmin()) + 1
        message = f"`y` has {what} in row {row:,}, unlike the rows of the training part"
        raise DataError.of("unknown-label", message, help="write all rows of `y` alike")


@lru_cache(maxsize=16)
def _described(source: ArrayFiles, state: tuple[tuple[str, int, int], ...]) -> Description:
    return source.look()
