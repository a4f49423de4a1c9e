import math

import pytest

from dlspec.language.yaml import read_file, read_text, to_inline_yaml, to_yaml


def value_of(text: str):
    return read_text(f"key: {text}\n").root.plain()["key"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-0.", -0.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("+12", 12),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ("2024-01-31", "2024-01-31"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),  # a digit, but not an ASCII one
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_every_key_and_value_has_its_place():
    source = read_text("a: 1\nb:\n  - {c: 22, 한글: 3}\n  - x\n", "f.yaml")
    span = source.span("b", 0, "c")
    assert (span.file, span.line, span.column, span.end_column) == ("f.yaml", 3, 9, 11)
    assert source.key_span("b", 0, "한글").column == 13
    assert source.span("b", 1).line == 4
    assert source.span("b", 0, "absent") == source.span("b", 0)


def test_an_alias_stands_for_its_anchor():
    assert read_text("a: &x {k: [1, 2]}\nb: *x\n").root.plain()["b"] == {"k": [1, 2]}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "repeated-key", 2, 1),
        ("a: {x: 1, x: 2}\n", "repeated-key", 1, 11),
        ("1: x\n", "key-not-text", 1, 1),
        ("a: !!python/object:os.system x\n", "unknown-tag", 1, 4),
        ("a: *nothing\n", "unknown-alias", 1, 4),
        ("a: &a [*a]\n", "unknown-alias", 1, 8),
        ("a: 1\n---\nb: 2\n", "several-documents", 2, 1),
        ("a: \x07\n", "bad-character", 1, 4),
        ("a:\n\t- 1\n", "bad-yaml", 2, 1),
        ("a: b: c\n", "bad-yaml", 1, 5),
        ('a: 1\nb: "open\n', "bad-yaml", 2, 4),
        ("a: [1, 2\nb: 3\n", "bad-yaml", 1, 4),
        ("a: 1\n  b: 2\n", "bad-yaml", 2, 3),
        ("a\nb: 1\n", "bad-yaml", 1, 1),
        ("a: @x\n", "bad-yaml", 1, 4),
        ("a: {b: {size:}}\n", "bad-yaml", 1, 13),
        ("a: 1\nb: [c: 8, ", "bad-yaml", 2, 4),
        ("a: 1\nb: [c: 8, \n", "bad-yaml", 2, 4),
        ("a: {b: [1, 2], c: [3, ", "bad-yaml", 1, 19),
        ("a: " + "[" * 70 + "]" * 70 + "\n", "nested-too-deep", 1, 67),
    ],
)
def test_mistakes_of_form_have_code_and_place(text, code, line, column):
    (problem,) = read_text(text).problems
    assert (problem.code, problem.span.line, problem.span.column) == (code, line, column)


def test_nesting_of_any_depth_is_an_error_and_not_a_crash():
    (problem,) = read_text("[" * 100_000).problems
    assert problem.code == "nested-too-deep"


def test_aliases_that_expand_past_the_limit_are_an_error():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (problem,) = read_text("\n".join(lines)).problems
    assert problem.code == "expands-too-far"


def test_a_broken_line_does_not_hide_the_rest():
    source = read_text("a: 1\nb: {x: 1\nc: 3\n\td: 4\ne: 5\n")
    assert [p.span.line for p in source.problems] == [2, 4]
    assert source.recovered
    assert source.root.plain() == {"a": 1, "c": 3, "d": 4, "e": 5}


def test_an_empty_file_is_an_error(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert [p.code for p in read_file(path).problems] == ["empty-spec"]


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes("﻿dlspec: 1\n".encode())
    assert read_file(path).root.plain() == {"dlspec": 1}


def test_a_file_in_the_korean_windows_encoding_is_named_as_such(tmp_path):
    path = tmp_path / "cp949.yaml"
    path.write_bytes("dlspec: 1\nname: 주가\n".encode("cp949"))
    (problem,) = read_file(path).problems
    assert problem.code == "not-utf-8"
    assert (problem.span.line, problem.span.column) == (2, 7)
    assert "CP949" in problem.help


def test_what_is_written_is_read_back_the_same():
    values = {
        "numbers": [1e-7, 1.0, -3, 1e22, math.inf, 0],
        "texts": [
            "1e-7",
            "no",
            "true",
            "~",
            "",
            "12",
            "0x1f",
            ".5",
            "x: y",
            "a # b",
            "- a",
            "*x",
            "한글",
            "null",
            "a\nb",
        ],
        "others": [True, None, [], {}],
    }
    source = read_text(to_yaml(values))
    assert source.root.plain() == values
    assert not source.problems


def test_inline_yaml_is_what_a_person_would_type():
    assert to_inline_yaml({"lstm": {"units": 64, "rate": 0.1}}) == "lstm: {units: 64, rate: 0.1}"
    assert to_inline_yaml("flatten") == "flatten"


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  - x: 3\n   - y\nb: {c: 1, c: 2}\n",
        "a:\n  - x: 3\n - y\nb: {c: 1, c: 2}\n",
        "a:\n  x: 3\n    y: 4\nb: {c: 1, c: 2}\n",
        "a:\n  -x: 3\n  - y\nb: {c: 1, c: 2}\n",
    ],
)
def test_a_wrongly_indented_line_does_not_hide_the_rest(text):
    assert [problem.code for problem in read_text(text).problems] == ["bad-yaml", "repeated-key"]
