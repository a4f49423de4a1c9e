"""Finished runs side by side: as text, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.diagnostics.text import visible
from dlspec.language.notebooks import InNotebooks
from dlspec.runs.side_by_side import SideBySide, lay_side_by_side
from dlspec.runtime.files import cannot_write, write_text
from dlspec.runtime.packages import REPORT, require
from dlspec.views.comparison.grids import Grid, grids, text_of
from dlspec.views.comparison.sentences import sentences

if TYPE_CHECKING:
    from dlspec.runs import Run

__all__ = ["Grid", "RunComparison", "compare_runs"]


@dataclass(frozen=True)
class RunComparison(InNotebooks):
    """Finished runs side by side; `str` of it is the text that `dlspec compare` prints, without color."""

    found: SideBySide

    @property
    def grids(self) -> list[Grid]:
        """Metrics, then the keys of the specs that differ, then what else does."""
        return grids(self.found)

    @property
    def sentences(self) -> list[str]:
        """Which run is better, and what that rests on."""
        return sentences(self.found)

    def __str__(self) -> str:
        return visible("\n\n".join([*map(text_of, self.grids), "\n".join(self.sentences)]))

    def as_json(self) -> dict[str, Any]:
        return {
            "runs": [
                {
                    "name": name,
                    "folder": str(run.folder),
                    "test": run.metrics.test,
                    "test_intervals": run.metrics.as_json().get("test_intervals", {}),
                    "baselines": run.metrics.baselines,
                    "verdict": run.metrics.verdict.as_json(),
                }
                for name, run in zip(self.found.names, self.found.runs, strict=True)
            ],
            "keys": [asdict(own) for own in self.found.keys],
            "surroundings": [asdict(own) for own in self.found.surroundings],
            "same_data": self.found.same_data,
            "against": self.found.names[0],
            "pairs": [
                {"name": name, **pair.as_json()}
                for name, pair in zip(self.found.names[1:], self.found.pairs, strict=True)
            ],
            "sentences": self.sentences,
        }

    def write_page(self, path: str | Path) -> Path:
        """Writes all of it and the curves of training as one HTML page that opens offline.

        Raises:
            DataError: the file is there already, or cannot be written.
        """
        from dlspec.views.comparison.page import render

        path = Path(path)
        if path.exists():
            raise DataError.of("cannot-write", f"`{path}` is there already", help="name another file with `--out`")
        require(*REPORT, what="a page")
        try:
            write_text(path, render(self.found))
        except OSError as error:
            raise cannot_write(path, error, "name another file") from None
        return path


def compare_runs(runs: Sequence[Run | str | Path]) -> RunComparison:
    """See `api.compare`."""
    return RunComparison(lay_side_by_side(runs))
