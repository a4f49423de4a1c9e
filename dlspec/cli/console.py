"""The terminal, which nothing out of a file steers: control characters in it are written out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

from dlspec.language.diagnostics.text import visible


class Console(RichConsole):
    """Shows names, descriptions and values of files as they are, and control characters among them as `\\\\u001b`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
