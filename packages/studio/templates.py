"""Writes `dlspec/studio/templates.json` anew from `specs/`: `python packages/studio/templates.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dlspec.api import examine_briefly
from dlspec.spec.checks import Checked

ROOT = Path(__file__).parents[2]
FILE = ROOT / "dlspec" / "studio" / "templates.json"
FIRST = "spiral_mlp"
SMALLEST = 6
"""Pixels along a side of what counts as a picture."""


def has(checked: Checked) -> str:
    """What one has whose data are like those: points, table, series, pictures, sounds or texts."""
    description, graph = checked.description, checked.graph
    assert description is not None, checked.spec.name
    kinds = {column.kind for column in description.columns}
    shapes = [given.shape[1:] for given in graph.inputs if given.shape]
    if description.layout == "series":
        return "series"
    if "spectrogram" in checked.spec.document.texts[checked.spec.document.file]:
        return "sounds"
    if any(len(shape) > 1 and min(shape[:2]) >= SMALLEST for shape in shapes):
        return "pictures"
    if kinds & {"text", "tags"}:
        return "texts"
    if any(len(shape) > 1 for shape in shapes):
        return "series"
    return "points" if all(shape[0] <= 2 for shape in shapes) and len(shapes) == 1 else "table"


def templates() -> list[dict[str, Any]]:
    """Every spec of `specs/`, the one to begin with first."""
    found = []
    for path in sorted((ROOT / "specs").glob("*.yaml"), key=lambda path: (path.stem != FIRST, path.stem)):
        text = path.read_text(encoding="utf-8")
        checked = examine_briefly(path)
        found.append(
            {
                "name": path.stem,
                "has": has(checked),
                "about": checked.spec.description,
                "files": "data/" in text,
                "text": text,
            }
        )
    return found


def written() -> str:
    return json.dumps(templates(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
