"""Writes the three scripts of `docs/eject.md`, and that page, anew: python -m tests.ejection.documents"""

import os
import re
from pathlib import Path

import dlspec
from tests.conftest import ROOT

SHOWN = {
    "spiral_mlp": "A small dense network",
    "digits_dbn": "Pretraining: a deep belief network",
    "lstm_stock": "A series: windows, returns, and LSTM layers that are pretrained",
}
"""Spec -> its heading in the page."""
PAGE = ROOT / "docs" / "eject.md"
FOLDER = Path("examples") / "ejected"
BEGIN = "<!-- scripts: written by python -m tests.ejection.documents -->\n"


def without_speed(text):
    """A script without what was measured when it was written."""
    return re.sub(r"\n\n    Keras's `fit` takes [\d.]+ times as long as[^\n]*\n    \"\"\"", '"""', text)


def shown(name, heading):
    """A spec, and beside it its script, as the page has them."""
    spec = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8").rstrip()
    script = (ROOT / FOLDER / f"{name}.py").read_text(encoding="utf-8").rstrip()
    return (
        f"## {heading}\n\n[`specs/{name}.yaml`](../specs/{name}.yaml):\n\n```yaml\n{spec}\n```\n\n"
        f"[`{FOLDER.as_posix()}/{name}.py`](../{FOLDER.as_posix()}/{name}.py):\n\n```python\n{script}\n```\n"
    )


def page():
    """The page, with the scripts as they stand in their folder."""
    above, begin, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return "".join([above, begin, *("\n" + shown(name, heading) for name, heading in SHOWN.items())])


def main():
    os.chdir(ROOT)
    for name in SHOWN:
        dlspec.eject(f"specs/{name}.yaml", out=FOLDER / f"{name}.py", force=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
