"""Mutates valid specs and checks what becomes of them, in a process of its own: `python -m tests.spec.fuzzing 10000`.

Bytes, signs and values are changed, lines and entries are moved from one spec into another. Whatever comes out ends in
diagnostics or can be planned, drawn and explained; within two seconds and 200 MB.
"""

import copy
import faulthandler
import re
import resource
import sys
import time
from collections import Counter

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

import dlspec
from dlspec.api import examine
from dlspec.language.codes import explanations
from dlspec.language.yaml import read_text, to_yaml
from dlspec.language.yaml.reading import read_bytes
from tests.conftest import NEEDED, ROOT, SPECS, TINY

SECONDS, MEGABYTES = 2, 200
LANGUAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
VALUES = [
    None, True, 0, -1, 1.5, 1e308, float("inf"), 10**30, "", "x", "64", "no", "dense", "한글", "$width", "$(1 / 0)",
    "$(a", [], {}, [1, 2], [[]], [{}], ["flatten"], {"a": 1}, {"dense": None}, {"lstm": 3}, {"skip": ["flatten"]},
    "a\nb", {"repeat": {"times": 3, "layers": [{"dense": 2}]}}, {"branches": [[], [{"dense": 2}]]}, {"shared": "h"},
]  # fmt: skip
KEYS = ["units", "layers", "epochs", "foo", "name", "from", "dense", "method", "times", "paths", "parameters", "inputs"]
SIGNS = list(" \t\n:{}[]-,#'\"&*!|>%@`~$()0x한：\x00\x07é")


def corpus():
    """The specs of this project and of its documentation, of which the latter leave out what does not matter there."""
    yield from (*TINY.values(), *(path.read_text(encoding="utf-8") for path in SPECS))
    for text in (LANGUAGE, *explanations().values()):
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
            given = set(re.findall(r"^(\w+):", block, re.MULTILINE))
            yield "".join(f"{line}\n" for key, line in NEEDED.items() if key not in given) + block


TEXTS = list(corpus())
LINES = sorted({line for text in TEXTS for line in text.splitlines()})
PLAIN = [read_text(text).root.plain() for text in TEXTS]


def paths(values, path=()):
    yield path
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield from paths(value, (*path, key))


def at(values, path):
    for key in path:
        values = values[key]
    return values


@st.composite
def other_structure(draw, of=None):
    """Values and keys replaced, removed and added, some taken from other specs."""
    root = {"root": copy.deepcopy(draw(st.sampled_from(PLAIN) if of is None else of))}
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from([path for path in paths(root) if path]))
        node = at(root, path[:-1])
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        if draw(st.booleans()):
            other = draw(st.sampled_from(PLAIN))
            value = copy.deepcopy(at(other, draw(st.sampled_from(list(paths(other))))))
        action = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if action == "replace" or len(path) == 1:
            node[path[-1]] = value
        elif action == "remove":
            del node[path[-1]]
        elif isinstance(node, dict):
            node[draw(st.sampled_from(KEYS))] = value
        else:
            node.insert(draw(st.integers(0, len(node))), value)
    return (to_yaml(root["root"]) + "\n").encode()


@st.composite
def other_lines(draw):
    """Lines removed, doubled, indented otherwise, and put in from other specs."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(lines) - 1)))
        new = [draw(st.sampled_from(LINES))]
        new = draw(st.sampled_from([[], lines[place : place + 1] * 2, new, [f"  {line}" for line in lines[place:]]]))
        lines[place : place + 1] = new
    return ("\n".join(lines) + "\n").encode()


@st.composite
def other_signs(draw):
    """Signs changed, removed and put in."""
    signs = list(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(signs) - 1))
        signs[place : place + draw(st.integers(0, 1))] = draw(st.sampled_from([[], *([sign] for sign in SIGNS)]))
    return "".join([*signs, "\n"]).encode()


@st.composite
def other_bytes(draw):
    """Bytes that are no text any more, and texts in other encodings."""
    data = draw(st.sampled_from(TEXTS)).encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])))
    place = draw(st.integers(0, len(data) - 1))
    return data[:place] + draw(st.binary(max_size=8)) + data[place + draw(st.integers(0, 8)) :]


def check(data: bytes) -> str:
    """What became of it: `fine`, or the codes of its first diagnostic."""
    faulthandler.dump_traceback_later(10 * SECONDS, exit=True)  # what never ends says where it is
    began, before = time.process_time(), peak()
    checked = examine(read_bytes(data, "spec.yaml"))
    for problem in checked.diagnostics:
        assert problem.code in explanations(), problem
        assert problem.message
        assert problem.span is None or problem.span.line >= 1
    if not checked.errors:
        dlspec.plan(checked.spec)
        dlspec.draw(checked.spec)
        dlspec.explain(checked.spec)
        assert [d for d in dlspec.validate(dlspec.resolve(checked.spec)) if d.is_error] == []
    faulthandler.cancel_dump_traceback_later()
    assert time.process_time() - began < SECONDS, f"{time.process_time() - began:.1f} s"
    assert peak() - before < MEGABYTES, f"{peak() - before:.0f} MB"
    return checked.diagnostics[0].code if checked.diagnostics else "fine"


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int) -> None:
    for name in ("iris", "digits"):  # libraries that read data are loaded before anything is timed
        dlspec.plan(f"dlspec: 1\ndata: {{dataset: {name}}}\nmodel: [flatten, output]\n")
    ended: Counter[str] = Counter()
    for mutants in (other_structure, other_lines, other_signs, other_bytes):

        @settings(
            max_examples=count // 4, deadline=None, database=None, derandomize=True,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(mutants())
        def mutate(data):
            ended[check(data)] += 1

        mutate()
    print(f"{ended.total()} mutants of {len(TEXTS)} specs, {ended['fine']} of them fine, {len(ended)} ways to end")


if __name__ == "__main__":
    main(int(sys.argv[1]))
