"""How long `dlspec validate` takes: `python -m tests.benchmarks.validate`.

A whole process checking a spec and one that runs `import keras` are timed in 21 pairs, one after the other: the median
of their ratios, once of the time that passes and once of the time of the processor, which other programs disturb less.
Then a spec of 40 layers, help, 1,000 specs in one call, and specs of up to 10,000 layers, in turn; medians again.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROUNDS = 7
PAIRS = 21
MOST = 12
"""`dlspec validate` is to take no more than this part of `import keras`."""
ROOT = Path(__file__).parents[2]
SPEC = ROOT / "specs" / "lstm_stock.yaml"
PYTHON = sys.executable
DLSPEC = [PYTHON, "-m", "dlspec"]
HEAD = "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - flatten\n"
GROUP = "  - dense: {units: 8, activation: relu}\n  - dropout: 0.1\n  - batch_normalization\n  - layer_normalization\n"


def measure(*command: str) -> tuple[float, float]:
    """Seconds that a command takes, and seconds of the processor; compiled modules are kept, as usual."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=kept)
    passed, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def seconds(*command: str) -> float:
    return measure(*command)[0]


def compare(pairs: int) -> None:
    """Prints which part of `import keras` checking a spec takes."""
    commands = [*DLSPEC, "validate", str(SPEC)], [PYTHON, "-c", "import keras"]
    for command in commands:
        measure(*command)  # compiles modules, and fills the cache of files
    measured = [tuple(measure(*command) for command in commands) for _ in range(pairs)]
    for place, what in enumerate(("time", "time of the processor")):
        part = median(validate[place] / keras[place] for validate, keras in measured)
        row(f"validate {SPEC.name}, parts of `import keras`, {what}", f"1/{1 / part:.1f}", f"1/{MOST} at most")


def in_turn(**commands: list[str]) -> dict[str, float]:
    """Name -> median seconds of its command; all are run once before the next round."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(seconds(*command))
    return {name: median(values) for name, values in times.items()}


def row(what: str, value: str, goal: str) -> None:
    print(f"{what:74} {value:>14}   {goal}")


def main() -> None:
    compare(PAIRS)
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
    row("  in parts of `import keras`", f"1/{times['keras'] / times['validate']:.1f}", f"1/{MOST} at most")
    row("--help", f"{times['help']:.2f} s", "")
    row("  in parts of `import keras`", f"1/{times['keras'] / times['help']:.0f}", "1/25 at most")
    row("1,000 specs, each after start", f"{times['many'] - times['one']:.2f} ms", "3 ms at most")
    for layers in long:
        after_start = times[str(layers)] - times["one"]
        row(f"{layers:,} layers, each after start", f"{1e6 * after_start / layers:.0f} µs", "the same for all: linear")


if __name__ == "__main__":
    main()
