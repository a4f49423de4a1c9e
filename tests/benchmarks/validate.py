"""How long `dlspec validate` takes: `python -m tests.benchmarks.validate`.

A whole process checking a spec of 40 layers, and one printing help, are timed in turn with `python -c "import keras"`;
then 1,000 specs in one call, and specs of up to 10,000 layers. Medians, since a machine has other things to do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROUNDS = 7
PYTHON = sys.executable
DLSPEC = [PYTHON, "-m", "dlspec"]
HEAD = "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - flatten\n"
GROUP = "  - dense: {units: 8, activation: relu}\n  - dropout: 0.1\n  - batch_normalization\n  - layer_normalization\n"


def seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def in_turn(**commands: list[str]) -> dict[str, float]:
    """Name -> median seconds of its command; all are run once before the next round."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(seconds(*command))
    return {name: median(values) for name, values in times.items()}


def row(what: str, value: str, goal: str) -> None:
    print(f"{what:44} {value:>14}   {goal}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forty = folder / "forty.yaml"
        forty.write_text(f"{HEAD}{GROUP * 10}  - output\ntrain: {{epochs: 3}}\n")
        many = folder / "many"
        many.mkdir()
        for number in range(1000):
            chain = f"  - dense: {{units: {number + 1}, activation: relu}}\n  - dropout: 0.2\n  - dense: 32\n"
            (many / f"{number}.yaml").write_text(f"{HEAD}{chain}  - output\ntrain: {{optimizer: {{adam: 1e-3}}}}\n")
        one = folder / "one.yaml"
        one.write_text(f"{HEAD}  - output\n")
        long = {}
        for layers in (100, 1000, 3000, 10_000):
            long[layers] = folder / f"{layers}.yaml"
            long[layers].write_text(HEAD + "  - dense: 8\n" * (layers - 2) + "  - output\n")

        times = in_turn(
            keras=[PYTHON, "-c", "import keras"],
            validate=[*DLSPEC, "validate", str(forty)],
            help=[*DLSPEC, "--help"],
            one=[*DLSPEC, "validate", str(one)],
            many=[*DLSPEC, "validate", "-q", str(many)],
            **{str(layers): [*DLSPEC, "validate", str(path)] for layers, path in long.items()},
        )
    row("import keras", f"{times['keras']:.2f} s", "")
    row("validate, 40 layers, whole process", f"{times['validate']:.2f} s", "")
    row("  in parts of `import keras`", f"1/{times['keras'] / times['validate']:.1f}", "1/10 at most")
    row("--help", f"{times['help']:.2f} s", "")
    row("  in parts of `import keras`", f"1/{times['keras'] / times['help']:.0f}", "1/25 at most")
    row("1,000 specs, each after start", f"{times['many'] - times['one']:.2f} ms", "3 ms at most")
    for layers in long:
        after_start = times[str(layers)] - times["one"]
        row(f"{layers:,} layers, each after start", f"{1e6 * after_start / layers:.0f} µs", "the same for all: linear")


if __name__ == "__main__":
    main()
