"""YAML as HTML with its keys, comments and numbers marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

CLASSES = {"key": 'class="k"', "comment": 'class="c"', "number": 'class="n"'}


def highlight(text: str, marks: Mapping[str, str] = CLASSES) -> str:
    """The text as HTML.

    Args:
        marks: the attribute of a key, a comment and a number: classes, which a page has in its style sheet, or styles.
    """

    def span(kind: str, inner: str) -> str:
        return f"<span {marks[kind]}>{inner}</span>"

    marked = []
    for line in text.splitlines():
        if line.startswith("#"):
            marked.append(span("comment", escape(line)))
            continue
        safe = escape(line, quote=False)
        safe = re.sub(r"(?<![\w.])(-?\d[\d.]*(?:e[-+]?\d+)?)(?![\w.])", span("number", r"\1"), safe)
        safe = re.sub(r"([A-Za-z_][\w.]*)(:)(?=\s|$)", span("key", r"\1") + r"\2", safe)
        marked.append(safe)
    return "\n".join(marked)
