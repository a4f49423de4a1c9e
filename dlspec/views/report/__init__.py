"""Run folder -> one HTML page that opens offline. Reads the folder only; neither data nor Keras are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.runs.checksums import fitting_together
from dlspec.runtime.files import write_text
from dlspec.views.report.page import render, render_evaluation

if TYPE_CHECKING:
    from dlspec.runs import Run

__all__ = ["render", "render_evaluation", "write_report"]


def write_report(run: Run) -> Path:
    """Draws the page from the files of the run folder and puts it there."""
    with fitting_together(run.folder):
        page = render(run)
    write_text(run.report, page)
    return run.report
