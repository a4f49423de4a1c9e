"""Finished runs side by side: what their specs and surroundings have that differs, and which network is better."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.signature import PARTS_IN_FILES
from dlspec.data.sources import FILE_SOURCES
from dlspec.evaluation.metrics import METRICS
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.language.yaml import read_file
from dlspec.model.weights import RESOLVED
from dlspec.runs.folder import Run, open_run
from dlspec.runtime.environment import changes

if TYPE_CHECKING:
    from dlspec.runs.paired import Paired

FILES_OF_DATA = {
    *(f"data.{place}{source}" for source in FILE_SOURCES for place in ("", "unlabeled.")),
    *(f"data.split.{part}" for part in PARTS_IN_FILES),
    "pretrain.from",
}
"""Keys whose values are paths, as seen from the run folder."""


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in all runs.

    Args:
        values: of each run; None: it is not there.
    """

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class SideBySide:
    """What is told of finished runs, the first of which the others are compared with.

    Args:
        names: what each is called: the end of its path that tells it from the others.
        keys: of the resolved specs, those that differ.
        surroundings: versions, device and the like that differ.
        same_data: whether all were trained and tested on the same data.
        pairs: each run but the first, against the first.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    keys: tuple[Difference, ...]
    surroundings: tuple[Difference, ...]
    same_data: bool
    pairs: tuple[Paired, ...]


def lay_side_by_side(folders: Sequence[Run | str | Path]) -> SideBySide:
    """Opens finished runs and compares them, from their folders alone.

    Raises:
        DataError: there are fewer than two, one is named twice or is not finished, or one of its files is damaged.
    """
    from dlspec.runs.paired import pair

    runs = [folder if isinstance(folder, Run) else open_run(folder) for folder in folders]
    if len({run.folder.resolve() for run in runs}) != len(runs) or len(runs) < 2:
        raise DataError.of(
            "too-few-runs",
            "a run is named twice" if len(runs) > 1 else "a comparison takes two runs at least",
            help="name two run folders or more, such as `runs/lstm_stock/001 runs/lstm_stock/002`",
        )
    for run in runs:
        run.check_finished()
        if any(name not in METRICS for name in run.metrics.test):
            run.spec  # noqa: B018 - which says the plugin that is missing
    names, specs = short_names([run.folder for run in runs]), [plain_spec(run) for run in runs]
    return SideBySide(
        tuple(runs),
        names,
        tuple(differing_keys(specs)),
        tuple(_surroundings(runs)),
        len({run.data.fingerprint for run in runs}) == 1,
        tuple(
            pair(runs[0], run, (names[0], name), (specs[0], spec))
            for run, name, spec in zip(runs[1:], names[1:], specs[1:], strict=True)
        ),
    )


def short_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """The paths without what they have in common at their beginning."""
    parts = [folder.resolve().parts for folder in folders]
    shared = 0
    while all(len(own) > shared + 1 for own in parts) and len({own[shared] for own in parts}) == 1:
        shared += 1
    return tuple("/".join(own[shared:]) for own in parts)


def plain_spec(run: Run) -> dict[str, Any]:
    """The resolved spec as plain values, in which paths are as seen from where the command is typed.

    Raises:
        SpecError: it is damaged.
    """
    run.resolved_text  # noqa: B018 - which looks at its checksum
    document = read_file(run.folder / RESOLVED)
    if document.problems:
        raise SpecError(document.problems, document.texts)
    values: dict[str, Any] = document.root.plain()
    for place in FILES_OF_DATA:
        *sections, key = place.split(".")
        holder: Any = values
        for section in sections:
            holder = holder.get(section) if isinstance(holder, dict) else None
        for each in holder if isinstance(holder, list) else [holder]:
            if isinstance(each, dict) and isinstance(each.get(key), str | list):
                each[key] = _from_here(run.folder, each[key])
    return values


def _from_here(folder: Path, paths: Any) -> Any:
    if isinstance(paths, list):
        return [_from_here(folder, path) for path in paths]
    return Path(os.path.relpath(folder / paths)).as_posix() if isinstance(paths, str) else paths


def differing_keys(specs: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    """The keys that are not the same in all resolved specs.

    Layers are told apart by their places, as in `model.0.dense.units`; where the specs have other layers, each is
    called by its type and its number among those of that type: `model.dense[2].units`.
    """
    types = [[_type(item) for item in spec.get("model", ())] for spec in specs]
    alike = all(own == types[0] for own in types)
    found = [
        dict(_leaves({key: _by_layer(value, alike) if key == "model" else value for key, value in spec.items()}))
        for spec in specs
    ]
    for name in dict.fromkeys(name for own in found for name in own):
        values = tuple(own.get(name) for own in found)
        if any(value != values[0] or type(value) is not type(values[0]) for value in values):
            yield Difference(name, values)


def _by_layer(items: Sequence[Any], alike: bool) -> dict[str, Any]:
    """What layers of a spec are called -> their settings.

    Args:
        alike: whether all specs have the same layers, as far as their types go.
    """
    types, found = [_type(item) for item in items], {}
    for place, (name, item) in enumerate(zip(types, items, strict=True)):
        key = f"{place}.{name}" if alike else f"{name}[{types[: place + 1].count(name)}]"
        found[key] = (next(iter(item.values())) if isinstance(item, dict) else None) or {}
    return found if alike else {"in order": types, **found}


def _type(item: Any) -> str:
    return str(next(iter(item))) if isinstance(item, dict) else str(item)


def _leaves(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted path; lists of plain values are one value."""
    if isinstance(values, list) and any(isinstance(value, dict | list) for value in values):
        values = {str(place): value for place, value in enumerate(values)}
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, values


def _surroundings(runs: Sequence[Run]) -> Iterator[Difference]:
    """What differs between the first and any of the others, of what `environment.json` tells."""
    first, *others = (run.environment.as_json() for run in runs)
    found: dict[str, list[Any]] = {}
    for place, other in enumerate(others, 1):
        for change in (change for change in changes(first, other) if change.name != "seed"):  # which the spec has
            found.setdefault(change.name, [change.before] * len(runs))[place] = change.now
    for name, values in found.items():
        yield Difference(name, tuple(values))
