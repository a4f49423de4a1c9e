"""What codes of diagnostics mean, in the Markdown files of this folder, one for each area.

Below a heading with the code: a sentence that says what is wrong, why it matters, and, where a spec can show it, a spec
that has the mistake (`Wrong:`) and one that has not (`Right:`). Their `dlspec`, `data` and `model` may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

AREAS = {
    "form": "The form of the file",
    "names": "Names",
    "values": "Values",
    "composition": "Variables, blocks and extends",
    "network": "The network",
    "training": "Pretraining, training and evaluation",
    "data": "Data",
    "runs": "Runs",
    "ignoring": "Comments that silence warnings",
}
"""File name -> title."""


@cache
def explanations() -> Mapping[str, str]:
    """Code -> its explanation in Markdown, area by area."""
    return MappingProxyType({code: text for area in AREAS for code, text in in_area(area).items()})


@cache
def in_area(area: str) -> Mapping[str, str]:
    """The explanations of one file, in alphabetical order of codes."""
    text = Path(__file__).with_name(f"{area}.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^# (.+)$", text, flags=re.MULTILINE)
    return MappingProxyType({code: body.strip() for code, body in zip(parts[::2], parts[1::2], strict=True)})


def as_plain_text(explanation: str) -> str:
    """Without the signs of Markdown around code: what is fenced is indented instead."""
    lines: list[str] = []
    fenced = False
    for line in explanation.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif line or not lines or lines[-1] not in ("Wrong:", "Right:"):
            lines.append(f"    {line}" if fenced else line)
    return "\n".join(lines)
