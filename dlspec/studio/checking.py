"""The process that reads specs: it answers questions of the server, a line of JSON each, and can be killed.

`python -m dlspec.studio.checking ROOT [PLUGIN…]` reads questions from standard input. No answer loads TensorFlow.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec.editor.completion import complete as complete_at
from dlspec.editor.examining import Examined, examine
from dlspec.editor.hover import explain_at
from dlspec.language.diagnostics.json import as_values, place_as_values
from dlspec.language.shapes import show_shape
from dlspec.model.folded import folded
from dlspec.model.graph import Graph, GraphLayer
from dlspec.spec.checks import Checked
from dlspec.spec.planning import make_plan
from dlspec.studio.answering import answer, answer_lines
from dlspec.studio.palette import palette

Values = dict[str, Any]
MEMORY = 4 * 2**30
"""Bytes of addresses that the process may have."""
MANY = 24
"""Layers from which on equal ones are folded, where nothing else is asked for."""
CURES = 1.0
"""Seconds that cures are tried out."""
MOST_OFFERED = 120
"""Completions of one place."""
SIZES = ("units", "filters")
"""Keys that say how wide a layer is."""


def check(question: Mapping[str, Any]) -> Values:
    """Everything that the page shows of a text while it is typed: diagnostics, the network and its drawing, stages."""
    began = time.perf_counter()
    examined = _examined(question)
    spec = examined.spec
    answer: Values = {
        "name": spec.name,
        "description": spec.description,
        "diagnostics": _diagnostics(examined),
        "fine": not examined.errors,
        "network": _network(examined, question.get("fold")),
        "stages": [] if examined.errors else _stages(examined.checked),
        "rows": examined.checked.rows,
    }
    answer["milliseconds"] = round((time.perf_counter() - began) * 1e3, 1)
    return answer


def cure(question: Mapping[str, Any]) -> Values:
    """The diagnostics again, with cures as edits, each of which was tried out."""
    examined = _examined(question)
    return {"diagnostics": _diagnostics(examined.with_fixes(seconds=CURES))}


def explain(question: Mapping[str, Any]) -> Values:
    """The spec in plain sentences, in the language that is asked for."""
    from dlspec.views.prose import write_prose

    examined = _examined(question)
    if examined.errors:
        return {"text": None}
    return {"text": write_prose(examined.spec, examined.graph, question.get("language", "en"))}


def offer(question: Mapping[str, Any]) -> Values:
    """The palette: layers, blocks and templates."""
    return palette()


def complete(question: Mapping[str, Any]) -> Values:
    """What may be written at a place."""
    found = complete_at(
        question["text"],
        question["line"],
        question["column"],
        file=question["file"],
        language=question.get("language", "en"),
    )
    return {"completions": [each.as_values() for each in found[:MOST_OFFERED]]}


def hover(question: Mapping[str, Any]) -> Values:
    """What the word at a place means."""
    found = explain_at(
        question["text"],
        question["line"],
        question["column"],
        file=question["file"],
        language=question.get("language", "en"),
    )
    return {"hover": None if found is None else found.as_values()}


QUESTIONS: dict[str, Callable[[Mapping[str, Any]], Values]] = {
    "check": check,
    "cure": cure,
    "complete": complete,
    "hover": hover,
    "explain": explain,
    "palette": offer,
}
"""What may be asked -> what answers it."""


def _examined(question: Mapping[str, Any]) -> Examined:
    return examine(question["text"], file=question["file"], fixes=False)


def _diagnostics(examined: Examined) -> list[Values]:
    """As `dlspec validate --format json` has them; `here` says of a place whether it is in the text that is edited."""
    found: list[Values] = [as_values(each) for each in examined.diagnostics]
    for each in found:
        fixes: list[Values] = each["fixes"]
        for place in (each, *each["places"], *(edit for fix in fixes for edit in fix["edits"])):
            place["here"] = place["file"] == examined.file
            place["file"] = Path(place["file"]).name if place["file"] else None
    return found


def _network(examined: Examined, fold: bool | None) -> Values | None:
    """The drawing as data: places of boxes in rows and columns, and the lines between them.

    Args:
        fold: whether equal layers that follow each other are one box; None: of many layers.
    """
    from dlspec.views.drawing.layout import lay_out
    from dlspec.views.drawing.repeats import fold_repeats

    whole = folded(examined.graph)
    if not whole.layers or not whole.inputs:
        return None
    repeats = fold_repeats(whole)
    folds = len(repeats.graph.layers) < len(whole.layers)
    if folds and (fold if fold is not None else len(whole.layers) > MANY):
        graph, standing = repeats.graph, repeats.standing_for
    else:
        graph, standing = whole, {}
    layout = lay_out(graph)
    boxes: list[Values] = [
        {"name": given.name, "text": "", "shape": show_shape(given.shape), "kind": "input", "lines": [], "layers": 1}
        for given in graph.inputs
    ]
    boxes += [_box(examined, graph, layer, standing.get(layer.name, (layer.name,)), whole) for layer in graph.layers]
    for box in boxes:
        box |= {"row": layout.row[box["name"]], "column": round(layout.column[box["name"]], 3)}
    return {
        "boxes": boxes,
        "edges": [[[round(x, 3), y] for x, y in places] for _, _, places in layout.edges],
        "rows": layout.rows,
        "columns": round(layout.columns, 3),
        "layers": len(whole.layers),
        "folds": folds,
        "folded": bool(standing),
        "parameters": whole.parameters,
        "flops": whole.flops,
        "complete": whole.complete,
    }


def _box(examined: Examined, graph: Graph, layer: GraphLayer, stands: Sequence[str], whole: Graph) -> Values:
    spans = [examined.spans.get(whole[name].path) for name in stands]
    return {
        "name": layer.name,
        "text": layer.text,
        "shape": show_shape(layer.output_shape),
        "parameters": layer.parameters,
        "kind": "output" if layer.name in graph.outputs else "weighted" if layer.layer.has_weights else "plain",
        "broken": layer.output_shape is None,
        "lines": sorted({span.line for span in spans if span is not None and span.file == examined.file}),
        "layers": len(stands),
        "size": _size(examined, layer) if len(stands) == 1 else None,
    }


def _size(examined: Examined, layer: GraphLayer) -> Values | None:
    """Where the number of units of a layer is written, for buttons that change it."""
    node = examined.spec.document.root.deepest(layer.path)
    if not isinstance(node.value, dict) or layer.type_name not in node.value:
        return None
    inner = node.value[layer.type_name]
    value = next((found for key in SIZES if (found := inner.child(key)) is not None), None)
    if value is None and any(key in type(layer.written).model_fields for key in SIZES):
        value = inner  # `dense: 16`
    if value is None or not isinstance(value.value, int) or isinstance(value.value, bool):
        return None
    return {"value": value.value, **place_as_values(value.span)} if value.span.file == examined.file else None


def _stages(checked: Checked) -> list[Values]:
    if not checked.spec.has("train"):
        return []
    plan = make_plan(checked.spec, checked.graph)
    return [{"name": stage.name, "kind": stage.kind, "epochs": stage.epochs} for stage in plan.stages]


def main(root: str, *plugins: str) -> None:
    warming = {"ask": "check", "text": WARMING, "file": "warming.yaml"}
    answer_lines(root, plugins, QUESTIONS, ready=lambda: answer(QUESTIONS, warming), memory=MEMORY)


WARMING = "dlspec: 1\ndata: {dataset: spirals}\nmodel: [dense: 4, output]\ntrain: {epochs: 1}\n"
"""What is checked first, so that everything is loaded that most specs need."""

if __name__ == "__main__":
    main(*sys.argv[1:])
