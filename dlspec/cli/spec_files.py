"""Which specs a command is asked about: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator

from dlspec.language.diagnostics import Findings
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import MAX_BYTES, Document, read_bytes, read_file

STANDARD_INPUT = "<stdin>"
_IS_SPEC = re.compile(rb"^(?:\{\s*)?[\"']?dlspec[\"']?\s*(?::|\xef\xbc\x9a)", re.MULTILINE)


def find_specs(arguments: Iterable[str]) -> Iterator[str | Findings]:
    """The names of the specs, each once; findings for an argument that leads to none."""
    seen: set[str] = set()
    for argument in arguments:
        try:
            for file in _files(argument):
                if (place := os.path.normpath(file)) not in seen:
                    seen.add(place)
                    yield file
        except DataError as error:
            yield Findings(argument, error.diagnostics, unreadable=True)


def read_spec_file(file: str) -> Document:
    """Reads a spec that `find_specs` named.

    Raises:
        DataError: the file cannot be read.
    """
    if file == STANDARD_INPUT:
        return read_bytes(sys.stdin.buffer.read(MAX_BYTES + 1), file)
    return read_file(file)


def _files(argument: str) -> Iterator[str]:
    if argument == "-":
        yield STANDARD_INPUT
    elif os.path.isdir(argument):
        yield from _in_folder(argument)
    elif glob.has_magic(argument) and not os.path.exists(argument):  # in quotation marks, or on Windows
        found = sorted(glob.glob(argument, recursive=True))
        if not found:
            help = "look at the folder; `**` stands for any folders in between"
            raise DataError.of("file-not-found", f"no file matches `{argument}`", help=help)
        for path in found:
            yield from _in_folder(path) if os.path.isdir(path) else [path]
    else:
        yield argument


def _in_folder(folder: str) -> Iterator[str]:
    """The specs below a folder, by name: no hidden folders, no run folders, no other YAML files."""
    empty = True
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "runs")
        for name in sorted(files):
            file = os.path.join(path, name)
            if name.endswith((".yaml", ".yml")) and not name.startswith(".") and _is_spec(file):
                empty = False
                yield file
    if empty:
        help = "a spec is a file `….yaml` with a line `dlspec: 1`"
        raise DataError.of("file-not-found", f"there is no spec in the folder `{folder}`", help=help)


def _is_spec(file: str) -> bool:
    """Whether the file has a key `dlspec` at its top, in any encoding. What cannot be read is one, to be reported."""
    try:
        with open(file, "rb") as opened:
            data = opened.read(MAX_BYTES)
    except OSError:
        return True
    return bool(_IS_SPEC.search(data.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip(b"\xff\xfe")))
