"""One run in a process of its own, which outlives the server. It loads Keras first and waits for its job.

`python -m dlspec.studio.worker ROOT [PLUGIN…]` reads one line from standard input, the path of a job
(`queue`); without one it ends. So a process that is warm gives its first epoch while one that starts anew would
still load TensorFlow.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.language.plugins import load

LOADED = (
    "dlspec.api", "dlspec.runs.run", "dlspec.runs.events", "dlspec.training.trainer", "dlspec.training.engines.choice",
    "dlspec.evaluation.evaluate", "dlspec.evaluation.pictures.training", "dlspec.model.build", "dlspec.views.report",
    "pandas",
)  # fmt: skip
"""What a run loads besides Keras."""
FAILED = 4
"""Exit code of a job that failed before it had a run folder that says why."""


def warm_up() -> None:
    """Loads what most runs need."""
    from dlspec.runtime.backend import load_keras

    load_keras()
    for module in LOADED:
        importlib.import_module(module)
    from dlspec.api import validate

    validate("dlspec: 1\ndata: {dataset: spirals}\nmodel: [dense: 4, output]\ntrain: {epochs: 1}\n")


def main(root: str, *plugins: str) -> int:
    os.chdir(root)
    with suppress(ImportError, DiagnosticError):  # what is missing is told by the run, which looks for it
        warm_up()
    for plugin in plugins:
        load(plugin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line.strip():
        return 0
    return do(Path(root), Path(line.strip()))


def do(root: Path, file: Path) -> int:
    """Trains what a job says. What it prints, and why it fails, lies beside the job."""
    from dlspec.language.diagnostics.json import as_values
    from dlspec.runtime.files import write_json
    from dlspec.studio.confinement import confine
    from dlspec.training.progress import Stopped

    job: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    log = os.open(file.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, place in enumerate((nothing, log, log)):
        os.dup2(place, number)
    confine(root, writes=True)
    try:
        _train(root, job)
    except Stopped:
        return 0
    except DiagnosticError as error:
        write_json(file.with_suffix(".failed"), {"diagnostics": [as_values(each) for each in error.diagnostics]})
        return FAILED
    return 0


def _train(root: Path, job: dict[str, Any]) -> None:
    from dlspec import api
    from dlspec.language.diagnostics.errors import SpecError
    from dlspec.language.yaml import read_text
    from dlspec.runs.listener import KeepPictures
    from dlspec.runtime.environment import typed_as

    folder = root / job["run"]
    if job["kind"] == "resume":
        with typed_as(f"dlspec run --resume {job['run']}"):
            api.resume(folder, listener=KeepPictures())
        return
    checked = api.examine(read_text(job["text"], job["file"]))
    if checked.errors:
        raise SpecError(checked.errors, checked.spec.document.texts)
    with typed_as(f"dlspec run {job['file']}"):
        api.run(checked.spec, out=folder, listener=KeepPictures())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
