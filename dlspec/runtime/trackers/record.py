"""What a tracker has of a run, kept in the run folder, so that a resumed run goes on in the same place."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, NonNegativeInt

from dlspec.runtime.files import write_json
from dlspec.runtime.records import Record, read_record

FOLDER = "trackers"


class TrackerRecord(Record):
    """One tracker of a run.

    Args:
        kept: what finds its entry for the run.
        last: the number of the last epoch that was logged, over all stages.
    """

    kept: dict[str, str] = Field(default_factory=dict)
    last: NonNegativeInt = 0


def read_tracker(folder: Path, kind: str) -> TrackerRecord:
    """An empty record where there is none.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / FOLDER / f"{kind}.json"
    return read_record(path, TrackerRecord) if path.is_file() else TrackerRecord()


def write_tracker(folder: Path, kind: str, record: TrackerRecord) -> None:
    (folder / FOLDER).mkdir(exist_ok=True)
    write_json(folder / FOLDER / f"{kind}.json", record.as_json())
