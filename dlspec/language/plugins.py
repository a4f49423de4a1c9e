"""Files of Python that a person names, on the command line or in a notebook, and that add kinds to the language.

Nothing is loaded because a spec, a run folder or the environment says so.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.diagnostics.errors import DataError, DiagnosticError
from dlspec.language.registry import NameTaken, Registry


@dataclass(frozen=True)
class Plugin:
    """A file that was loaded.

    Args:
        sha256: of its text when it was loaded.
    """

    path: Path
    sha256: str
    module: ModuleType


_loaded: dict[Path, Plugin] = {}


def loaded() -> list[Plugin]:
    """The plugins of this process, in the order in which they were loaded."""
    return list(_loaded.values())


def as_options(paths: Iterable[Path]) -> list[str]:
    """What loads files on the command line: `--plugin my_layers.py`."""
    return [word for path in paths for word in ("--plugin", str(shown(path)))]


def shown(path: Path) -> Path:
    """A path as one would type it: from the current folder, where it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def load(path: str | Path) -> ModuleType:
    """Imports a plugin, so that what it registers can be named in specs; one that was loaded before stays as it is.

    Raises:
        DataError: there is no such file, it is not Python, its code fails, or a name in it is taken.
    """
    given, path = path, Path(path).resolve()
    if path in _loaded:
        return _loaded[path].module
    if path.suffix != ".py":
        help = "name a file `….py`; an installed package needs no `--plugin`"
        raise DataError.of("broken-plugin", f"`{given}` is not a Python file", help=help)
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        code = "file-not-found" if isinstance(error, FileNotFoundError) else "file-unreadable"
        help = "check the path, which is relative to the current folder"
        raise DataError.of(code, f"cannot read the plugin `{given}`: {reason}", help=help) from None
    module = _imported(path, text, str(given))
    _loaded[path] = Plugin(path, hashlib.sha256(text).hexdigest(), module)
    return module


def _imported(path: Path, text: bytes, given: str) -> ModuleType:
    """The module of a file. The text that was hashed is the one that runs, without a `__pycache__`."""
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    name = f"dlspec_plugin_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}_{digest}"
    spec = spec_from_file_location(name, path)
    assert spec is not None, "its name ends in `.py`"
    module = sys.modules[name] = module_from_spec(spec)
    try:
        exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)
        _check_packages(name, path)
    except BaseException as error:
        _forget(name)
        if isinstance(error, DiagnosticError) or not isinstance(error, Exception | SystemExit):
            raise
        raise _broken(path, error, text, given) from None
    return module


def _check_packages(module: str, path: Path) -> None:
    """Raises NameTaken where an installed package adds what the plugin adds."""
    for registry in Registry.made:
        for name in registry.names_of(module):
            package = registry.package_of(name)
            if package is not None:
                said = f"there is {registry.a_noun} `{name}` of the package `{package}`, so `{path}` cannot add one"
                raise NameTaken(said)


def _forget(module: str) -> None:
    """Leaves nothing behind of a plugin that failed halfway, so that it can be loaded once it is mended."""
    for registry in Registry.made:
        for name in registry.names_of(module):
            registry.remove(name)
    del sys.modules[module]


def _broken(path: Path, error: BaseException, text: bytes, given: str) -> DataError:
    """The error of a plugin, at the line of its file."""
    line = _line_of(path, error)
    texts = {given: text.decode("utf-8", "replace")}
    span = None if line is None else _whole_line(given, line, texts[given])
    if isinstance(error, NameTaken):
        return DataError([Diagnostic("broken-plugin", str(error), span, help="choose another name")], texts)
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    said = f"the plugin cannot be loaded: {type(error).__name__}: {reason}".removesuffix(": ")
    if span is None:
        said = said.replace("the plugin", f"the plugin `{given}`", 1)
    help = "mend the plugin, or leave it out if the spec does not need it"
    return DataError([Diagnostic("broken-plugin", said, span, help=help)], texts)


def _line_of(path: Path, error: BaseException) -> int | None:
    """The innermost line of the file that an error came through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(path)]
    return lines[-1] if lines else None


def _whole_line(file: str, number: int, text: str) -> Span:
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    return Span(file, number, len(line) - len(line.lstrip()) + 1, number, len(line) + 1)
