"""Writes a script and what stands beside it, after it has shown that it does the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.ejection.document import as_notebook, as_script
from dlspec.ejection.eject import write_script
from dlspec.ejection.proof import Differs, Proof, module_of, prove
from dlspec.ejection.python import NotWritten
from dlspec.ejection.script import Script, beside
from dlspec.ejection.speed import WORTH_SAYING, times_as_fast
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import say_speed
from dlspec.language.diagnostics import Severity
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import Document, read_file, read_text, to_yaml
from dlspec.model.build import build_network
from dlspec.model.weights import RESOLVED
from dlspec.runs.job import load_data, load_or_tell, plan_of
from dlspec.runs.names import SPEC
from dlspec.runs.resolved import portable
from dlspec.runtime.files import cannot_write, write_text, written_whole
from dlspec.spec.checks import check
from dlspec.spec.composition import compose
from dlspec.spec.spec import Spec

if TYPE_CHECKING:
    from dlspec.runs.folder import Run

HELP = "please report it with the spec; `dlspec export` takes the trained network of a run away"

BY_HAND = "take that out of the spec, and write it into the script by hand"


@dataclass(frozen=True)
class Ejected:
    """What was written.

    Args:
        files: the script, or the notebook, first.
        left_out: what the spec says and the script does not do.
        proof: what was compared with dlspec.
        times_as_fast: the time that Keras's `fit` takes for some steps, divided by that of dlspec; None: not measured.
    """

    files: tuple[Path, ...]
    left_out: tuple[str, ...]
    proof: Proof
    times_as_fast: float | None = None

    @property
    def file(self) -> Path:
        return self.files[0]


def eject_spec(spec: Spec, out: Path | None, *, notebook: bool, force: bool, named: str) -> Ejected:
    """Ejects a spec.

    Args:
        out: the file; None: named after the spec, in the current folder.
        force: whether files that are there are replaced.
        named: how the command names the spec.
    """
    return _eject(spec, out, None, notebook=notebook, force=force, named=named)


def eject_run(run: Run, out: Path | None, *, notebook: bool, force: bool) -> Ejected:
    """Ejects the spec of a run, on the data that the run had."""
    spec = run.spec
    return _eject(spec, out, _as_written(run), notebook=notebook, force=force, named=str(run.folder), run=run)


def _as_written(run: Run) -> Document | None:
    """The spec of a run as a person wrote it; None: it cannot be read alone, or the run was made with other values."""
    file = run.folder / SPEC
    if not file.is_file():
        return None
    document = compose(read_file(file))
    wrong = any(problem.severity is Severity.ERROR for problem in document.problems)
    return document if not wrong and _says_the_same(document, run) else None


def _says_the_same(document: Document, run: Run) -> bool:
    """Whether a run was made of what a document says, without `--set`. Its files are where the run finds them."""
    if re.search(r" (-s|--set)\b", run.environment.command):
        return False
    own, ran = document.root.plain(), run.spec.document.root.plain()
    if not isinstance(own, dict) or not isinstance(ran, dict) or _contradict(own.get("data"), ran["data"]):
        return False
    own["data"] = ran["data"]
    for before, now in zip(_entries(own), _entries(ran), strict=False):
        if "from" in now:
            before["from"] = now["from"]
    checked = check(read_text(to_yaml(own), str(run.folder / RESOLVED)))
    return not checked.errors and portable(checked.spec, run.folder) == portable(run.spec, run.folder)


def _entries(values: Any) -> list[Any]:
    """The entries of `pretrain`, as plain values."""
    given = values.get("pretrain") or {}
    return given if isinstance(given, list) else [given]


def _contradict(own: Any, ran: Any) -> bool:
    """Whether two forms of the same section have another value in the same place, or another key; of files, and of what
    has a short form, the place is looked at alone."""
    if isinstance(own, dict) and isinstance(ran, dict):
        return any(key not in ran or _contradict(value, ran[key]) for key, value in own.items())
    return type(own) is type(ran) and isinstance(own, int | float) and own != ran


def _eject(
    spec: Spec,
    out: Path | None,
    document: Document | None,
    *,
    notebook: bool,
    force: bool,
    named: str,
    run: Run | None = None,
) -> Ejected:
    if spec.model.heads or spec.train.teacher is not None:
        why = "its network has several outputs" if spec.model.heads else "its network learns from that of another run"
        message = f"`{named or spec.name}` cannot be said in Python: {why}"
        raise DataError.of("cannot-eject", message, help=BY_HAND)
    file = _file(spec, out, notebook)
    beside = [file.with_suffix(ending) for ending in (".json", ".npz")]
    _check_free([file, *beside], force)
    first = load_or_tell(spec)
    if run is not None and first.fingerprint != run.data.fingerprint:
        message = "the data have changed since the run was started"
        raise DataError.of("data-changed", message, help="bring back the old data, or eject the spec")
    number = spec.data.split.times_trained
    folds = tuple(load_data(spec, fold) for fold in range(number)) if number > 1 else (first,)
    shown = folds[spec.data.split.shown_fold]
    subject = Subject(spec, folds, plan_of(spec, shown), file.parent, document)
    _make_folder(file)
    command = " ".join(["dlspec eject", *([named] if named else []), *(["--notebook"] if notebook else [])])
    named = named or spec.name
    try:
        script, main = write_script(subject, file.stem)
    except NotWritten as error:
        raise DataError.of("cannot-eject", f"`{named}` cannot be said in Python: {error}", help=BY_HAND) from None
    text = as_script(script, subject, main, command)
    proof = _proof(script, text, subject, file, named)
    faster = times_as_fast(subject, build_network(subject.graph, spec.name, one_input=True))
    if faster is not None and faster >= WORTH_SAYING:
        say_speed(script, faster)
    text = (as_notebook if notebook else as_script)(script, subject, main, command)
    return Ejected(tuple(_write(script, text, file)), tuple(script.left_out), proof, faster)


def _file(spec: Spec, out: Path | None, notebook: bool) -> Path:
    """What is written: a file of this name with the ending that belongs to it, in a folder under the name of the spec.

    Raises:
        DataError: it ends as a script, and is a notebook, or the other way round.
    """
    ending, other = (".ipynb", ".py") if notebook else (".py", ".ipynb")
    if out is None or out.is_dir():
        return (out or Path()) / f"{spec.name}{ending}"
    if out.suffix == other:
        help = f"write `-o {out.with_suffix(ending)}`, or {'no' if notebook else 'also'} `--notebook`"
        raise DataError.of("cannot-write", f"a {'notebook' if notebook else 'script'} ends in `{ending}`", help=help)
    return out if out.suffix == ending else out.with_name(f"{out.name}{ending}")


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(file, error, "write `-o` a file in another folder") from None


def _check_free(files: list[Path], force: bool) -> None:
    there = [file for file in files if file.exists()]
    if there and not force:
        help = "write `--force` to replace it, or `-o` another file"
        raise DataError.of("cannot-write", f"`{there[0]}` is there already", help=help)


def _proof(script: Script, text: str, subject: Subject, file: Path, named: str) -> Proof:
    """That of a script, before it is written.

    Raises:
        DataError: it does not do what dlspec does.
    """
    try:
        return prove(module_of(script, text, file), subject)
    except Differs as error:
        message = f"the script of `{named}` is not written, since it is not the same: {error}"
        raise DataError.of("cannot-eject", message, help=HELP) from None
    except Exception as error:  # whatever Python and Keras say
        message = f"the script of `{named}` is not written, since it stops: {type(error).__name__}: {error}"
        raise DataError.of("cannot-eject", message, help=HELP) from error


def _write(script: Script, text: str, file: Path) -> list[Path]:
    """Writes the script, and before it what belongs beside it."""
    found = [file]
    try:
        if script.fitted:
            found.append(file.with_suffix(".json"))
            write_text(found[-1], beside(script))
        if script.arrays:
            found.append(file.with_suffix(".npz"))
            with written_whole(found[-1]) as draft, draft.open("wb") as opened:
                np.savez_compressed(opened, **script.arrays)  # type: ignore[arg-type]
        write_text(file, text)
    except OSError as error:
        raise cannot_write(file, error, "write `-o` a file in another folder") from None
    return found
