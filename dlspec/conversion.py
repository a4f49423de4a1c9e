"""Specs and runs as something else: drawings, Python that needs no dlspec, and text that a network writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlspec.ejection.ejecting import Ejected
    from dlspec.runs import Run
    from dlspec.spec.spec import Spec


def draw(
    spec: Spec | str | Path,
    form: str = "text",
    *,
    overrides: Mapping[str, Any] | None = None,
    alone: bool = True,
    fold: bool = False,
) -> str:
    """The network as a drawing, without loading TensorFlow.

    Args:
        form: `text`, `svg` or `mermaid` (a flowchart for Markdown).
        alone: of an SVG: whether it is a file of its own. Else it is for a page that has a look of its own: without a
            style sheet, in colors for light and dark, each box with `data-layer`, `data-path` and `data-line`.
        fold: of an SVG: whether equal layers that follow each other are drawn once.

    Raises:
        SpecError: the spec has mistakes; `examine` draws what there is of the network all the same.
        ValueError: `alone` or `fold` is asked of another form than `svg`.
    """
    from dlspec.api import graph, load
    from dlspec.views.drawing import FORMS, draw_boxes

    if form != "svg":
        if fold or not alone:
            raise ValueError(f"`alone` and `fold` are of `svg`, not of `{form}`")
        return FORMS[form](graph(spec, overrides))
    loaded = load(spec, overrides)
    drawn = graph(loaded)
    spans = {layer.path: loaded.document.span(*layer.path) for layer in drawn.layers}
    return draw_boxes(drawn, alone=alone, inline=not alone, fold=fold, spans=spans).svg


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


def generate(
    run: Run | str | Path,
    prompt: str,
    *,
    length: int = 200,
    temperature: float = 1.0,
    seed: int | None = None,
    write: Callable[[str], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> str:
    """Lets a network that was trained with `target: {text: next}` write on.

    Each token is drawn by the probabilities that the saved model gives after those before it, and by nothing else. The
    one that stands for unknown tokens is never drawn.

    Args:
        run: a run, or its folder.
        prompt: how the text begins, one token or more.
        length: how many tokens, characters or words, are written.
        temperature: by which the logarithms of probabilities are divided; 0 takes the most probable token each time.
        seed: with the same one the text is the same; None: another text each time.
        write: is given the prompt, and then each token as soon as it is drawn.
        note: is told what tokens of the prompt the network does not know; by default they are a warning.

    Returns:
        The prompt and what was written behind it; words in small letters, without punctuation.

    Raises:
        DataError: the run writes no text, or the prompt is empty.
        ValueError: length is below 1, or temperature below 0.
    """
    import warnings

    from dlspec.api import open_run
    from dlspec.runs import Run
    from dlspec.runs.checksums import fitting_together
    from dlspec.runs.language import unknown_in_words, writer_of

    if length < 1 or not 0 <= temperature < float("inf"):
        raise ValueError("`length` is 1 or more, and `temperature` a number from 0 on")
    opened = run if isinstance(run, Run) else open_run(run)
    writer_of(opened.data, None)
    with fitting_together(opened.folder):
        writer = writer_of(opened.data, opened.model)
    written = writer.write(prompt, length, temperature, seed)
    unknown = writer.unknown(writer.split(prompt))
    if unknown:
        said = unknown_in_words(unknown, writer.unit)
        if note is None:
            warnings.warn(said, UserWarning, stacklevel=2)
        else:
            note(said)
    pieces = [prompt]
    if write is not None:
        write(prompt)
    for piece in written:
        pieces.append(piece)
        if write is not None:
            write(piece)
    return "".join(pieces)


def _named(spec: Spec, overrides: Mapping[str, Any] | None) -> str:
    """How the command names the spec: its file, and what was set."""
    from dlspec.language.yaml import to_inline_yaml

    settings = {**spec.document.overrides, **(overrides or {})}
    file = spec.document.file
    named = [] if file.startswith("<") else [file]  # text has no file
    return " ".join([*named, *(f"-s {key}={to_inline_yaml(value)}" for key, value in settings.items())])
