"""`baselines.json` and `baselines.npz`: the baselines of a run as they were fitted, to guess on other data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.runs.names import file_of
from dlspec.runtime.archives import BROKEN, read_arrays, with_checksum, without_checksum
from dlspec.runtime.files import write_json, written_whole
from dlspec.runtime.records import Record, damaged, read_record, unreadable

if TYPE_CHECKING:
    from dlspec.evaluation.fitted import Fitted

BASELINES, ARRAYS = "baselines.json", "baselines.npz"


class BaselineRecord(Record):
    """A baseline that was fitted.

    Args:
        kind: what its arrays are of, a class of `evaluation.fitted`, or of a plugin.
        notes: what a reader should know of it.
    """

    kind: str
    notes: tuple[str, ...] = ()


def write_baselines(folder: Path, fitted: Mapping[str, Fitted], output: str = "") -> None:
    """
    Args:
        output: as of `file_of`.
    """
    import numpy as np

    arrays = {f"{name}/{key}": values for name, own in fitted.items() for key, values in own.arrays().items()}
    with written_whole(folder / file_of(ARRAYS, output)) as draft, draft.open("wb") as file:
        np.savez(file, **with_checksum(arrays))  # type: ignore[arg-type]
    said = {name: {"kind": type(own).__name__, "notes": list(own.notes)} for name, own in fitted.items()}
    write_json(folder / file_of(BASELINES, output), said)


def read_baselines(folder: Path, output: str = "") -> dict[str, Fitted] | None:
    """The baselines of a run; None: it was made before they were kept.

    Raises:
        DataError: the files are damaged, or of a kind that is not there.
    """
    from dlspec.evaluation import (  # noqa: F401, whose kinds these make known
        fitted_mixtures,
        fitted_quantiles,
        fitted_sequences,
        token_models,
        word_tags,
    )
    from dlspec.evaluation.fitted import Fitted

    record_file, array_file = folder / file_of(BASELINES, output), folder / file_of(ARRAYS, output)
    if not record_file.is_file():
        return None
    records = read_record(record_file, dict[str, BaselineRecord])
    try:
        arrays = without_checksum(read_arrays(array_file))
    except BROKEN as error:
        raise unreadable(array_file, error) from None
    found: dict[str, Fitted] = {}
    for name, record in records.items():
        kind = Fitted.kinds.get(record.kind)
        if kind is None:
            raise damaged(record_file, [f"`{name}` is of the kind `{record.kind}`, which is not there"])
        own = {key.removeprefix(f"{name}/"): value for key, value in arrays.items() if key.startswith(f"{name}/")}
        try:
            found[name] = kind.restored(own, record.notes)
        except ValueError as error:
            raise damaged(array_file, [f"of `{name}`, {error}"]) from None
    return found
