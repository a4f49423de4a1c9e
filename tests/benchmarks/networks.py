"""Published networks as specs, from validation to prediction: `python -m tests.benchmarks.networks [NAME…]`.

Each spec of `tests/networks` is validated, its parameters are held against those of its reference, and it is trained
for two epochs on a little made-up data: once in peace, and once killed (SIGKILL) after its first checkpoint and gone on
with, which must give the same weights, history and predictions to the last bit. The network is exported, and a fresh
process predicts, whose answers must be those that the run wrote down. What fails stands in the table, and the next
network is tried.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.commands import dlspec
from tests.networks import SMALLER, SPECS, laid_out
from tests.runs.crashes import begin, ended, results

REFERENCE = {
    "vgg16": 134_301_514, "resnet50": 23_608_202, "mobilenetv2": 2_270_794, "mobilenetv3small": 1_540_218,
    "efficientnetb0": 4_062_374, "inceptionv3": 21_823_274, "xception": 20_881_970, "convnexttiny": 27_827_818,
    "densenet121": 7_047_754, "transfer": 4_062_381,
    "alexnet": 56_909_194, "squeezenet": 727_626, "lenet5": 61_706, "vae": 134_165, "unet_pets": 2_058_979,
}  # fmt: skip
"""Parameters: of `keras.applications` with 10 classes (`efficientnetb0` without the 7 of its normalization), of the
papers with 10 classes (Krizhevsky et al., 2012; Iandola et al., 2016), and of the examples of Keras."""
SETTINGS = {"train.epochs": "2", "train.batch_size": "8", "train.checkpoint_every": "0.01 s"}
AT_ONCE = 2
"""Networks that are tried side by side, since each step begins with loading."""
CLOSE = 1e-5
"""How far predictions may lie from those of the run, as a share of the largest of them."""


class Failed(Exception):
    """What is wrong, in a few words."""


def call(folder: Path, *arguments: str) -> None:
    """Runs `dlspec` in a process of its own.

    Raises:
        Failed: it ended with another code than 0; with the last line that says why.
    """
    errors = folder / "err.txt"
    errors.unlink(missing_ok=True)
    if ended(begin([*arguments], folder)):
        raise Failed(_reason(errors.read_text(encoding="utf-8", errors="replace")))


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [line for line in lines if "error[" in line] or [line for line in lines if "Error" in line] or lines[-1:]
    return said[0][:160] if said else "it ended without a word"


def settings(name: str) -> list[str]:
    given = SETTINGS | SMALLER.get(name, {})
    return [word for key, value in given.items() for word in ("-s", f"{key}={value}")]


def trained(name: str, folder: Path) -> str:
    began = time.monotonic()
    call(folder, "run", f"{name}.yaml", "--quiet", "--out", f"{name}/whole", *settings(name))
    return f"{time.monotonic() - began:.0f} s"


def resumed(name: str, folder: Path) -> str:
    """The run again, killed as soon as a checkpoint is there."""
    run = folder / name / "killed"
    process = begin(["run", f"{name}.yaml", "--quiet", "--out", f"{name}/killed", *settings(name)], folder)
    checkpoint = run / "checkpoints" / "latest.npz"
    while not checkpoint.is_file() and not os.waitpid(process, os.WNOHANG)[0]:
        time.sleep(0.002)
    if not checkpoint.is_file():
        raise Failed("it ended before it could be killed")
    os.kill(process, signal.SIGKILL)
    if ended(process) != -signal.SIGKILL or (run / "metrics.json").is_file():
        raise Failed("it ended before it could be killed")
    call(folder, "run", "--quiet", "--resume", f"{name}/killed")
    whole, found = results(folder / name / "whole"), results(run)
    odd = sorted(key for key in whole.keys() | found.keys() if whole.get(key) != found.get(key))
    if odd:
        raise Failed("differs: " + ", ".join(odd)[:120])
    return "same bits"


def exported(name: str, folder: Path) -> str:
    """In both formats, where they take the network; of several outputs each by itself.

    Raises:
        Failed: an export differs, or ends otherwise than by a refusal.
    """
    from dlspec.runs.folder import Run

    done = []
    for form in ("keras", "onnx"):
        try:
            for output in [*Run(folder / name / "whole").outputs] or [""]:
                which = ["--output", output] if output else []
                call(folder, "export", f"{name}/whole", "--format", form, "-o", f"{name}/{output}1.{form}", *which)
            done.append(form)
        except Failed as error:
            if "cannot-export" not in str(error):
                raise
            done.append(f"no {form}: {str(error).partition(': ')[2]}")
    return ", ".join(done)


def predicted(name: str, folder: Path) -> str:
    """Predictions of a fresh process for the file that the run was made with, beside those of the test part."""
    from dlspec.runs.folder import Run

    run = Run(folder / name / "whole")
    file, out = SMALLER.get(name, {}).get("data.arrays") or _file(folder / f"{name}.yaml"), f"{name}/predicted.csv"
    masks = run.data.target.name == "mask"
    done = dlspec("predict", f"{name}/whole", file, "--out", f"{name}/masks" if masks else out, cwd=folder)
    if done.returncode:
        raise Failed(_reason(done.stderr))
    if masks:
        return f"{len(list((folder / name / 'masks').iterdir()))} masks"
    far = [each for each in compared(run, folder / out) if each is not None]
    if not far:
        return "written"
    if not max(far) <= CLOSE:  # not a number is no success
        raise Failed(f"differs by {max(far):.1e}")
    return f"{max(far):.0e}"


def _file(spec: Path) -> str:
    """The data that a spec names, as they are written there."""
    data = yaml.safe_load(spec.read_text(encoding="utf-8"))["data"]
    named = next(data[key] for key in ("arrays", "images", "audio", "text", "series", "table") if key in data)
    return named["path"] if isinstance(named, dict) else named


def compared(run: Any, file: Path) -> Iterator[float | None]:
    """How far predictions lie from those that the run wrote down, for each output; None: both say other things."""
    import pandas as pd

    table = pd.read_csv(file)
    for each in [*run.outputs.values()] or [run]:
        kept, target = each.predictions, each.data.target
        rows = kept["row"].to_numpy()
        before = run.data.window.horizon if run.data.window is not None and target.kind != "input" else 0
        if target.written:
            yield float((table[f"predicted {target.name}"].to_numpy(str)[rows] != kept["written"].to_numpy(str)).mean())
        elif target.tokens or (target.places and run.data.window is not None):
            yield None
        elif target.places:
            columns = [name for name in table if name.startswith(f"{target.name}[")]
            with np.load(file.parent.parent / _file(file.parent.parent / f"{file.parent.name}.yaml")) as arrays:
                truth = arrays[target.name].reshape(len(table), -1)[rows]
            off = table[columns].to_numpy(float)[rows] - truth
            yield _apart((off != 0 if target.kind == "class" else off**2).mean(axis=1), kept["network"])
        else:
            for mine, theirs in _columns(target).items():
                column = table[next(key for key in (f"predicted {theirs}", theirs) if key in table)]
                yield _apart(column.to_numpy(float)[rows - before], kept[mine])


def _columns(target: Any) -> dict[str, str]:
    """Columns of `predictions.csv`, and what `predict` calls them."""
    if target.kind == "class":
        return {f"p({label})": f"{target.name}={label}" for label in target.classes}
    if target.kind == "input":
        return {"network": "squared_error"}
    return {f"network:{value}": value for value in target.values} or {"network": target.name}


def _apart(found: Any, wanted: Any) -> float:
    return float(np.abs(found - np.asarray(wanted, float)).max() / max(np.abs(wanted).max(), 1e-9))


STEPS: dict[str, Callable[[str, Path], str]] = {
    "trained": trained, "resumed": resumed, "exported": exported, "predicted": predicted,
}  # fmt: skip


def row(name: str, folder: Path) -> list[str]:
    """The cells of a network; a step that fails says why, and those that need the run are left out without one."""
    import dlspec as public

    file = folder / f"{name}.yaml"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and line.strip()[0] != "#"]
    cells = [name, str(len(lines))]
    errors = [found for found in public.validate(file) if found.severity.name == "ERROR"]
    if errors:
        return [*cells, f"invalid: {errors[0].code}", *[""] * (1 + len(STEPS))]
    parameters, reference = public.graph(file).parameters, REFERENCE.get(name)
    said = "" if reference is None else "same" if parameters == reference else f"**{reference:,}**"
    cells += [f"{parameters:,}", said]
    for step, function in STEPS.items():
        if step != "trained" and not (folder / name / "whole" / "metrics.json").is_file():
            cells.append("–")
            continue
        try:
            cells.append(function(name, folder))
        except Exception as error:  # the next network is tried all the same
            text = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
            cells.append("**" + " ".join(text.split()).replace("|", "\\|")[:200] + "**")
    return cells


def main(names: list[str]) -> int:
    """Prints the table; returns how many networks failed somewhere."""
    from dlspec.runtime.backend import load_keras

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    load_keras()
    import tensorflow  # noqa: F401

    header = ["network", "lines", "parameters", "reference", *STEPS]
    print("| " + " | ".join(header) + " |\n|" + " --- |" * len(header), flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="networks_") as home:
        folder = laid_out(Path(home))
        for name in names:
            (folder / name).mkdir()
        with get_context("fork").Pool(AT_ONCE) as workers:  # Keras is loaded, and has computed nothing yet
            for cells in workers.imap(partial(row, folder=folder), names, chunksize=1):
                failed += any(cell.startswith(("**", "invalid")) for cell in cells)
                print("| " + " | ".join(cells) + " |", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:] or sorted(SPECS))))
