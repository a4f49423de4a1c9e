"""The process that looks at data and at finished runs: it reads files that may be large, and loads no TensorFlow.

`python -m dlspec.studio.looking ROOT [PLUGIN…]` answers questions as `dlspec.studio.checking` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlspec.api import examine_briefly
from dlspec.language.diagnostics.errors import SpecError
from dlspec.language.yaml import read_text
from dlspec.spec.spec import Spec
from dlspec.studio.answering import Values, answer_lines

MEMORY = 12 * 2**30
"""Bytes of addresses that the process may have."""
MOST_EPOCHS = 400
"""Of a curve that is compared."""


def data(question: Mapping[str, Any]) -> Values:
    """Columns, samples and parts of the data of a text."""
    from dlspec.studio.columns import described

    return described(_spec(question))


def init(question: Mapping[str, Any]) -> Values:
    """The first spec of a file or folder of the root, or of a built-in dataset, as `dlspec init` writes it.

    `data`: its name; `beside`: the file that the spec is to be in; `target`: the column to predict, or null.
    """
    from dlspec.runs.first_run import made_to_run
    from dlspec.spec.first_spec import look_at, write_start

    start = look_at(question["data"])
    if question.get("target"):
        start = start.predicting(question["target"])
    if start.may_be_read:
        start = made_to_run(start)
    path = start.data
    if start.kind != "dataset":
        path = Path(os.path.relpath(start.data, Path(question["beside"]).parent)).as_posix()
    text = write_start(start, path=path, language=question.get("language", "en"))
    return {
        "text": text,
        "name": start.name,
        "target": start.target,
        "targets": list(start.targets),
        "likely": [{"column": each.column, "why": str(each.why)} for each in start.likely[:3]],
    }


def retype(question: Mapping[str, Any]) -> Values:
    """A column with another type, or left out: the text that says so, and the line that was written."""
    from dlspec.studio.columns import retyped

    file = str(question["file"])
    return retyped(
        _spec(question),
        question["text"],
        file,
        question["column"],
        question["type"],
        lambda text: examine_briefly(read_text(text, file)),
    )


def compare(question: Mapping[str, Any]) -> Values:
    """Finished runs side by side: what differs, metrics with their intervals, what that says, and their curves."""
    from dlspec.language.yaml import to_inline_yaml
    from dlspec.views.comparison import compare_runs

    found = compare_runs(question["folders"])
    values = found.as_json()
    values["runs"] = [
        {**run, "folder": name, "history": _curve(own)}
        for run, own, name in zip(values["runs"], found.found.runs, question["names"], strict=True)
    ]
    for grid in ("keys", "surroundings"):
        for each in values[grid]:
            each["values"] = [None if value is None else to_inline_yaml(value) for value in each["values"]]
    return values


def _curve(run: Any) -> list[Values]:
    rows = [row for row in run.history if not row.stage.startswith("pretrain")]
    step = max(1, -(-len(rows) // MOST_EPOCHS))
    return [{"epoch": row.epoch, "loss": row.loss, "val_loss": row.val_loss} for row in rows[::step]]


def samples(question: Mapping[str, Any]) -> Values:
    """Rows of the data of a run, such as those that were confused: as text, and as pictures where they are some."""
    from dlspec.runs.folder import open_run
    from dlspec.runs.job import data_of
    from dlspec.studio.columns import rows_shown

    run = open_run(question["folder"])
    found = data_of(run)
    if found.fingerprint != run.data.fingerprint:
        return {"error": "the data have changed since this run", "help": "run the spec again"}
    return rows_shown(found.signature, found.columns, [int(row) for row in question["rows"]])


def datasets(question: Mapping[str, Any]) -> Values:
    """The built-in datasets with what each is."""
    from dlspec.data.datasets import DATASETS

    return {"datasets": [{"name": name, "about": _first_sentence(DATASETS[name])} for name in DATASETS]}


def formats(question: Mapping[str, Any]) -> Values:
    """What can be taken away: the formats of an export, with the modules that are lacking for each."""
    from importlib.util import find_spec

    from dlspec.deployment.base import EXPORT_TARGETS

    offered = [
        {
            "name": name,
            "about": _first_sentence(kind),
            "suffix": kind.suffixes[0],
            "lacks": [module for module in kind.modules if find_spec(module) is None],
        }
        for name, kind in EXPORT_TARGETS.load_all().items()
    ]
    return {"formats": offered, "names": [*(str(each["name"]) for each in offered), "python", "archive"]}


def _first_sentence(kind: type) -> str:
    paragraph = " ".join((kind.__doc__ or "").strip().partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".")


def _spec(question: Mapping[str, Any]) -> Spec:
    checked = examine_briefly(read_text(question["text"], str(question["file"])))
    if checked.errors:
        raise SpecError(checked.errors, checked.spec.document.texts)
    return checked.spec


QUESTIONS: dict[str, Callable[[Mapping[str, Any]], Values]] = {
    "data": data, "init": init, "retype": retype, "compare": compare, "samples": samples, "datasets": datasets,
    "formats": formats,
}  # fmt: skip
"""What may be asked -> what answers it."""


def main(root: str, *plugins: str) -> None:
    def ready() -> None:
        import dlspec.runs.job
        import dlspec.studio.columns  # noqa: F401 - loaded before somebody waits for it

    answer_lines(root, plugins, QUESTIONS, ready=ready, memory=MEMORY)


if __name__ == "__main__":
    main(*sys.argv[1:])
