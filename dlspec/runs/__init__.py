"""The run folder: what a run leaves behind.

Every file is written whole or not at all. A run is finished when `metrics.json` is there, and can go on when
it is not. What is named here is loaded on first use, since runs are listed without what trains them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlspec.runs.folder import Run, naming_plugins, open_run
    from dlspec.runs.listing import RunSummary, list_runs
    from dlspec.runs.replay import Replay
    from dlspec.runs.run import resume, start, unfinished

__all__ = [
    "Replay", "Run", "RunSummary", "list_runs", "naming_plugins", "open_run", "resume", "start", "unfinished",
]  # fmt: skip

_HOMES = {
    "Run": "folder",
    "naming_plugins": "folder",
    "open_run": "folder",
    "RunSummary": "listing",
    "list_runs": "listing",
    "Replay": "replay",
    "resume": "run",
    "start": "run",
    "unfinished": "run",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dlspec.runs' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"dlspec.runs.{_HOMES[name]}"), name)
