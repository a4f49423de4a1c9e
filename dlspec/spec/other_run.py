"""The run that `pretrain: {from: …}` names, and the layers that are taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean
from dlspec.model.graph import Graph
from dlspec.model.weights import PRETRAINED, TRAINED, layer_sizes
from dlspec.pretraining.section import Entry
from dlspec.runtime.files import check_links
from dlspec.spec.spec import Spec

MODEL = "model.keras"
"""What a finished run has saved."""


def find_layers_file(spec: Spec, entry: Entry) -> Path | None:
    """The file that `from` of an entry leads to: pretrained layers of that run where there are some, else the trained
    ones. None: the entry takes no layers.

    Raises:
        DataError: there is no such run, or it did not get so far.
    """
    named = entry.method.from_
    return None if named is None else _file_of_run(spec, named, (*entry.path, "from"), (PRETRAINED, TRAINED), "layers")


def find_layers_files(spec: Spec) -> list[tuple[Entry, Path]]:
    """The entries of `pretrain` that take layers of another run, and the file of each.

    Raises:
        DataError: as `find_layers_file`.
    """
    found = ((entry, find_layers_file(spec, entry)) for entry in spec.pretraining)
    return [(entry, file) for entry, file in found if file is not None]


def find_teacher(spec: Spec) -> Path | None:
    """The folder of the run whose network is the teacher.

    Raises:
        DataError: there is no such run, or it did not get so far.
    """
    teacher = spec.train.teacher if spec.has("train") else None
    if teacher is None:
        return None
    short = ("train", "teacher")
    place = (*short, "from") if spec.is_written(*short, "from") else short
    return _file_of_run(spec, teacher.from_, place, (MODEL,), "network").parent


def _file_of_run(spec: Spec, named: str, place: tuple[str | int, ...], files: Sequence[str], what: str) -> Path:
    """The first of some files that the folder of a run has.

    Args:
        named: the folder, as the spec names it.
        place: where it does.
        what: it holds, trained, in words.

    Raises:
        DataError: there is none.
    """
    span = spec.span(*place)
    folders = [spec.document.folder_of(*place) / named, Path(named)]  # runs are written where the command is typed
    for folder in folders:
        check_links(folder)
        for name in files:
            if (folder / name).is_file():
                return folder / name
    there = next((folder for folder in folders if folder.is_dir()), None)
    if there is None and any(folder.is_file() for folder in folders):
        help = f"write `from: {Path(named).parent.as_posix()}`"
        raise DataError.of("no-run", f"`{named}` is a file, and `from` names the folder of a run", span, help=help)
    if there is None:
        raise DataError.of("no-run", f"there is no run folder `{named}`", span, help=_nearest(folders))
    runs = sorted(path.name for path in there.iterdir() if (path / files[-1]).is_file())
    help = f"write `from: {named}/{runs[-1]}`" if runs else f"let that run go on until its {what} is trained"
    message = f"`{named}` holds no trained {what}"
    raise DataError.of("no-run", message, span, help=help.replace("layers is", "layers are"))


def layers_taken_by(spec: Spec, graph: Graph, entry: Entry) -> tuple[str, ...]:
    """The layers of an entry that another run has; they start with the weights that they have there.

    Raises:
        DataError: the run cannot be read.
    """
    file = find_layers_file(spec, entry)
    if file is None:
        return ()
    sizes = layer_sizes(file)
    return tuple(layer.name for layer in entry.method.chosen(graph) if layer.name in sizes)


def taken_layers(spec: Spec, graph: Graph) -> tuple[tuple[str, ...], ...]:
    """The layers that each entry of `pretrain` takes of another run.

    Raises:
        DataError: a run cannot be read.
    """
    return tuple(layers_taken_by(spec, graph, entry) for entry in spec.pretraining)


def _nearest(folders: Sequence[Path]) -> str:
    names = [path.name for folder in folders if folder.parent.is_dir() for path in folder.parent.iterdir()]
    near = did_you_mean(folders[0].name, names, otherwise="")
    return near or "name a folder that `dlspec run` wrote, such as `runs/digits/001`"
