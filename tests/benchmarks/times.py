"""How long `plan` says that specs take, by the runs before them, and how long they took.

`python -m tests.benchmarks.times` runs each spec of `specs/` once, beginning with an empty cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conftest import ROOT


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="dlspec_times_"))
    os.environ |= {"DLSPEC_CACHE": str(folder / "cache"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    import dlspec
    from dlspec.runs.timing import expected_time

    told = right = 0
    print(f"{'spec':34}{'told':>8}{'took':>8}{'ratio':>8}  epochs")
    for path in sorted((ROOT / "specs").glob("*.yaml"), key=lambda path: path.name):
        spec = dlspec.load(path)
        seconds = expected_time(spec, dlspec.plan(spec))
        began = time.perf_counter()
        command = [sys.executable, "-m", "dlspec", "run", str(path), "--out", str(folder / path.stem)]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        took = time.perf_counter() - began
        early = "may stop early" if spec.train.early_stopping else ""
        told += seconds is not None
        right += seconds is not None and 0.5 < seconds / took < 2
        shown = (f"{seconds:8.0f}", f"{seconds / took:8.2f}") if seconds else (f"{'-':>8}", f"{'':8}")
        print(f"{path.stem:34}{shown[0]}{took:8.1f}{shown[1]}  {early}", flush=True)
    print(f"{told} told, {right} of them within a factor of two")


if __name__ == "__main__":
    main()
