"""One thing that is taken away from a finished run, made in a process of its own: a model in a format, Python, or all
of it as one archive.

`python -m dlspec.studio.taking ROOT RUN WHAT OUT [PLUGIN…]` writes a zip file and prints what it is, as a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError, DiagnosticError
from dlspec.language.plugins import load
from dlspec.studio.confinement import confine

if TYPE_CHECKING:
    from dlspec.runs.folder import Run

Values = dict[str, Any]
MOST_BYTES = 2**31
"""Of the data in an archive."""
PYTHON, ARCHIVE = "python", "archive"
README = """{name}, trained by dlspec {version}

    pip install "dlspec[tensorflow]"
    dlspec report {run}            the report again
    dlspec predict {run} FILE      predictions for new rows
    dlspec run {spec}              trains it anew
    dlspec studio                  all of it on a page

Paths are relative to this folder. The spec with its comments, as it was written, is {run}/spec.yaml.
"""


def taken(root: Path, folder: Path, what: str, out: Path) -> Values:
    """Writes one thing as a zip file.

    Args:
        what: a format of `dlspec export`, `python` or `archive`.
        out: the zip file.

    Returns:
        `files`: the names in it; `proof`: what was compared, where something was.

    Raises:
        DataError: it cannot be done with this run.
    """
    from dlspec.runs.folder import open_run

    run = open_run(folder)
    run.check_finished()
    out.parent.mkdir(parents=True, exist_ok=True)
    if what == ARCHIVE:
        return _archived(root, run, out)
    with TemporaryDirectory(dir=out.parent) as place:
        found = _python(run, Path(place)) if what == PYTHON else _exported(run, what, Path(place))
        files = sorted(path for path in Path(place).rglob("*") if path.is_file())
        _write(out, ((path, path.relative_to(place).as_posix()) for path in files))
    return found


def _exported(run: Run, form: str, place: Path) -> Values:
    from dlspec.api import export
    from dlspec.deployment.base import EXPORT_TARGETS
    from dlspec.deployment.records import read_receipt

    if form not in EXPORT_TARGETS:
        raise DataError.of("unknown-format", f"there is no format `{form}`", help="choose one of those that are shown")
    suffix = EXPORT_TARGETS[form].suffixes[0]
    file = place / f"{run.spec.name}{suffix if suffix.startswith('.') else f'_{suffix}'}"
    written = export(run, out=file, format=form)
    receipt = read_receipt(written)
    return {"proof": receipt.get("proof"), "files": sorted(path.name for path in place.iterdir())}


def _python(run: Run, place: Path) -> Values:
    from dlspec.conversion import eject

    found = eject(run, out=place / f"{run.spec.name}.py")
    return {
        "proof": None,
        "left_out": list(found.left_out),
        "files": [path.name for path in found.files],
    }


def _archived(root: Path, run: Run, out: Path) -> Values:
    """The run, its data and a spec beside them, at the same places as in the root, so that all paths still lead there.

    Raises:
        DataError: data lie elsewhere, are too large, or are not what the run was trained on.
    """
    from dlspec._version import __version__
    from dlspec.runs.resolved import portable, resolved_text

    name = f"{run.spec.name}.yaml"
    where = run.folder.resolve().relative_to(root).as_posix()
    inside = {path: path.relative_to(root).as_posix() for path in _files_of(run.folder)}
    for path in _data_files(root, run):
        if not path.is_relative_to(root):
            raise DataError.of("data-elsewhere", f"`{path.name}` is outside of the folder of the studio",
                               help="put the data into this folder, and run the spec again")  # fmt: skip
        inside[path] = path.relative_to(root).as_posix()
    size = sum(path.stat().st_size for path in inside)
    if size > MOST_BYTES:
        raise DataError.of("data-too-large", f"the run and its data have {size / 2**30:.1f} GiB",
                           help="copy the folder itself to the other machine")  # fmt: skip
    texts = {
        name: resolved_text(run.spec, portable(run.spec, root)),
        "README.txt": README.format(name=run.spec.name, version=__version__, run=where, spec=name),
    }
    texts = {key: text for key, text in texts.items() if key not in inside.values()}
    _write(out, inside.items(), texts)
    return {"proof": None, "files": sorted([*texts, *inside.values()])}


def _files_of(folder: Path) -> list[Path]:
    return [path.resolve() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def _data_files(root: Path, run: Run) -> list[Path]:
    """The files that the data of a run are read from, and the runs that it began with."""
    from dlspec.data.source_of import source_of, unlabeled_source
    from dlspec.data.sources import FileSource
    from dlspec.runs.job import data_of
    from dlspec.spec.other_run import find_layers_files, find_teacher

    opened: set[str] = set()
    looks = _noting(opened)
    data = data_of(run)
    looks.clear()
    if data.fingerprint != run.data.fingerprint:
        raise DataError.of("data-changed", "the data have changed since this run", help="run the spec again")
    found = {Path(os.path.realpath(name)) for name in opened}
    apart = (root / "runs", root / ".dlspec-studio")
    found = {path for path in found if path.is_relative_to(root) and not any(path.is_relative_to(a) for a in apart)}
    for source in (source_of(run.spec.data), unlabeled_source(run.spec.data)):
        if not isinstance(source, FileSource):
            continue
        for path in source.paths:
            whole = source.folder / path
            there = [whole] if whole.exists() else sorted(source.folder.glob(path))
            for each in there:
                found |= {*_files_of(each)} if each.is_dir() else {each.resolve()}
    layers = [file.parent for _, file in find_layers_files(run.spec)]
    for other in (*layers, find_teacher(run.spec)):
        found |= set(_files_of(other)) if other is not None else set()
    return sorted(path for path in found if path.is_file())


def _noting(opened: set[str]) -> list[Callable[[str], None]]:
    """Notes the names of files that Python opens, until the list that it gives is cleared."""
    active = [opened.add]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and active and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            active[0](os.path.abspath(os.fsdecode(arguments[0])))

    sys.addaudithook(hook)
    return active


def _write(out: Path, files: Iterable[tuple[Path, str]], texts: dict[str, str] | None = None) -> None:
    draft = out.with_name(f"{out.name}.draft")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (texts or {}).items():
            archive.writestr(name, text)
        for path, name in files:
            archive.write(path, name)
    os.replace(draft, out)


def main(root: str, folder: str, what: str, out: str, *plugins: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    for plugin in plugins:
        load(plugin)
    os.chdir(root)
    confine(Path(root), writes=True)
    try:
        found = taken(Path(root), Path(folder), what, Path(out))
    except DiagnosticError as error:
        first = error.diagnostics[0]
        found = {"error": first.message, "help": first.help}
    answers.write(json.dumps(found, ensure_ascii=True) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
