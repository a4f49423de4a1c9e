"""Keeps a process that reads a spec of others to the folder of the studio.

A spec may name any file, in `extends` as in `data`. Python tells hooks of every file it opens and every folder it lists
(PEP 578); one that lies elsewhere is refused as by the system, so that dlspec reports it on the line that names it.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

READS = ("open", "os.listdir", "os.scandir")
SYSTEM = ("/usr", "/lib", "/lib64", "/opt", "/proc", "/sys", "/dev", "/etc/localtime", "/etc/mime.types",
          "/etc/ssl", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf", "/etc/fonts",
          "/System", "/Library", "C:\\Windows", "C:\\Program Files")  # fmt: skip
"""Where libraries and devices are."""
CACHES = (".keras", ".nv", ".cache/matplotlib", ".cache/fontconfig", ".config/matplotlib")
"""Below the home of the user: what libraries keep, and data sets that Keras fetched."""


def confine(root: Path, *, writes: bool) -> None:
    """From now on this process opens files of the root alone, and those of Python, its libraries and their caches.

    What libraries of C open themselves is not seen. It cannot be undone.

    Args:
        writes: whether it may write; else files are read only, in the root too.
    """
    caches = [Path.home() / name for name in CACHES]
    caches += [Path(os.environ[name]) for name in ("KERAS_HOME", "MPLCONFIGDIR") if name in os.environ]
    around = os.path.realpath(root) + os.sep  # a folder around the root is none of libraries
    places = [place for place in filter(None, sys.path) if not around.startswith(os.path.realpath(place) + os.sep)]
    libraries = [sys.prefix, sys.base_prefix, *places, str(Path(__file__).parents[1])]
    own = tuple({os.path.realpath(place) for place in (root, *caches)})
    readable = (*own, *SYSTEM, *{os.path.realpath(place) for place in libraries})

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in READS or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        flags = arguments[2] if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) else 0
        changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        if changes and not path.startswith("/dev/"):
            allowed = writes and _within(path, own)
        else:
            allowed = _within(path, readable)
        if not allowed:
            raise PermissionError(errno.EACCES, "it lies outside of the folder of the studio", path)

    sys.addaudithook(hook)


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(place.rstrip(os.sep) + os.sep) for place in places)
