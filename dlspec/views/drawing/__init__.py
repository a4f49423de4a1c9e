"""The network as a drawing: SVG, Mermaid or lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from dlspec.model.graph import Graph
from dlspec.views.drawing.mermaid import draw_mermaid
from dlspec.views.drawing.svg import Box, Drawing, Marks, draw_boxes, draw_svg
from dlspec.views.drawing.text import draw_text

__all__ = ["FORMS", "Box", "Drawing", "Marks", "draw_boxes", "draw_mermaid", "draw_svg", "draw_text"]

FORMS: Mapping[str, Callable[[Graph], str]] = {
    "text": draw_text,
    "svg": partial(draw_svg, alone=True),
    "mermaid": draw_mermaid,
}
"""Each way to draw a network, as a text of its own."""
