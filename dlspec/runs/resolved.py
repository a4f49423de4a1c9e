"""`resolved.yaml`: the spec of a run with every default written out, so that it runs again from its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dlspec._version import __version__
from dlspec.data.signature import PARTS_IN_FILES
from dlspec.data.source_of import source_of, unlabeled_source
from dlspec.data.sources import FileSource
from dlspec.data.sources.rows import RowsFiles
from dlspec.language.registry import Kind
from dlspec.language.yaml import to_yaml
from dlspec.spec.other_run import find_layers_files, find_teacher
from dlspec.spec.spec import Spec


def portable(spec: Spec, folder: Path) -> dict[str, Any]:
    """The resolved spec as plain values, data files relative to the run folder; what is not set is left out, unless
    a layer has something there by default."""

    def without_nothing(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: without_nothing(value) for key, value in values.items() if value is not None}
        return [without_nothing(v) for v in values] if isinstance(values, list) else values

    values: dict[str, Any] = without_nothing(spec.written())
    data = values["data"]
    for source, section in ((source_of(spec.data), data), (unlabeled_source(spec.data), data.get("unlabeled"))):
        if isinstance(source, FileSource):
            section[source.key] = source.seen_from(folder, section[source.key])
        for part in PARTS_IN_FILES if isinstance(source, RowsFiles) else ():
            own = getattr(source, part)
            if own is not None:
                data["split"][part] = own.seen_from(folder, data["split"][part])
    _finish_layers(spec, values["model"], folder)
    for entry, file in find_layers_files(spec):
        written = values["pretrain"][entry.path[1]] if entry.listed else values["pretrain"]
        written["from"] = os.path.relpath(file.parent.resolve(), folder.resolve())
    teacher = find_teacher(spec)
    if teacher is not None:
        values["train"]["teacher"]["from"] = os.path.relpath(teacher.resolve(), folder.resolve())
    return values


def _finish_layers(spec: Spec, model: Any, folder: Path) -> None:
    """Makes the files of networks in the section `model` relative to a folder, and writes `null` where that is not
    what a layer has by default."""
    layers = model["layers"] if isinstance(model, dict) else model
    for item, path in spec.model.items():
        held: Any = layers
        for step in path[2:]:
            held = held[step]
        _write_nulls(item, held)
        for key in item.files:
            whole = spec.model.folder_of(*path[1:], item.type_name) / held[item.type_name][key]
            held[item.type_name][key] = Path(os.path.relpath(whole.resolve(), folder.resolve())).as_posix()


def _write_nulls(kind: Kind, written: Any) -> None:
    for name, field in type(kind).model_fields.items() if isinstance(written, dict) else ():
        value, key = getattr(kind, name), name.removesuffix("_")
        if value is None and field.get_default() is not None and not field.is_required():
            written[kind.type_name][key] = None
        elif isinstance(value, Kind):
            _write_nulls(value, written[kind.type_name].get(key))


def resolved_text(spec: Spec, values: dict[str, Any]) -> str:
    return (
        f"# {spec.name} with every default written out; dlspec {__version__} runs it again as it is.\n{to_yaml(values)}"
    )
