"""A place in a file."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file. Lines and columns count from 1, in characters; the end is exclusive.

    `trail` holds further places that the text came through, such as the use of a block; it is no part of equality.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    trail: tuple[Label, ...] = field(default=(), compare=False)

    @property
    def in_file(self) -> bool:
        """Whether `file` is the path of a file, and not `<stdin>`, text from Python or a value of `--set`."""
        return not self.file.startswith(("<", "--set "))


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a diagnostic, with the words that stand under it."""

    span: Span
    text: str
