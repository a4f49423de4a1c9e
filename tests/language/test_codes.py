"""Every code is explained, and what its explanation shows is true."""

import ast
import re

import pytest

from dlspec.language.codes import AREAS, as_plain_text, explanations, in_area
from dlspec.views.reference.catalogue import categories
from tests.conftest import ROOT, problems_of

CODE = r"[a-z]+(-[a-z0-9]+)+"
SAY_A_CODE = ("Diagnostic", "mistake", "of", "at", "warn", "_problem", "_say", "_error", "data_error")
"""Functions one of whose first two arguments is a code."""


def raised_codes():
    """Every code that stands in a call that makes a diagnostic, and those made of the names of registries."""
    for path in (ROOT / "dlspec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in SAY_A_CODE:
                    for part in (part for argument in node.args[:2] for part in ast.walk(argument)):
                        if isinstance(part, ast.Constant) and re.fullmatch(CODE, str(part.value)):
                            yield part.value
    for category in categories():
        yield "unknown-" + re.sub("[ _]", "-", category.noun)


def test_every_code_is_explained_and_nothing_else_is():
    assert sorted(explanations()) == sorted(set(raised_codes()))


@pytest.mark.parametrize("area", AREAS)
def test_codes_stand_in_alphabetical_order(area):
    assert list(in_area(area)) == sorted(in_area(area))


@pytest.mark.parametrize("code", explanations())
def test_it_begins_with_a_sentence(code):
    first, *_ = explanations()[code].split("\n\n")
    assert re.match(r"[A-Z`]", first)
    assert first.endswith(".")


@pytest.mark.parametrize("code", explanations())
def test_it_has_an_example(code):
    assert re.search(r"^```(yaml|sh|csv|text|python)$", explanations()[code], re.MULTILINE)


def examples(code):
    """What is wrong and what is right."""
    found = re.findall(r"^(Wrong|Right):\n\n```yaml\n(.*?)```$", explanations()[code], re.MULTILINE | re.DOTALL)
    assert [name for name, _ in found] == ["Wrong", "Right"]
    return [text for _, text in found]


SHOWN = [code for code in explanations() if "Wrong:" in explanations()[code]]


@pytest.mark.parametrize("code", SHOWN)
def test_the_wrong_spec_is_wrong_and_the_right_one_is_right(code, tmp_path):
    wrong, right = examples(code)
    assert code in {problem.code for problem in problems_of(wrong, tmp_path)}
    assert [(problem.code, problem.message) for problem in problems_of(right, tmp_path)] == []


def test_in_a_terminal_examples_are_indented_instead_of_fenced():
    text = as_plain_text(explanations()["unknown-layer"])
    assert "```" not in text
    assert "Wrong:\n    model:\n      - flatten\n      - dens: 8\n" in text
