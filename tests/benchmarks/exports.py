"""How long an export takes, proof in the real runtime included, beyond importing TensorFlow.

python -m tests.benchmarks.exports [RUN...]

Without runs it trains `visits_table` and `lstm_stock` with two batches for each stage. The commands and the import take
turns; medians of five.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.deployment.formats import FORMATS, run_of

SPECS = Path(__file__).parents[2] / "specs"
TIMES = 5


def seconds(*words: str) -> float:
    """Of a command of Python."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        runs = [*map(Path, sys.argv[1:])]
        runs = runs or [
            run_of(SPECS / f"{name}.yaml", home, rehearsed=True).folder for name in ("visits_table", "lstm_stock")
        ]
        spent: dict[tuple[str, str], list[float]] = {}
        imports = []
        for turn in range(TIMES):
            imports.append(seconds("-c", "import tensorflow, keras"))
            for run in runs:
                for format, name in FORMATS.items():
                    out = home / f"{run.name}{turn}" / name
                    took = seconds("-m", "dlspec", "export", str(run), "--format", format, "--out", str(out))
                    spent.setdefault((run.name, format), []).append(took - imports[-1])
    print(f"import of TensorFlow and Keras: {statistics.median(imports):.2f} s\n\nseconds beyond it (asked: 3)")
    for (name, format), values in spent.items():
        print(f"{name:20}{format:14}{statistics.median(values):6.2f}")


if __name__ == "__main__":
    main()
