"""The network as a drawing: a box a layer, as wide as its output is large, with the shape that flows on."""

from __future__ import annotations

import math
from html import escape

from dlspec.graphs import Graph
from dlspec.layers import Shape, show_shape
from dlspec.source import to_inline_yaml
from dlspec.spec import Spec

WIDTH, BOX, GAP = 640, 46, 30
MIDDLE = 210


def draw_network(spec: Spec, graph: Graph, pretrained: tuple[str, ...], frozen: tuple[str, ...]) -> str:
    """An `<svg>` of the network from input to output. Layers in `pretrained` and `frozen` carry a mark."""
    rows = 1 + len(graph.layers)
    height = rows * BOX + (rows - 1) * GAP + 12
    parts = [
        f'<svg role="img" aria-label="The network, layer by layer" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" class="drawing">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#94a3b8"/></marker></defs>',
    ]
    values = [_size(graph.input_shape), *(_size(layer.output_shape) for layer in graph.layers)]
    largest = max(values)
    top = 6
    parts += _box(top, values[0], largest, "input", "", show_shape(graph.input_shape), "", "input")
    for layer, size in zip(graph.layers, values[1:], strict=True):
        parts.append(
            f'<line x1="{MIDDLE}" y1="{top + BOX + 3}" x2="{MIDDLE}" y2="{top + BOX + GAP - 3}" '
            'stroke="#94a3b8" stroke-width="1.5" marker-end="url(#tip)"/>'
        )
        top += BOX + GAP
        sort = "output" if layer is graph.layers[-1] else "weighted" if layer.layer.has_weights else "plain"
        written = to_inline_yaml(layer.written.brief())
        count = f"{layer.parameters:,} parameters" if layer.parameters else ""
        mark = " · pretrained" if layer.name in pretrained else ""
        mark += ", then frozen" if layer.name in frozen else ""
        parts += _box(top, size, largest, layer.name, written, show_shape(layer.output_shape), count + mark, sort)
    parts.append("</svg>")
    return "".join(parts)


def _size(shape: Shape | None) -> int:
    return math.prod(size or 1 for size in shape[1:]) if shape else 1


def _box(top: int, size: int, largest: int, name: str, written: str, shape: str, count: str, sort: str) -> list[str]:
    share = math.log(size + 1) / math.log(largest + 1)
    width = 240 + 150 * share
    left = MIDDLE - width / 2
    aside = MIDDLE + 210
    written = _short(written, int(width / 6.6))  # pixels of a letter
    first = f"<tspan>{escape(name)}</tspan>"
    return [
        f'<rect class="{sort}" x="{left:.0f}" y="{top}" width="{width:.0f}" height="{BOX}" rx="8"/>',
        f'<text class="name" x="{MIDDLE}" y="{top + 20}" text-anchor="middle">{first}</text>',
        f'<text class="written" x="{MIDDLE}" y="{top + 36}" text-anchor="middle">{escape(written)}</text>',
        f'<text class="shape" x="{aside}" y="{top + 20}">{escape(shape)}</text>',
        f'<text class="count" x="{aside}" y="{top + 36}">{escape(count)}</text>',
    ]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
