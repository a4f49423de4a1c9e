"""Mutated specs end in diagnostics or in success, never in anything else, and soon."""

import copy
import random
import time

import pytest

from dlspec.api import validate
from dlspec.source import read_text, to_yaml
from tests.conftest import SPECS, TINY

TEXTS = [*TINY.values(), *(path.read_text(encoding="utf-8") for path in SPECS)]
VALUES = [
    None, True, 0, -1, 1.5, 1e308, float("inf"), 10**30, "", "x", "64", "no", "dense", "한글",
    [], {}, [1, 2], [[]], [{}], ["flatten"], {"a": 1}, {"dense": None}, {"lstm": 3},
]  # fmt: skip
KEYS = ["units", "layers", "epochs", "foo", "name", "from", "dense", "method"]
SIGNS = list(" \t\n:{}[]-,#'\"&*!|>%@`~0x한：\x00\x07é")


def paths(values, path=()):
    yield path
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


def with_other_structure(text: str, draw: random.Random) -> str:
    root = {"root": copy.deepcopy(read_text(text).root.plain())}
    for _ in range(draw.choice([1, 1, 2, 3])):
        path = draw.choice([path for path in paths(root) if path])
        node = root
        for key in path[:-1]:
            node = node[key]
        action, value = draw.random(), copy.deepcopy(draw.choice(VALUES))
        if action < 0.5 or len(path) == 1:
            node[path[-1]] = value
        elif action < 0.7:
            del node[path[-1]]
        elif isinstance(node, dict):
            node[draw.choice(KEYS)] = value
        else:
            node.append(value)
    return to_yaml(root["root"])


def with_other_signs(text: str, draw: random.Random) -> str:
    signs = list(text)
    for _ in range(draw.randint(1, 6)):
        place, action = draw.randrange(len(signs)), draw.random()
        if action < 0.4:
            signs[place] = draw.choice(SIGNS)
        elif action < 0.7:
            del signs[place]
        else:
            signs.insert(place, draw.choice(SIGNS))
    return "".join(signs)


@pytest.mark.parametrize("mutate", [with_other_structure, with_other_signs])
@pytest.mark.parametrize("count", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_mutants_end_in_diagnostics(mutate, count):
    draw = random.Random(count)
    for _ in range(count):
        text = mutate(draw.choice(TEXTS), draw) + "\n"
        began = time.monotonic()
        for problem in validate(text):
            assert problem.code
            assert problem.message
            assert problem.span is None or problem.span.line >= 1
        assert time.monotonic() - began < 2, text
