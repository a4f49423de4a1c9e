"""How long an editor waits: `python -m tests.benchmarks.editing`.

Specs of 100 and 1,000 layers are checked and drawn, a key is completed and a word explained, cures are looked for; a
folder of 20,000 pictures is walked through once, and looked at again. The least of several rounds, in milliseconds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from dlspec.editor.completion import complete
from dlspec.editor.examining import examine
from dlspec.editor.hover import explain_at

ROUNDS = 9
HEAD = "dlspec: 1\ndata: {dataset: digits}\nmodel:\n  - flatten\n"
GROUP = "  - dense: {units: 8, activation: relu}\n  - dropout: 0.1\n  - batch_normalization\n  - layer_normalization\n"
WRONG = "  - dens: 8\n  - dense: {unit: 8, activation: rellu}\n  - lstm: 4\n"


def least(do: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds of the fastest round."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        times.append((time.perf_counter() - began) * 1e3)
    return min(times)


def row(what: str, milliseconds: float, goal: str = "") -> None:
    print(f"{what:66} {milliseconds:9.1f} ms   {goal}")


def networks() -> None:
    for layers, goal in ((100, "10 ms each"), (1000, "120 ms together")):
        text = f"{HEAD}{GROUP * (layers // 4)}  - output\n"
        examined = examine(text, fixes=False)
        row(f"{layers:,} layers: check", least(lambda text=text: examine(text, fixes=False)), goal)
        row(f"{layers:,} layers: draw", least(examined.draw), goal)
        row(f"{layers:,} layers: draw, equal ones folded", least(lambda of=examined: of.draw(fold=True)))
    text = f"{HEAD}{GROUP * 25}  - dense: {{units: 8, from: \n  - output\n"
    line, column = text.count("\n") - 1, 30
    row("100 layers: complete `from`", least(lambda: complete(text, line, column)), "50 ms")
    row(
        "100 layers: complete a layer",
        least(lambda: complete(text.replace("dense: {units: 8, from: ", "de"), line, 7)),
        "50 ms",
    )
    row("100 layers: explain a layer", least(lambda: explain_at(text, 5, 6)))
    text = f"{HEAD}{GROUP * 25}{WRONG}  - output\n"
    row("100 layers, 4 mistakes: check with cures", least(lambda: examine(text, seconds=None)))


def pictures() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.new("L", (8, 8)).save(folder / "one.png")
        content = (folder / "one.png").read_bytes()
        for kind in range(10):
            (folder / "pictures" / str(kind)).mkdir(parents=True)
            for number in range(2000):
                (folder / "pictures" / str(kind) / f"{number}.png").write_bytes(content)
        time.sleep(3)  # what has just changed is not remembered
        text = "dlspec: 1\ndata: {images: pictures}\nmodel: [flatten, output]\n"
        row("20,000 pictures: first check", least(lambda: examine(text, folder=folder, fixes=False), rounds=1))
        row("20,000 pictures: every later one", least(lambda: examine(text, folder=folder, fixes=False)))


if __name__ == "__main__":
    networks()
    pictures()
