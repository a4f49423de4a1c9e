"""What runs took on this machine, kept in the user's cache, so that `plan` can tell how long others will take."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlspec.runtime.environment import processor_name, usable_cpus
from dlspec.runtime.files import write_json
from dlspec.runtime.packages import chosen_backend

VERSION = 1
MOST = 60
"""Runs that are kept of a machine, the last ones."""
LARGEST = 4 * 2**20
"""A larger file is none that was written here."""
CACHE = "DLSPEC_CACHE"
"""The environment variable that names another folder."""


def cache_folder() -> Path:
    """Where what can be found out again is kept: `DLSPEC_CACHE`, or what the system has for such things."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE])
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "dlspec" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "dlspec"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "dlspec"


def machine(device: str) -> str:
    """What timings are alike on.

    Args:
        device: as `runtime.device` asks for it.
    """
    return f"{processor_name()}; {usable_cpus()} CPUs; {chosen_backend()} on {device}"


def timed_runs(device: str) -> list[Any]:
    """What was kept of runs on this machine, the oldest first; a file that cannot be read is as none."""
    runs = _read().get(machine(device), [])
    return runs if isinstance(runs, list) else []


def keep_timing(device: str, run: Any) -> None:
    """Adds a run. Where nothing can be written, nothing is kept: it is of use to later plans alone."""
    kept, key = _read(), machine(device)
    kept[key] = [*timed_runs(device), run][-MOST:]
    with suppress(OSError):
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_json(_file(), {"version": VERSION, "machines": kept})


def _file() -> Path:
    return cache_folder() / "timings.json"


def _read() -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        if _file().is_file() and _file().stat().st_size <= LARGEST:
            values = json.loads(_file().read_text(encoding="utf-8"))
            if isinstance(values, dict) and values.get("version") == VERSION and isinstance(values["machines"], dict):
                return values["machines"]
    return {}
