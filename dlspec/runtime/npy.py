"""The `.npy` format of numpy: what the header of an array says, and its values, without loading numpy."""

from __future__ import annotations

import ast
import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
"""Bytes; numpy reads no longer header either, since evaluating it may exhaust the memory."""
BLOCK = 2**20
"""Bytes of values that are read at a time."""
SIZES = {
    "b": (1,),
    "i": (1, 2, 4, 8),
    "u": (1, 2, 4, 8),
    "f": (2, 4, 8, 12, 16),
    "c": (8, 16, 24, 32),
    "m": (8,),
    "M": (8,),
}
"""Kind of values -> how many bytes a value may have; bytes, text and records have any number."""
CODES = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip
"""Kind and size of numbers -> their code in `struct`."""


@dataclass(frozen=True)
class Header:
    """What the header of an array says.

    Args:
        dtype: as it is written: `<f4`, or a list of fields.
        kind: numpy's letter for it: `b` true or false, `i` and `u` whole numbers, `f` numbers, `c` complex numbers,
            `S` bytes, `U` text, `m` and `M` times, `V` records, `O` Python objects, also within records.
        item_size: bytes of a value.
        shape: of the array.
        fortran_order: whether the values of a column are stored one after the other, instead of those of a row.
        start: where the values begin, in bytes.
    """

    dtype: Any
    kind: str
    item_size: int
    shape: tuple[int, ...]
    fortran_order: bool
    start: int

    @property
    def count(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def end(self) -> int:
        """The size of a file with this header."""
        return self.start + self.count * self.item_size

    @property
    def is_plain(self) -> bool:
        """Whether `read_columns` reads its values: numbers of usual sizes, bytes and text."""
        return self.kind in "SU" or f"{self.kind}{self.item_size}" in CODES


def read_header(opened: IO[bytes]) -> Header:
    """The header of an array; the file is at its values afterwards.

    Raises:
        ValueError: it is damaged, too long, or not one that numpy writes.
    """
    start = opened.read(8)
    if len(start) < 8 or start[:6] != MAGIC or tuple(start[6:]) not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError("it is no array of numpy")
    version, form = start[6], "<H" if start[6] == 1 else "<I"
    written = opened.read(struct.calcsize(form))
    (length,) = struct.unpack(form, written) if len(written) == struct.calcsize(form) else (0,)
    if length > LONGEST_HEADER:
        raise ValueError(f"the header of its array has {length:,} bytes")
    text = opened.read(length)
    if len(text) < length:
        raise ValueError("the header of its array is not whole")
    try:
        said = _evaluate(text.decode("utf-8" if version == 3 else "latin1"), version)
        if not isinstance(said, dict) or said.keys() != {"descr", "fortran_order", "shape"}:
            raise ValueError("the header of its array has other keys")
        shape, fortran_order = said["shape"], said["fortran_order"]
        if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"its array has the shape {shape!r}")
        if not isinstance(fortran_order, bool):
            raise ValueError(f"its array has the order {fortran_order!r}")
        kind, item_size = _kind_and_size(said["descr"])
    except (SyntaxError, TypeError, IndexError, UnicodeDecodeError, MemoryError, RecursionError):
        raise ValueError("the header of its array is damaged") from None
    return Header(said["descr"], kind, item_size, shape, fortran_order, 8 + len(written) + length)


def _evaluate(text: str, version: int) -> Any:
    try:
        return ast.literal_eval(text)
    except SyntaxError:
        if version == 3:
            raise
        return ast.literal_eval(re.sub(r"(\d)L\b", r"\1", text))  # Python 2 wrote whole numbers as `3L`


def _kind_and_size(dtype: Any) -> tuple[str, int]:
    """The kind of values, and the bytes of one; raises ValueError or TypeError where there is no such type."""
    if isinstance(dtype, list):
        fields = [_kind_and_size(field[1] if len(field) == 2 else (field[1], field[2])) for field in dtype]
        return "O" if any(kind == "O" for kind, _ in fields) else "V", sum(size for _, size in fields)
    if isinstance(dtype, tuple):  # a field that is an array itself
        inner, shape = dtype
        kind, size = _kind_and_size(inner)
        return kind, size * math.prod(shape if isinstance(shape, tuple) else (shape,))
    found = re.fullmatch(r"[<>=|]?([biufcSUV])(\d+)|[<>=|]?([mM])8(?:\[\w+\])?|[|]?(O)8?", dtype)
    if found is None:
        raise ValueError(f"its array has values of the type {dtype!r}")
    number, digits, time, objects = found.groups()
    kind = number or time or objects
    size = int(digits or 8)
    if size not in SIZES.get(kind, (size,)):
        raise ValueError(f"its array has values of the type {dtype!r}")
    return kind, 4 * size if kind == "U" else size


def read_columns(opened: IO[bytes], header: Header) -> Iterator[list[Sequence[Any]]]:
    """The values of an array, (rows,) or (rows, columns), as lists of columns, each list of some of the rows; bytes
    are text.

    Args:
        opened: at the values; they are plain.

    Raises:
        EOFError: there are fewer values.
        UnicodeDecodeError: bytes are no text in UTF-8, or text is damaged.
    """
    rows, width = header.shape[0], math.prod(header.shape[1:])
    row_size = width * header.item_size
    at_once = rows if header.fortran_order else BLOCK // max(1, row_size)
    for first in range(0, rows, max(1, at_once)):
        count = min(max(1, at_once), rows - first)
        data = opened.read(count * row_size)
        if len(data) < count * row_size:
            raise EOFError("its array has fewer values than its header says")
        values = _unpack(data, header, count * width)
        if header.fortran_order:
            yield [values[column * count : (column + 1) * count] for column in range(width)]
        else:
            yield [values[column::width] for column in range(width)]


def _unpack(data: bytes, header: Header, count: int) -> Sequence[Any]:
    big_endian = header.dtype.startswith(">")
    size = header.item_size
    if header.kind == "U":
        text = data.decode("utf-32-be" if big_endian else "utf-32-le", "surrogatepass")
        return [text[i * size // 4 : (i + 1) * size // 4].rstrip("\0") for i in range(count)]
    if header.kind == "S":
        return [data[i * size : (i + 1) * size].rstrip(b"\0").decode() for i in range(count)]
    return struct.unpack(f"{'>' if big_endian else '<'}{count}{CODES[f'{header.kind}{size}']}", data)
