"""An `<svg>` of the network from its inputs to its outputs: a box for each layer, with the shape that flows on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from dlspec.language.diagnostics import Span
from dlspec.language.shapes import Path, Shape, show_shape
from dlspec.model.folded import folded, frozen_parts
from dlspec.model.graph import Graph, GraphLayer
from dlspec.views.drawing.layout import lay_out
from dlspec.views.drawing.repeats import Repeats, fold_repeats

BOX, GAP, COLUMN, MARGIN = 62, 30, 330, 6
NARROW, WIDE = 220, 310
LETTER = 6.6
"""Pixels of a letter."""
STYLE = (
    "<style>text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#334155}"
    ".name{font-weight:600;font-size:13px;fill:#0f172a}.shape{fill:#475569}"
    "rect{fill:#f8fafc;stroke:#94a3b8}rect.weighted{fill:#e0f2fe;stroke:#0284c7}"
    "rect.input{fill:#fff;stroke-dasharray:4 3}rect.output{fill:#dcfce7;stroke:#16a34a}</style>"
)

TEXT = "font:11px ui-monospace,Menlo,Consolas,monospace;fill:currentColor"
INLINE = {
    "drawing": "max-width:100%;height:auto",
    "name": f"{TEXT};font-weight:600;font-size:13px",
    "written": TEXT,
    "shape": f"{TEXT};opacity:.75",
    "input": "fill:none;stroke:#94a3b8;stroke-dasharray:4 3",
    "plain": "fill:#94a3b8;fill-opacity:.1;stroke:#94a3b8",
    "weighted": "fill:#0284c7;fill-opacity:.15;stroke:#0284c7",
    "output": "fill:#16a34a;fill-opacity:.15;stroke:#16a34a",
}
"""The same as styles of each text and box, in colors for a light page and a dark one."""


@dataclass(frozen=True)
class Marks:
    """Names of layers that training treats in a way of their own."""

    pretrained: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()

    partly: tuple[str, ...] = ()
    """Networks of which some layers are frozen."""

    def of(self, name: str) -> str:
        mark = " · pretrained" if name in self.pretrained else ""
        if name in self.frozen:
            return f"{mark}, then frozen" if mark else " · frozen"
        return f"{mark} · partly frozen" if name in self.partly else mark

    def folded(self, graph: Graph) -> Marks:
        """Those of the same graph, in which each network that others have trained is a layer."""
        held = frozen_parts(graph, self.frozen)
        whole = tuple(name for name, all_of_it in held.items() if all_of_it)
        return Marks(self.pretrained, self.frozen + whole, tuple(held.keys() - {*whole}))


@dataclass(frozen=True)
class Box:
    """An input or layer of a drawing.

    Args:
        name: of the layer.
        kind: `input`, `plain`, `weighted` or `output`.
        text: as one would write it.
        shape: of what comes out, in words.
        parameters: of all that it stands for.
        layers: names of the layers that it stands for: several where equal ones are folded.
        path: of the layer in the spec, such as `model.3`; empty for an input.
        span: where it is written, as far as that is known.
        x, y, width, height: of the box, in the units of the drawing's `viewBox`.
    """

    name: str
    kind: str
    text: str
    shape: str
    parameters: int
    layers: tuple[str, ...]
    path: str
    span: Span | None
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """An SVG and what its boxes are, in the order of the layers, inputs first."""

    svg: str
    boxes: tuple[Box, ...]


def draw_svg(graph: Graph, marks: Marks | None = None, *, alone: bool = False, inline: bool = False) -> str:
    """The drawing; each network that others have trained is a box.

    Args:
        alone: for a file of its own, which brings its colors along; a report has them in its style sheet.
        inline: for a page that belongs to others, whose look nothing in it changes.
    """
    return draw_boxes(graph, marks, alone=alone, inline=inline).svg


def draw_boxes(
    graph: Graph,
    marks: Marks | None = None,
    *,
    alone: bool = False,
    inline: bool = False,
    fold: bool = False,
    spans: Mapping[Path, Span] | None = None,
) -> Drawing:
    """The same with its boxes as data.

    Inline, each box is a `<g>` with the attributes `data-layer`, `data-path` and, where it is known, `data-line`.

    Args:
        fold: whether equal layers that follow each other are drawn once.
        spans: path in the spec -> where that is written.
    """
    marks = (marks or Marks()).folded(graph)
    graph = folded(graph)
    repeats = fold_repeats(graph) if fold else Repeats(graph, {})
    graph = repeats.graph
    layout = lay_out(graph)
    width = round(layout.columns * COLUMN) + 2 * MARGIN
    height = layout.rows * (BOX + GAP) - GAP + 2 * MARGIN
    largest = max(_size(shape) for shape in (*(i.shape for i in graph.inputs), *(x.output_shape for x in graph.layers)))
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    parts = [
        f'<svg{space} role="img" aria-label="The network, layer by layer" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" {_look("drawing", inline)}>',
        STYLE if alone else "",
        *(_edge([_center(*place) for place in places]) for _, _, places in layout.edges),
    ]
    boxes = []
    for given in graph.inputs:
        center = _center(layout.column[given.name], layout.row[given.name])
        corners, shape = _corners(center, _share(given.shape, largest)), show_shape(given.shape)
        boxes.append(Box(given.name, "input", "", shape, 0, (given.name,), "", None, *corners))
        parts += _drawn(boxes[-1], boxes[-1].name, boxes[-1].shape, inline)
    for layer in graph.layers:
        center = _center(layout.column[layer.name], layout.row[layer.name])
        count = f" · {layer.parameters:,} parameters" if layer.parameters else ""
        shape = show_shape(layer.output_shape)
        stands = repeats.standing_for.get(layer.name, (layer.name,))
        span = spans.get(layer.path) if spans else None
        path = ".".join(map(str, layer.path))
        corners, sort = _corners(center, _share(layer.output_shape, largest)), _sort(graph, layer)
        boxes.append(Box(layer.name, sort, layer.text, shape, layer.parameters, stands, path, span, *corners))
        title = f"{layer.name} × {len(stands)}" if len(stands) > 1 else layer.name
        parts += _drawn(boxes[-1], title, shape + count + marks.of(layer.name), inline)
    return Drawing("".join([*parts, "</svg>"]), tuple(boxes))


def _look(kind: str, inline: bool) -> str:
    """The attribute that a style sheet takes hold of, or what stands there itself."""
    return f'style="{INLINE[kind]}"' if inline else f'class="{kind}"'


def _sort(graph: Graph, layer: GraphLayer) -> str:
    if layer.name in graph.outputs:
        return "output"
    return "weighted" if layer.layer.has_weights else "plain"


def _center(column: float, row: int) -> tuple[float, float]:
    return MARGIN + (column + 0.5) * COLUMN, MARGIN + row * (BOX + GAP) + BOX / 2


def _edge(centers: list[tuple[float, float]]) -> str:
    """A line from below the first box to above the last, through the places between them."""
    (x, y), *between = centers
    path = f"M{x:.0f} {y + BOX / 2 + 3:.0f}"
    y += BOX / 2 + 3
    for number, (next_x, next_y) in enumerate(between, 1):
        top = next_y - BOX / 2 - (3 if number == len(between) else 0)
        bend = (top - y) / 2
        path += f"C{x:.0f} {y + bend:.0f} {next_x:.0f} {top - bend:.0f} {next_x:.0f} {top:.0f}"
        x, y = next_x, top
        if number < len(between):
            y = next_y + BOX / 2
            path += f"L{x:.0f} {y:.0f}"
    return (
        f'<path d="{path}" fill="none" stroke="#94a3b8" stroke-width="1.5"/>'
        f'<path data-tip="" d="M{x - 5:.0f} {y - 8:.0f}h10l-5 9z" fill="#94a3b8"/>'
    )


def _size(shape: Shape | None) -> int:
    return math.prod(size or 1 for size in shape[1:]) if shape else 1


def _share(shape: Shape | None, largest: int) -> float:
    """How wide a box is: by the logarithm of what comes out, from 0 to 1."""
    return math.log(_size(shape) + 1) / math.log(largest + 1)


def _corners(center: tuple[float, float], share: float) -> tuple[float, float, float, float]:
    """Of a box: left, top, width and height."""
    width = NARROW + (WIDE - NARROW) * share
    return center[0] - width / 2, center[1] - BOX / 2, width, BOX


def _drawn(box: Box, title: str, below: str, inline: bool) -> list[str]:
    x, y = box.x + box.width / 2, box.y + box.height / 2
    lines = [("name", title, -12), ("written", box.text, 5), ("shape", below, 21)]
    parts = [
        f'<rect {_look(box.kind, inline)} x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{BOX}" '
        'rx="8"/>',
        *(
            f'<text {_look(kind, inline)} x="{x:.0f}" y="{y + down:.0f}" text-anchor="middle">'
            f"{escape(_short(text, int(WIDE / LETTER)))}</text>"
            for kind, text, down in lines
            if text
        ),
    ]
    if not inline:
        return parts
    line = f' data-line="{box.span.line}"' if box.span is not None else ""
    return [f'<g data-layer="{escape(box.name)}" data-path="{escape(box.path)}"{line}>', *parts, "</g>"]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
