"""Reading archives that a stranger may have made: nothing is pickled, nothing unfolds to more than it is allowed."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dlspec.runtime.npy import Header, read_header

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

BROKEN = (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What reading an archive raises."""
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
"""How a file with archived arrays begins, for numpy."""
CHECKSUM = "checksum"
"""What the array is called that tells whether the others are as they were."""
PICKLE = b"\x80"
"""How pickled objects begin."""


class TooLarge(ValueError):
    """An archive unfolds to more than there may be."""


class Pickled(ValueError):
    """An array holds Python objects, and reading them could run anything."""


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


def check_array(file: IO[bytes], size: int) -> Header:
    """The header of the array in an `.npy` file.

    Args:
        size: of the file.

    Raises:
        Pickled: it holds Python objects.
        ValueError: it is no array, or has less than its header promises.
    """
    if file.read(1) == PICKLE:
        raise Pickled("it is pickled")
    file.seek(0)
    header = read_header(file)
    if header.kind == "O":
        raise Pickled("its array is pickled")
    if header.end > size:
        raise ValueError(f"its array promises {header.end:,} bytes and has {size:,}")
    return header


def check_arrays(file: IO[bytes], most: int) -> dict[str, Header]:
    """The headers of the arrays in an `.npz` file by their members; numpy would make room for whatever they promise.

    Raises:
        BadZipFile: it is no archive.
        Pickled: an array holds Python objects.
        ValueError: see `check_members`; or a member is no array, or has not the size that its header promises.
    """
    headers = {}
    with zipfile.ZipFile(file) as archive:
        check_members(archive, most)
        for member in archive.infolist():
            with archive.open(member) as opened:
                header = read_header(opened)
            if header.kind == "O":
                raise Pickled(f"its array `{member.filename}` is pickled")
            if header.end != member.file_size:
                said = f"promises {header.end:,} bytes and has {member.file_size:,}"
                raise ValueError(f"its array `{member.filename}` {said}")
            headers[member.filename] = header
    return headers


def array_sizes(path: Path) -> dict[str, int]:
    """How many numbers each array of an `.npz` file that dlspec wrote holds, read off the headers alone.

    Raises:
        OSError, BadZipFile, ValueError: see `check_arrays`.
    """
    with path.open("rb") as file:
        headers = check_arrays(file, path.stat().st_size)
    return {name.removesuffix(".npy"): header.count for name, header in headers.items()}


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


def with_checksum(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays, and a checksum of them by which a change is noticed."""
    return {CHECKSUM: _checksum(arrays), **arrays}


def without_checksum(arrays: dict[str, Array]) -> dict[str, Array]:
    """The arrays that `with_checksum` was given. Raises ValueError where they are not what they were."""
    checksum = arrays.pop(CHECKSUM)
    if checksum.tobytes() != _checksum(arrays).tobytes():
        raise ValueError("its checksum is another")
    return arrays


def _checksum(arrays: Mapping[str, Array]) -> Array:
    """Of names, forms and values."""
    import numpy as np

    digest = hashlib.blake2b(digest_size=32)
    for name, values in sorted(arrays.items()):
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).data.cast("B") if values.size else b"")
    return np.frombuffer(digest.digest(), "uint8")
