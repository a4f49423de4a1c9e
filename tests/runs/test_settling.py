"""A spec that its data stop says all that is wrong with them, and the lines that settle it."""

import random
import re

import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import read_text
from dlspec.runs.job import load_or_tell

HEAD = "age,fare,city,code,y\n"


def table(tmp_path, odd=("n/k",)):
    draw = random.Random(0)
    rows = []
    for i in range(200):
        code = odd[i % len(odd)] if i in (150, 161, 170) else i % 17
        age, fare = "" if i % 9 == 0 else i % 70, "" if i % 11 == 0 else f"{i / 7:.2f}"
        rows.append(f"{age},{fare},{draw.choice(['Ulm', 'Bonn', ''])},{code},{draw.choice('ab')}\n")
    (tmp_path / "a.csv").write_text(HEAD + "".join(rows))


def told(tmp_path, data):
    path = tmp_path / "spec.yaml"
    path.write_text(f"dlspec: 1\ndata: {data}\nmodel: [dense: 4, output]\n")
    with pytest.raises(DataError) as raised:
        load_or_tell(dlspec.load(path))
    return raised.value.diagnostics


@pytest.mark.parametrize(
    ("data", "odd", "codes", "lines"),
    [
        ("{table: a.csv, target: y}", ("n/k",), 4, ["na: [n/k]", "missing: median"]),
        ("{table: a.csv, target: y}", ("n/k", "bad"), 4, ["na: [n/k, bad]", "missing: median"]),
        ("{table: a.csv, target: y, features: [age, fare]}", ("n/k",), 2, ["missing: median"]),
        ("{table: a.csv, target: fare, features: [age, code]}", ("n/k",), 3, ["na: [n/k]", "missing: drop"]),
    ],
)
def test_all_is_said_at_once_with_the_lines_that_settle_it(tmp_path, data, odd, codes, lines):
    table(tmp_path, odd)
    problems = told(tmp_path, data)
    assert len(problems) == codes
    (note,) = problems[-1].notes
    assert [read_text(line).root.plain() for line in re.findall(r"`([^`]+)`", note)[: len(lines)]] == [
        read_text(line).root.plain() for line in lines
    ]
    typed = f"{data[:-1]}, {', '.join(re.findall(r'`([^`]+: [^`]+)`', note))}}}"
    (tmp_path / "typed.yaml").write_text(f"dlspec: 1\ndata: {typed}\nmodel: [dense: 4, output]\n")
    spec = dlspec.load(tmp_path / "typed.yaml")
    data = load_or_tell(spec)
    left = re.search(r"leaves (\d+) samples", note)
    assert not left or int(left[1]) == len(data.train) + len(data.validation) + len(data.test)


def test_a_column_of_text_is_no_missing_value(tmp_path):
    lines = "".join(f"{'word' + str(i) if i > 120 else i},{'' if i % 5 else i},{'ab'[i % 2]}\n" for i in range(200))
    (tmp_path / "a.csv").write_text("text,age,y\n" + lines)
    problems = told(tmp_path, "{table: a.csv, target: y, features: {text: numeric, age: numeric}}")
    assert [problem.code for problem in problems] == ["not-a-number", "missing-value"]
    assert problems[-1].notes == ()


def test_of_one_mistake_its_own_help_is_enough(tmp_path):
    table(tmp_path)
    (problem,) = told(tmp_path, "{table: a.csv, target: y, features: [age]}")
    assert problem.notes == ()
    assert "`missing: median`" in problem.help
