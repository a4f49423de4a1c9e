"""The layers of a network as `structures/` lists them: what repeats is given once, with what counts on in it.

A layer is `[NAME, KIND]`, `[NAME, KIND, INPUTS]` or `[NAME, KIND, INPUTS, WORD]`:

- `NAME` is that of Keras; `/` stands between that of a model inside the network and that of a layer in it.
- `KIND` counts in `kinds` from 0.
- `INPUTS` counts back to the layers that it takes; by default the one above, `[1]`.
- `WORD` is `operation` (Keras has no layer there), `inside` (of the same layer of Keras as the one above) or `imagenet`
  (only there with the weights of ImageNet).

`{"times": 5, "layers": […]}` stands for five times the same layers. In their names `{2}` is 2 the first time and one
more each time, `{b}` the next letter, `{7+4}` four more; `KIND` is `[7, 1]` then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

DEFAULT_INPUTS = (1,)
COUNTS_ON = re.compile(r"\{(\d+|[a-z])(?:\+(-?\d+))?\}")


@dataclass(frozen=True)
class Plain:
    """A layer in its turn.

    Args:
        place: names of the models around it, and its own.
        kind: its number in `kinds`.
        inputs: how many layers back those stand that it takes.
        word: what else is said of it; empty: nothing.
    """

    place: tuple[str, ...]
    kind: int
    inputs: tuple[int, ...] = DEFAULT_INPUTS
    word: str = ""


def expanded(listed: Iterable[Any]) -> Iterator[Plain]:
    """All layers, one after the other."""
    for each in listed:
        if isinstance(each, dict):
            for turn in range(each["times"]):
                for row in each["layers"]:
                    yield _plain(row, turn)
        else:
            yield _plain(each, 0)


def _plain(row: Any, turn: int) -> Plain:
    name, kind, *more = row
    if isinstance(kind, list):
        kind = kind[0] + turn * kind[1]
    inputs = tuple(more[0]) if more else DEFAULT_INPUTS
    return Plain(tuple(_counted_on(name, turn).split("/")), kind, inputs, more[1] if len(more) > 1 else "")


def _counted_on(name: str, turn: int) -> str:
    def value(found: re.Match[str]) -> str:
        first, step = found[1], int(found[2] or 1)
        return str(int(first) + turn * step) if first.isdigit() else chr(ord(first) + turn * step)

    return COUNTS_ON.sub(value, name)
