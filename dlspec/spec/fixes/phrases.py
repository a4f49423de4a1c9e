"""What the `help` of a diagnostic tells someone to do, as data.

The words of `help` are few and always the same: "did you mean `x`?", "write `key: value` under `data`", "leave `x`
out", "remove `x`", "add `key: value`", "keep one of …"; alternatives are joined by "or". They are read here, so that
an edit cannot do something else than its message says. What has other words, or leaves a value open, names no definite
thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Action = Literal["rename", "write", "below", "remove", "add", "append", "keep", "last", "replace last"]


@dataclass(frozen=True, slots=True)
class Cure:
    """One of the things that `help` names.

    Args:
        action: `rename`: another name in the same place; `write`: these texts; `below`: an item below; `remove`: a key;
            `add`: a key that is missing; `append`: an item to the list `place`; `keep`: all but one of some keys go;
            `last`, `replace last`: an item as the last of the model, or in place of that.
        texts: code that it names.
        place: where: a section, `.` for the top level, `line 4`, or nothing where it is told to do so right there.
        title: it in words.
        open: whether the words leave something to decide.
    """

    action: Action
    texts: tuple[str, ...]
    place: str
    title: str
    open: bool = False


MOST = 6
"""Alternatives that are offered; of more, none is definite."""

_CODE = re.compile(r"`([^`]+)`")
_JOINED = re.compile(r";\s+|,? or (?=write|leave|remove|make|add|close|name|take|\x00|put)|: (?=write|remove|leave)")
_WRITE = r"(?:write|begin with|name them:|put it into quotation marks:|put a blank in front of \x00:)"


def cures_in(help: str) -> list[Cure]:
    """The definite things that a `help` names, in its order."""
    return list(_cures(help))


@lru_cache(maxsize=4096)
def _cures(help: str) -> tuple[Cure, ...]:
    codes: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        codes.append(match[1])
        return f"\x00{len(codes) - 1}\x00"

    masked = _CODE.sub(put_aside, help)
    clauses = [clause for clause in re.split(_JOINED, masked) if clause]
    found: list[Cure] = []
    before: Action | None = None
    for clause in clauses:
        cures = list(_read(clause, codes, before))
        before = cures[0].action if cures else None
        found += cures
    return tuple(found) if len(found) <= MOST else ()


def _read(clause: str, codes: list[str], before: Action | None) -> Iterator[Cure]:
    """What one clause says; one that begins with code goes on with what the clause in front of it does."""
    said = f"write {clause}" if clause.startswith("\x00") and before == "write" else clause
    shown = re.sub(r"\x00(\d+)\x00", lambda match: f"`{codes[int(match[1])]}`", said)
    plain = re.sub(r"\x00\d+\x00", "\x00", said)
    named = [codes[int(number)] for number in re.findall(r"\x00(\d+)\x00", said)]
    for pattern, make in _FORMS:
        match = re.match(pattern, plain)
        if match:
            yield from make(named, plain, shown)
            return


def _place(plain: str, named: list[str]) -> str:
    """Where something belongs, as a clause says it."""
    if "at the top level" in plain:
        return "."
    line = re.search(r"on (line \d+)", plain)
    if line:
        return line[1]
    return named[-1] if re.search(r"(?:under|from|of|to) \x00", plain) and len(named) > 1 else ""


def _write(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
    place = _place(plain, named)
    texts = named[plain.startswith("put a blank") :]
    first = plain.partition("\x00")[2]
    if re.match(r" (?:and|above) \x00(?:$|[.,]| below it)", first) and "…" not in shown:
        texts = texts[:2]
    elif re.match(r",? (?:and|with|where it belongs|in place of it)\b", first):
        return  # and something that is not named
    else:
        texts = texts[:1]
    below = re.match(r"write \x00(?: and \x00)? below it", plain) is not None
    yield Cure("below" if below else "write", tuple(texts), place, shown)


def _remove(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
    given = re.match(r".*?\bremove \x00|leave \x00|take \x00", plain)
    at = plain[: given.end()].count("\x00") - 1 if given else 0
    place = _place(plain, named)
    yield Cure("remove", (named[at],) if given else (), "" if place == named[at : at + 1] else place, shown,
               open=plain.startswith("take"))  # fmt: skip


def _add(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
    if re.match(r"add \x00 to \x00", plain):
        yield Cure("append", (named[0],), named[1], shown)
    elif re.match(r"add \x00(?: under \x00)?\W*$", plain):
        yield Cure("add", (named[0],), _place(plain, named), shown)


def _keep(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
    for name in named:
        others = tuple(other for other in named if other != name)
        yield Cure("keep", others, "", f"keep `{name}` alone", open=True)


def _only(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
    for name in named:
        yield Cure("rename", (name,), "", f"write `{name}`", open=len(named) > 1)


def _of(action: Action) -> Callable[[list[str], str, str], Iterator[Cure]]:
    def make(named: list[str], plain: str, shown: str) -> Iterator[Cure]:
        yield Cure(action, tuple(named[:1]), "", shown)

    return make


_FORMS: tuple[tuple[str, Callable[[list[str], str, str], Iterator[Cure]]], ...] = (
    (r"did you mean (?:the block )?\x00", _only),
    (r"make \x00 the last (?:layer|entry)", _of("last")),
    (r"make it the last entry", lambda named, plain, shown: iter([Cure("last", ("output",), "", shown)])),
    (r"make the last layer \x00", _of("replace last")),
    (rf"{_WRITE} \x00", _write),
    (r"write a layer for each, \x00 above \x00", lambda n, p, s: iter([Cure("write", (n[0], n[1]), "", s)])),
    (r"write one layer in each entry: \x00 and \x00", lambda n, p, s: iter([Cure("write", (*n,), "", s)])),
    (r"keep one of \x00", _keep),
    (r"(?:keep \x00,? and )?remove (?:\x00|it\b|the input\b)", _remove),
    (r"remove one of the \x00", lambda named, plain, shown: iter([Cure("remove", (named[0],), "", shown, open=True)])),
    (r"use \x00 ", lambda named, plain, shown: iter([Cure("rename", (named[0],), "", shown, open=True)])),
    (r"leave (?:\x00|it) out", _remove),
    (r"take \x00 out of \x00", _remove),
    (r"add \x00", _add),
    (r"(?:known are|there are) \x00", _only),
)
