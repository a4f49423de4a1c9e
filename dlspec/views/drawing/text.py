"""The network in lines of text: a line for each layer, with rails on the left for what flows past it."""

from __future__ import annotations

from dlspec.language.shapes import show_shape
from dlspec.model.graph import Graph

NODE, RAIL = "●", "│"


def draw_text(graph: Graph) -> str:
    """A line for each input and layer, between them lines where rails part and come together."""
    open_uses = {name: len(users) for name, users in graph.consumers.items()}
    rails: list[str | None] = []  # what flows in each, None in one that is free
    rows: list[tuple[str, str, str, str]] = []
    for given in graph.inputs:
        _enter(rails, given.name)
        rows.append((_line(rails, rails.index(given.name)), given.name, "", show_shape(given.shape)))
    for layer in graph.layers:
        sources = [source for source in dict.fromkeys(layer.inputs) if source in rails]
        for source in layer.inputs:
            open_uses[source] -= 1
        ending = [source for source in sources if open_uses[source] == 0]
        if ending:
            at = rails.index(ending[0])
            joined = [rails.index(source) for source in sources if source != ending[0]]
        else:
            at = _enter(rails, None)
            joined = [rails.index(source) for source in sources]
        if joined:
            rows.append((_join(rails, at, joined, open_uses), "", "", ""))
        for source in ending[1:]:
            rails[rails.index(source)] = None
        rails[at] = layer.name
        rows.append((_line(rails, at), layer.name, layer.text, show_shape(layer.output_shape)))
        if not open_uses[layer.name]:
            rails[at] = None
    return "\n".join(_columns(rows))


def _enter(rails: list[str | None], name: str | None) -> int:
    """Takes the leftmost free rail."""
    at = next((number for number, held in enumerate(rails) if held is None), len(rails))
    if at == len(rails):
        rails.append(name)
    else:
        rails[at] = name
    return at


def _line(rails: list[str | None], at: int) -> str:
    signs = [NODE if number == at else RAIL if held is not None else " " for number, held in enumerate(rails)]
    return " ".join(signs).rstrip()


def _join(rails: list[str | None], at: int, joined: list[int], open_uses: dict[str, int]) -> str:
    """The line above a layer at `at`: rails that come to it from the side, and go on below or end here."""
    first, last = min(at, *joined), max(at, *joined)
    signs = []
    for number, held in enumerate(rails):
        goes_on = held is not None and (number == at or number not in joined or open_uses[held] > 0)
        came = held is not None
        left, right = first < number <= last, first <= number < last
        if number == at or number in joined:
            signs.append(_corner(came, goes_on or number == at, left, right))
        elif left and right:
            signs.append("┼" if came else "─")
        else:
            signs.append(RAIL if came else " ")
        signs.append("─" if first <= number < last else " ")
    return "".join(signs).rstrip()


_CORNERS = {
    (True, True, True, True): "┼",
    (True, True, True, False): "┤",
    (True, True, False, True): "├",
    (True, False, True, True): "┴",
    (True, False, True, False): "╯",
    (True, False, False, True): "╰",
    (False, True, True, True): "┬",
    (False, True, True, False): "╮",
    (False, True, False, True): "╭",
}


def _corner(up: bool, down: bool, left: bool, right: bool) -> str:
    return _CORNERS.get((up, down, left, right), RAIL)


def _columns(rows: list[tuple[str, str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    widths[2] = min(widths[2], 44)
    lines = []
    for rails, name, written, shape in rows:
        short = written if len(written) <= widths[2] else f"{written[: widths[2] - 1]}…"
        lines.append(f"{rails:{widths[0]}}  {name:{widths[1]}}  {short:{widths[2]}}  {shape}".rstrip())
    return lines
