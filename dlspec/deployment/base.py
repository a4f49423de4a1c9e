"""What an export target declares: how its files are called, and how a network is written."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.registry import Kind, Registry
from dlspec.language.words import did_you_mean, one_of

DEFAULT = "keras"


class ExportTarget(Kind):
    """Base of the formats that a trained network is written in."""

    suffixes: ClassVar[tuple[str, ...]]
    """How the names of its files end, the usual one first."""

    @abstractmethod
    def write(self, model: Any, path: Path) -> None:
        """Writes a `keras.Model`, which takes raw columns, whole or not at all.

        Raises:
            OSError: the system does not let it be written.
        """


EXPORT_TARGETS: Registry[ExportTarget] = Registry("export target", "dlspec.deployment")


def choose_target(path: Path | None, format: str | None) -> ExportTarget:
    """The target of that name, or else the one whose files are called so.

    Raises:
        DataError: there is none, or the file would be called otherwise.
    """
    if format is not None and format not in EXPORT_TARGETS:
        help = did_you_mean(format, EXPORT_TARGETS, otherwise=f"there are {one_of(EXPORT_TARGETS)}")
        raise DataError.of("unknown-export-target", f"there is no format `{format}`", help=help)
    if format is None and path is not None:
        named = [name for name, kind in EXPORT_TARGETS.load_all().items() if path.suffix in kind.suffixes]
        if not named:
            said = f"no format has files that end in `{path.suffix}`" if path.suffix else f"`{path}` names no format"
            raise DataError.of("unknown-export-target", said, help=f"write {_suggestions(path)}")
        format = named[0]
    target = EXPORT_TARGETS[format or DEFAULT]()
    if path is not None and path.suffix not in target.suffixes:
        said = f"`{path}` is no name of a file of the format `{target.type_name}`"
        raise DataError.of("unknown-export-target", said, help=f"write `{path.with_suffix(target.suffixes[0])}`")
    return target


def _suggestions(path: Path) -> str:
    """The path as each format would call it."""
    return " or ".join(f"`{path.with_suffix(kind.suffixes[0])}`" for kind in EXPORT_TARGETS.load_all().values())
