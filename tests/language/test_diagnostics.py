import json

from dlspec.api import validate
from dlspec.language.diagnostics import Diagnostic, Label, Severity, Span, in_file_order, render_json, render_text
from dlspec.language.yaml import read_file


def rendered(path) -> str:
    return render_text(validate(path), read_file(path).texts).replace(str(path), "spec.yaml")


def test_a_shape_mismatch_shows_both_lines_and_the_cure(write_spec):
    path = write_spec(
        "dlspec: 1\ndata: {dataset: goog, window: {length: 30}}\nmodel:\n"
        "  - lstm: 64\n  - dropout: 0.2\n  - lstm: 32\n  - output\n"
    )
    assert rendered(path) == (
        "spec.yaml:6:5: error[shape-mismatch]: `lstm` needs (batch, timesteps, features), got (batch, 64)\n"
        "  |\n"
        "4 |   - lstm: 64\n"
        "  |     ---- returns only its last output: (batch, 64)\n"
        "6 |   - lstm: 32\n"
        "  |     ^^^^\n"
        "help: write `lstm: {units: 64, return_sequences: true}` on line 4"
    )


def test_carets_stand_right_under_korean_text(write_spec):
    path = write_spec("dlspec: 1\nname: 주가\ndata: {dataset: iris, 목표: 종가}\nmodel: [output]\n")
    assert "3 | data: {dataset: iris, 목표: 종가}\n  |                       ^^^^\n" in rendered(path)


def test_marks_on_one_line_stand_below_each_other():
    text = "a: {x: 1, y: 2}"
    diagnostic = Diagnostic("c", "m", Span("f", 1, 11, 1, 12), labels=(Label(Span("f", 1, 5, 1, 6), "first"),))
    assert render_text([diagnostic], {"f": text}).splitlines()[1:] == [
        "  |",
        "1 | a: {x: 1, y: 2}",
        "  |     - first",
        "  |           ^",
    ]


def test_a_span_past_the_end_of_the_text_is_still_shown():
    diagnostic = Diagnostic("c", "m", Span("f", 9, 4, 9, 5))
    assert render_text([diagnostic], {"f": "short"}) == "f:9:4: error[c]: m"


def test_json_has_the_agreed_keys(write_spec):
    path = write_spec("dlspec: 1\ndata: {dataset: iris}\nmodel: [dens: 3, output]\n")
    (row,) = json.loads(render_json(validate(path)))
    assert row == {
        "file": str(path),
        "line": 3,
        "column": 9,
        "end_line": 3,
        "end_column": 13,
        "severity": "error",
        "code": "unknown-layer",
        "message": "there is no layer `dens`",
        "help": "did you mean `dense`?",
        "notes": [],
        "places": [],
        "fixes": [],
    }


def test_order_is_that_of_the_file_and_repetitions_are_dropped():
    late, early = Diagnostic("b", "x", Span("f", 2, 1, 2, 2)), Diagnostic("a", "x", Span("f", 1, 5, 1, 6))
    nowhere = Diagnostic("c", "x", severity=Severity.WARNING)
    assert in_file_order([late, early, nowhere, early]) == [nowhere, early, late]
