"""A text that may be half typed: what is wrong with it, cures as edits, and the network as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dlspec.data.sources.reading import briefly
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.diagnostics.json import as_values, place_as_values
from dlspec.language.yaml import Document, read_file, read_text
from dlspec.model.graph import Graph
from dlspec.spec.checks import Checked, check
from dlspec.spec.composition import compose
from dlspec.spec.fixes import with_fixes
from dlspec.spec.spec import Spec
from dlspec.views.drawing import Box, Drawing, draw_boxes

UNTITLED = "untitled.yaml"
SECONDS = 0.5
"""How long cures are tried out, where nothing else is asked for."""


@dataclass(frozen=True)
class Examined:
    """A text after all checks.

    Args:
        file: its name, as it stands in the diagnostics.
        text: as it was given.
        checked: the spec as far as it can be read, and its network.
        diagnostics: in file order, with cures as edits where they were asked for.
    """

    file: str
    text: str
    checked: Checked
    diagnostics: list[Diagnostic]

    @property
    def spec(self) -> Spec:
        """As far as it can be read: in place of what is wrong stands what was probably meant, or a default."""
        return self.checked.spec

    @property
    def graph(self) -> Graph:
        """The network as far as it goes; shapes are None where nothing is known, because of a mistake above."""
        return self.checked.graph

    @property
    def errors(self) -> list[Diagnostic]:
        return [problem for problem in self.diagnostics if problem.is_error]

    @cached_property
    def spans(self) -> dict[tuple[str | int, ...], Span]:
        """Path of each layer in the spec -> where it is written; of a layer in a block, in its block."""
        document = self.spec.document
        paths = {layer.path for layer in self.graph.layers} if self.spec.has("model") else set()
        return {path: document.span(*path) for path in paths}

    def with_fixes(self, *, about: list[Diagnostic] | None = None, seconds: float | None = SECONDS) -> Examined:
        """The same with cures as edits.

        Args:
            about: the diagnostics of which they are looked for; None: all.
            seconds: how long edits are tried out; None: until all were.
        """
        with briefly():
            return replace(self, diagnostics=with_fixes(self.checked, about=about, seconds=seconds))

    def draw(self, *, fold: bool = False) -> Drawing:
        """The network as far as it goes, for a page that has a look of its own, with its boxes as data.

        Args:
            fold: whether equal layers that follow each other are drawn once.
        """
        return draw_boxes(self.graph, inline=True, fold=fold, spans=self.spans)

    def as_values(self, *, fold: bool = False) -> dict[str, Any]:
        """As plain values for JSON.

        `file`, `valid`, `diagnostics` (as `dlspec validate --format json` has them), and of the network `svg`, `boxes`,
        `parameters` and `flops`.
        """
        drawing = self.draw(fold=fold)
        return {
            "file": self.file,
            "valid": not self.errors,
            "diagnostics": [as_values(problem) for problem in self.diagnostics],
            "svg": drawing.svg,
            "boxes": [_box(box) for box in drawing.boxes],
            "parameters": self.graph.parameters,
            "flops": self.graph.flops,
        }


def _box(box: Box) -> dict[str, Any]:
    """A box as plain values, its place flat beside the rest."""
    values = {name: getattr(box, name) for name in box.__dataclass_fields__ if name not in ("span", "layers")}
    return {**values, "layers": list(box.layers), **place_as_values(box.span)}


def examine(
    text_or_path: str | Path,
    *,
    folder: str | Path | None = None,
    file: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    fixes: bool = True,
    seconds: float | None = SECONDS,
) -> Examined:
    """Checks a spec that may be half typed, and never raises because of what it says.

    Args:
        text_or_path: a `Path`, or a text. A `str` of one line is the name of a file, unless `folder` or `file` says
            that it is a text.
        folder: what relative paths in the text start from.
        file: what the text is called in diagnostics; by default `untitled.yaml` in the folder. It need not be there.
        overrides: other values, dotted path -> value.
        fixes: whether cures come as edits, too, which takes a check for each.
        seconds: how long edits are tried out at most; None: as long as it takes.

    Returns:
        What is wrong, as data, the spec and the network as far as they go.

    Raises:
        DataError: a file that was named cannot be read. Of a text nothing is raised.
    """
    examined = examine_document(as_document(text_or_path, folder, file), overrides)
    return examined.with_fixes(seconds=seconds) if fixes else examined


def as_document(text_or_path: str | Path, folder: str | Path | None, file: str | Path | None) -> Document:
    """What `examine` takes, read.

    Raises:
        DataError: a file that was named cannot be read.
    """
    is_text = isinstance(text_or_path, str) and (
        "\n" in text_or_path or folder is not None or file is not None or not text_or_path.strip()
    )
    if not is_text:
        return read_file(text_or_path)
    return read_text(str(text_or_path), str(file) if file is not None else str(Path(folder or "") / UNTITLED))


def examine_document(document: Document, overrides: Mapping[str, Any] | None = None) -> Examined:
    """The same of a text that was read, without cures as edits."""
    text = document.texts[document.file]
    try:
        with briefly():
            checked = check(compose(document, overrides))
    except DataError as error:  # a package that adds to dlspec is broken
        with briefly():
            checked = check(compose(read_text("dlspec: 1\n", document.file)))
        checked = replace(checked, diagnostics=error.diagnostics)
    return Examined(document.file, text, checked, checked.diagnostics)
