"""Rules about `train.teacher`: another run whose answers a network learns besides the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlspec.data.signature import Target
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.model.weights import RESOLVED
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.checks.taken_layers import other_spec, seen_before
from dlspec.spec.other_run import find_teacher

CODE = "teacher-mismatch"
DATA = "data.json"


@rule
def a_teacher_has_the_same_answers(checked: Checked) -> Iterator[Diagnostic]:
    """A teacher predicts what the network is to predict, of single samples, and has not seen the test part."""
    spec, signature = checked.spec, checked.signature
    if not spec.has("train") or spec.train.teacher is None:
        return
    span = spec.span("train", "teacher")
    try:
        folder = find_teacher(spec)
    except DataError as error:
        yield from (replace(problem, span=problem.span or span) for problem in error.diagnostics)
        return
    if signature is None or folder is None:
        return
    yield from _not_to_be_taught(checked)
    target, record = signature.target, _of_target(_record(folder), signature.target)
    if target.kind not in ("class", "number") or target.places or signature.window is not None:
        what = {"labels": "labels", "input": "its input"}.get(target.kind, "something of a series, or at each place")
        message = f"a teacher says one class or number of each sample, and the network predicts {what}"
        yield Diagnostic(CODE, message, span, help="remove `teacher`")
        return
    if record is None:
        message = f"no output of the teacher predicts `{target.name}`"
        yield Diagnostic(CODE, message, span, help="name a run that predicts the same as all outputs here")
        return
    theirs = record.get("target") or {}
    if target.form != "value" or theirs.get("levels") or theirs.get("mixture"):
        itself = target.form != "value"
        who, help = ("the network", "remove `teacher`") if itself else ("this one", "name a run without them")
        gives = "quantiles" if (target.levels if itself else theirs.get("levels")) else "a mixture"
        message = f"a teacher says one number of each sample, and {who} gives {gives}"
        yield Diagnostic(CODE, message, span, help=help)
        return
    if theirs and (theirs.get("kind") != target.kind or tuple(theirs.get("classes") or ()) != target.classes):
        has = one_of(theirs["classes"]) if theirs.get("classes") else f"`{theirs.get('name')}`"
        own = one_of(target.classes) if target.classes else f"`{target.name}`"
        message = f"the teacher predicts {has}, and the network {own}"
        yield Diagnostic(CODE, message, span, help="name a run with the same target")
    elif theirs and target.kind == "number" and tuple(theirs.get("names") or ()) != target.names:
        message = f"the teacher predicts {one_of(theirs['names'])}, and the network {one_of(target.names)}"
        yield Diagnostic(CODE, message, span, help="name a run with the same target")
    other = other_spec(folder / RESOLVED)
    if other is not None:
        yield from seen_before(checked, other, folder, span)


def _not_to_be_taught(checked: Checked) -> Iterator[Diagnostic]:
    """What is not trained with a teacher."""
    spec = checked.spec
    loss = spec.train.loss
    if getattr(loss, "from_logits", False):
        message = "a teacher is compared with probabilities, and `from_logits` makes the network put out none"
        yield Diagnostic(
            CODE, message, spec.span(*spec.place_of_loss), help="remove `from_logits`, and end in `output`"
        )
    if spec.has("data") and spec.data.split.times_trained > 1:
        message = "a teacher was trained on what other folds are tested on"
        yield Diagnostic(CODE, message, spec.key_span("data", "split", "folds"), help="remove `folds` or `teacher`")
    if spec.has("evaluate") and spec.evaluate.compare is not None:
        message = "what is compared is trained without a teacher"
        yield Diagnostic(CODE, message, spec.key_span("evaluate", "compare"), help="remove `compare` or `teacher`")
    if spec.has("runtime") and spec.runtime.distribute is not None:
        message = "`distribute` trains without a teacher in this version"
        yield Diagnostic(CODE, message, spec.key_span("runtime", "distribute"), help="remove it or `teacher`")


def _of_target(record: dict[str, Any], target: Target) -> dict[str, Any] | None:
    """What a run says of its only output; of several, of that which predicts the target, None where none does."""
    if not record.get("outputs"):
        return record
    each = [record, *record["outputs"].values()]
    return next((own for own in each if tuple((own.get("target") or {}).get("names") or ()) == target.names), None)


def _record(folder: Path) -> dict[str, Any]:
    """What a run says of its data; of a damaged one nothing, which is told when it is opened."""
    try:
        found = json.loads((folder / DATA).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
