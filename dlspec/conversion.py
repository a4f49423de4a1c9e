"""Specs and runs as something else: Python that needs no dlspec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.ejection.ejecting import Ejected
    from dlspec.runs import Run
    from dlspec.spec.spec import Spec


def eject(
    what: Spec | Run | str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    out: str | Path | None = None,
    notebook: bool = False,
    force: bool = False,
) -> Ejected:
    """Writes the Python that does what a spec, or that of a run, says: Keras and numpy, and no dlspec.

    Beside it stand `<name>.json` and `<name>.npz` with what was fitted to the training part, and which rows are in
    which part. Before anything is written, the script is held against dlspec: the same rows and targets, the same
    inputs of the network, and with the same weights the same outputs, to the last bit.

    Args:
        what: a spec as `load` gives it or takes it, or a run, or its folder.
        overrides: of a spec, dotted path -> value.
        out: the file; by default `<name>.py` in the current folder.
        notebook: whether it is a notebook of Jupyter, `<name>.ipynb`.
        force: whether files that are there are replaced.

    Returns:
        `files`, the script first; `left_out`, what it does not do, in sentences; and `proof`, what was compared.

    Raises:
        SpecError: the spec has mistakes.
        DataError: the data are not there, or something in the spec cannot be said in Python.
    """
    from dlspec.api import load, open_run
    from dlspec.ejection.ejecting import eject_run, eject_spec
    from dlspec.runs import Run
    from dlspec.runtime.backend import load_keras
    from dlspec.runtime.packages import model_modules, require
    from dlspec.spec.spec import Spec

    require(*model_modules(), what="Python of a spec")
    file = None if out is None else Path(out)
    if isinstance(what, str | Path) and "\n" not in str(what) and Path(what).is_dir():
        what = open_run(what)
    if isinstance(what, Run):
        load_keras()
        return eject_run(what, file, notebook=notebook, force=force)
    spec = what if isinstance(what, Spec) and not overrides else load(what, overrides)
    load_keras()
    return eject_spec(spec, file, notebook=notebook, force=force, named=_named(spec, overrides))


def _named(spec: Spec, overrides: Mapping[str, Any] | None) -> str:
    """How the command names the spec: its file, and what was set."""
    from dlspec.language.yaml import to_inline_yaml

    settings = {**spec.document.overrides, **(overrides or {})}
    file = spec.document.file
    named = [] if file.startswith("<") else [file]  # text has no file
    return " ".join([*named, *(f"-s {key}={to_inline_yaml(value)}" for key, value in settings.items())])
