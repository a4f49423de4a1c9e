"""A Mermaid flowchart, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

from dlspec.language.shapes import show_shape
from dlspec.model.folded import folded
from dlspec.model.graph import Graph


def draw_mermaid(graph: Graph) -> str:
    """`flowchart TD`: a node for each input and layer, an arrow for what flows. Each network that others have trained
    is one node."""
    graph = folded(graph)
    ids = {name: f"n{number}" for number, name in enumerate([*(i.name for i in graph.inputs), *graph.by_name])}
    lines = ["flowchart TD"]
    lines += [f'    {ids[given.name]}(["{_text(given.name, show_shape(given.shape))}"])' for given in graph.inputs]
    for layer in graph.layers:
        text = _text(layer.name, layer.text, show_shape(layer.output_shape))
        opened, closed = ('[["', '"]]') if layer.name in graph.outputs else ('["', '"]')
        lines.append(f"    {ids[layer.name]}{opened}{text}{closed}")
        lines += [f"    {ids[source]} --> {ids[layer.name]}" for source in layer.inputs if source in ids]
    return "\n".join(lines)


def _text(*lines: str) -> str:
    escaped = (line.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;") for line in lines)
    return "<br/>".join(line.replace("`", "&#96;") for line in escaped)
