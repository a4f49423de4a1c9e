"""Reading archives that a stranger may have made: nothing is pickled, nothing unfolds to more than it is allowed."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading an archive raises."""


class TooLarge(ValueError):
    """An archive unfolds to more than there may be."""


def check_members(archive: zipfile.ZipFile, most: int) -> None:
    """Looks at what an archive says of its members.

    Args:
        most: bytes that all of them may have together.

    Raises:
        TooLarge: they have more.
        ValueError: a name comes twice or leads elsewhere, or a member is packed as numpy and Keras never do.
    """
    seen = set()
    for member in archive.infolist():
        if member.filename in seen:
            raise ValueError(f"it holds `{member.filename}` twice")
        seen.add(member.filename)
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or parts[0].endswith(":"):
            raise ValueError(f"its member `{member.filename}` leads out of it")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or member.flag_bits & 1:
            raise ValueError(f"its member `{member.filename}` is packed in an unusual way")
    unfolded = sum(member.file_size for member in archive.infolist())
    if unfolded > most:
        raise TooLarge(f"it unfolds to {unfolded:,} bytes")


def check_arrays(file: IO[bytes], most: int) -> None:
    """Looks at the heads of the arrays in an `.npz` file; numpy would make room for whatever they promise.

    Raises:
        BadZipFile: it is no archive.
        ValueError: see `check_members`; or a member is no array, holds Python objects, or has not the size that its
            head promises.
    """
    with zipfile.ZipFile(file) as archive:
        check_members(archive, most)
        for member in archive.infolist():
            with archive.open(member) as opened:
                shape, dtype = _head(opened)
                promised = opened.tell() + math.prod(shape) * dtype.itemsize
            if dtype.hasobject:
                raise ValueError(f"its array `{member.filename}` is pickled")
            if promised != member.file_size:
                said = f"promises {promised:,} bytes and has {member.file_size:,}"
                raise ValueError(f"its array `{member.filename}` {said}")


def array_sizes(path: Path) -> dict[str, int]:
    """How many numbers each array of an `.npz` file that dlspec wrote holds, read off the heads alone.

    Raises:
        OSError, BadZipFile, ValueError: see `check_arrays`.
    """
    with path.open("rb") as file:
        check_arrays(file, path.stat().st_size)
        with zipfile.ZipFile(file) as archive:
            sizes = {}
            for name in archive.namelist():
                with archive.open(name) as opened:
                    sizes[name.removesuffix(".npy")] = math.prod(_head(opened)[0])
            return sizes


def read_arrays(path: Path, most: int | None = None) -> dict[str, Array]:
    """The arrays of an `.npz` file that dlspec wrote.

    Args:
        most: bytes that they may take; None: as many as the file, since it is not compressed.

    Raises:
        OSError, BadZipFile, EOFError, ValueError: see `check_arrays`.
    """
    import numpy as np

    with path.open("rb") as file:
        check_arrays(file, path.stat().st_size if most is None else most)
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def _head(opened: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array; the file stands at its values then."""
    from numpy.lib import format as numpy_format

    version = numpy_format.read_magic(opened)
    read = numpy_format.read_array_header_1_0 if version == (1, 0) else numpy_format.read_array_header_2_0
    shape, _, dtype = read(opened)
    return shape, dtype
