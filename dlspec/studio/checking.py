"""The process that reads specs: it answers questions of the server, a line of JSON each, and can be killed.

`python -m dlspec.studio.checking ROOT [PLUGIN…]` reads questions from standard input. No answer loads TensorFlow.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dlspec.api import examine_briefly
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.plugins import load
from dlspec.language.shapes import show_shape
from dlspec.language.yaml import read_text
from dlspec.model.folded import folded
from dlspec.model.graph import Graph, GraphLayer
from dlspec.spec.checks import Checked
from dlspec.spec.planning import make_plan
from dlspec.studio.confinement import confine
from dlspec.studio.palette import palette

Values = dict[str, Any]
MEMORY = 4 * 2**30
"""Bytes of addresses that the process may have."""
SIZES = ("units", "filters")
"""Keys that say how wide a layer is."""


def check(question: Mapping[str, Any]) -> Values:
    """Everything that the page shows of a text while it is typed: diagnostics, the network and its drawing, stages."""
    began = time.perf_counter()
    checked = _examined(question)
    spec, file = checked.spec, str(question["file"])
    answer: Values = {
        "name": spec.name,
        "description": spec.description,
        "diagnostics": [_diagnostic(found, file) for found in checked.diagnostics],
        "fine": not checked.errors,
        "network": _network(checked, file),
        "stages": [] if checked.errors else _stages(checked),
        "rows": checked.rows,
    }
    answer["milliseconds"] = round((time.perf_counter() - began) * 1e3, 1)
    return answer


def explain(question: Mapping[str, Any]) -> Values:
    """The spec in plain sentences, in the language that is asked for."""
    from dlspec.views.prose import write_prose

    checked = _examined(question)
    if checked.errors:
        return {"text": None}
    return {"text": write_prose(checked.spec, checked.graph, question.get("language", "en"))}


def offer(question: Mapping[str, Any]) -> Values:
    """The palette: layers, blocks and templates."""
    return palette()


QUESTIONS: dict[str, Callable[[Mapping[str, Any]], Values]] = {"check": check, "explain": explain, "palette": offer}
"""What may be asked -> what answers it."""


def _examined(question: Mapping[str, Any]) -> Checked:
    return examine_briefly(read_text(question["text"], str(question["file"])))


def _diagnostic(found: Diagnostic, file: str) -> Values:
    """A diagnostic whose places count lines and columns from 1, in characters; `here`: in the text that is edited."""
    return {
        "severity": found.severity.value,
        "code": found.code,
        "message": found.message,
        "help": found.help,
        "notes": list(found.notes),
        "span": _span(found.span, file),
        "labels": [{"span": _span(label.span, file), "text": label.text} for label in found.places],
    }


def _span(span: Span | None, file: str) -> Values | None:
    if span is None:
        return None
    values = {name: value for name, value in asdict(span).items() if name not in ("file", "trail")}
    return {**values, "here": span.file == file, "file": Path(span.file).name}


def _network(checked: Checked, file: str) -> Values | None:
    """The drawing as data: places of boxes in rows and columns, and the lines between them."""
    from dlspec.views.drawing.layout import lay_out

    graph = folded(checked.graph)
    if not graph.layers or not graph.inputs:
        return None
    layout = lay_out(graph)
    boxes: list[Values] = [
        {"name": given.name, "text": "", "shape": show_shape(given.shape), "kind": "input", "line": None}
        for given in graph.inputs
    ]
    boxes += [_box(checked, graph, layer, file) for layer in graph.layers]
    for box in boxes:
        box |= {"row": layout.row[box["name"]], "column": round(layout.column[box["name"]], 3)}
    return {
        "boxes": boxes,
        "edges": [[[round(x, 3), y] for x, y in places] for _, _, places in layout.edges],
        "rows": layout.rows,
        "columns": round(layout.columns, 3),
        "parameters": graph.parameters,
        "flops": graph.flops,
        "complete": graph.complete,
    }


def _box(checked: Checked, graph: Graph, layer: GraphLayer, file: str) -> Values:
    document = checked.spec.document
    span = document.span(*layer.path)
    kind = "output" if layer.name in graph.outputs else "weighted" if layer.layer.has_weights else "plain"
    return {
        "name": layer.name,
        "text": layer.text,
        "shape": show_shape(layer.output_shape),
        "parameters": layer.parameters,
        "kind": kind,
        "broken": layer.output_shape is None,
        "line": span.line if span.file == file else None,
        "size": _size(checked, layer, file),
    }


def _size(checked: Checked, layer: GraphLayer, file: str) -> Values | None:
    """Where the number of units of a layer is written, for buttons that change it."""
    node = checked.spec.document.root.deepest(layer.path)
    if not isinstance(node.value, dict) or layer.type_name not in node.value:
        return None
    inner = node.value[layer.type_name]
    key, value = next(((k, found) for k in SIZES if (found := inner.child(k)) is not None), ("", inner))
    if not isinstance(value.value, int) or isinstance(value.value, bool) or value.span.file != file:
        return None
    if not key:  # `dense: 16`, of a layer whose first value is its size
        fields = type(layer.written).model_fields
        key = next((name for name in SIZES if name in fields), "")
    return {"key": key, "value": value.value, "span": _span(value.span, file)} if key else None


def _stages(checked: Checked) -> list[Values]:
    if not checked.spec.has("train"):
        return []
    plan = make_plan(checked.spec, checked.graph)
    return [{"name": stage.name, "kind": stage.kind, "epochs": stage.epochs} for stage in plan.stages]


def answer(question: Mapping[str, Any]) -> Values:
    """The answer to a question; what cannot be answered is under `error`."""
    try:
        return QUESTIONS[question["ask"]](question)
    except (DataError, SpecError) as error:
        return {"error": error.diagnostics[0].message}
    except MemoryError:
        return {"error": "there is not enough memory to check this spec"}
    except RecursionError:
        return {"error": "the spec is nested too deeply"}


def main(root: str, *plugins: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    sys.dont_write_bytecode = True
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for plugin in plugins:
        load(plugin)
    os.chdir(root)
    confine(Path(root), writes=False)
    answer({"ask": "check", "text": WARMING, "file": "warming.yaml"})
    answers.write('{"ready": true}\n')
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line)), ensure_ascii=True) + "\n")
        answers.flush()


WARMING = "dlspec: 1\ndata: {dataset: spirals}\nmodel: [dense: 4, output]\ntrain: {epochs: 1}\n"
"""What is checked first, so that everything is loaded that most specs need."""

if __name__ == "__main__":
    main(*sys.argv[1:])
