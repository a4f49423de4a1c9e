"""Comments of a first spec in both languages, and sizes by the number of rows."""

import ast
import re
from string import Formatter

import pytest

import dlspec
from dlspec.data.signature import HOLDS
from dlspec.spec.first_spec.korean import KOREAN
from dlspec.spec.first_spec.saying import Said, listed, machine_language, say
from dlspec.spec.first_spec.sizes import Sizes
from tests.conftest import ROOT

FILES = [*(ROOT / "dlspec/spec/first_spec").glob("*.py"), ROOT / "dlspec/runs/first_run.py"]


def templates():
    """What is said with `say`, also by way of a name."""
    for file in FILES:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield first.value


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("template", sorted({*templates(), *HOLDS.values(), "classes"}))
def test_every_comment_is_told_in_korean_with_the_same_values(template):
    assert places(KOREAN[template]) == places(template)
    assert re.search("[가-힣]", KOREAN[template]) or not re.search("[a-z]{4}", re.sub(r"\{.*?\}", "", template))


def test_a_comment_within_a_comment_is_told_too():
    said = say("left out: {names}", names=listed([say("{name} ({why})", name="id", why=say("counts the rows"))]))
    assert (said, said.into("ko")) == ("left out: id (counts the rows)", "뺀 열: id (행 번호)")
    assert Said("").into("ko") == ""


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "DLSPEC_LANG": "en"}, "en"),
        ({"LANG": "C"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_machine(monkeypatch, variables, language):
    for name in ("DLSPEC_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert machine_language() == language


def without_comments(text):
    return [line.split("#")[0].rstrip() for line in text.splitlines()]


def test_the_spec_is_the_same_in_both_languages():
    english, korean = dlspec.init("iris"), dlspec.init("iris", language="ko")
    assert without_comments(english) == without_comments(korean)
    sentences = [line for line in korean.splitlines() if re.search(r"# .*\b(the|of|that)\b", line)]
    assert sentences == []


@pytest.mark.parametrize("rows", [10, 100, 299, 300, 999, 1000, 5000, 60_000, 3_000_000])
def test_sizes_grow_with_the_rows(rows):
    sizes, more = Sizes.of(rows), Sizes.of(2 * rows)
    assert more.units >= sizes.units
    assert more.epochs <= sizes.epochs
    assert sizes.patience < sizes.epochs
    assert (sizes.folds is not None) == (20 <= rows < 300)


@pytest.mark.parametrize(("rows", "said"), [(120, "folds: 5"), (1200, "split: {validation: 0.15, test: 0.15}")])
def test_few_rows_are_tested_on_in_turn(tmp_path, rows, said):
    lines = "".join(f"{i * 37 % 101},{i * 53 % 97},{'ab'[i % 9 == 0]}\n" for i in range(rows))
    (tmp_path / "t.csv").write_text(f"x,z,kind\n{lines}", encoding="utf-8")
    text = dlspec.init(str(tmp_path / "t.csv"))
    assert said in text
    assert "# class_weight: balanced" in text
    assert re.search("`b` is 1[12]% of the rows", text)
