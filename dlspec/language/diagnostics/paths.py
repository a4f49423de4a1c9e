"""File names as other programs want them."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


def relative_path(file: str) -> str:
    """The file as seen from the current folder, with forward slashes; as it is when it lies elsewhere."""
    path = os.path.normpath(file)
    if os.path.isabs(path):
        try:
            inside = os.path.relpath(path)
        except ValueError:  # another drive
            inside = os.pardir
        if not inside.startswith(os.pardir):
            path = inside
    return Path(path).as_posix()


def relative_uri(file: str) -> str:
    """The same as a URI: relative, or `file:///…` when the file lies elsewhere."""
    path = relative_path(file)
    uri = quote(os.fsencode(path), safe="/")
    if os.path.isabs(path):
        return f"file://{'' if path.startswith('/') else '/'}{uri.replace('%3A', ':', 1)}"
    return uri
