"""The run folder: what a run leaves behind.

Every file is written whole or not at all. A run is finished when `metrics.json` is there, and can go on when
it is not.
"""

from dlspec.runs.folder import Run, naming_plugins, open_run
from dlspec.runs.replay import Replay, replay
from dlspec.runs.run import resume, start, unfinished

__all__ = ["Replay", "Run", "naming_plugins", "open_run", "replay", "resume", "start", "unfinished"]
