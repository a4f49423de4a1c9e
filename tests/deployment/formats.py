"""Which format takes which spec, and how near what it gives is to what was measured: the table in `docs/export.md`.

python -m tests.deployment.formats RUNS [SPEC...]

Trains the specs that have no run in the folder RUNS, those of `specs/papers` with two batches for each stage, exports
each of them in every format, and writes the table into `docs/export.md`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import dlspec
from dlspec.deployment.records import read_receipt
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs import open_run, start
from tests.conftest import ROOT, SPECS

FORMATS = {
    "keras": "net.keras",
    "saved_model": "net_saved_model",
    "onnx": "net.onnx",
    "litert": "net.tflite",
    "openvino": "net.xml",
}
DOCUMENT = ROOT / "docs" / "export.md"
TABLE = re.compile(r"(?<=<!-- made by tests/deployment/formats.py -->\n).*?(?=<!-- end -->)", re.DOTALL)


def run_of(spec: Path, home: Path, *, rehearsed: bool) -> dlspec.Run:
    """A run of a spec in a folder, which is trained if it is not there.

    Args:
        rehearsed: with two batches for each stage.
    """
    folder = home / spec.stem
    if (folder / "metrics.json").is_file():
        return open_run(folder)
    return start(dlspec.load(spec), out=folder, listener=None, rehearsed=rehearsed)


def exported(run: dlspec.Run, format: str, **how: bool) -> dict | str:
    """The receipt of an export, of several outputs that of the first, or why there is none."""
    first = next(iter(run.outputs), None)
    with TemporaryDirectory() as folder:
        try:
            file = dlspec.export(run, out=Path(folder) / FORMATS[format], format=format, output=first, **how)
        except DataError as error:
            return error.diagnostics[0].message
        receipt = read_receipt(file)
        return receipt | {"raw": not any(file.parent.rglob("*preprocessing.json"))}


def cell(found: dict | str) -> str:
    """The largest difference; with `*` where `preprocessing.json` stands beside the file."""
    if isinstance(found, str):
        return "–"
    proof = found["proof"]
    largest = max(proof["largest_difference"], proof["largest_difference_of_odd_rows"])
    return f"{largest:.0e}{'' if found['raw'] else ' *'}" if largest else "0"


def table(rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """As Markdown."""
    lines = [f"| spec | {' | '.join(FORMATS)} | step by step |", "| --- " * (len(FORMATS) + 2) + "|"]
    return "\n".join([*lines, *(f"| `{name}` | {' | '.join(cells)} |" for name, cells in rows)]) + "\n"


def row_of(run: dlspec.Run) -> list[str]:
    """A cell for each format, and one for an export step by step as ONNX."""
    return [*(cell(exported(run, format)) for format in FORMATS), cell(exported(run, "onnx", step_by_step=True))]


def main() -> None:
    home, *chosen = sys.argv[1:]
    rows = []
    for spec in SPECS:
        paper = spec.parent.name == "papers"
        if chosen and spec.stem not in chosen:
            continue
        rows.append((f"papers/{spec.stem}" if paper else spec.stem, row_of(run_of(spec, Path(home), rehearsed=paper))))
        print(rows[-1], flush=True)
    rows.sort(key=lambda row: ("/" in row[0], row[0]))
    if not chosen:
        DOCUMENT.write_text(TABLE.sub(lambda _: table(rows), DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
