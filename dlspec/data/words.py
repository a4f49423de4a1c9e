"""Words of texts that are taken as they stand."""

from __future__ import annotations


def split_at_spaces(text: str) -> list[bytes]:
    """What stands between white space, in UTF-8; white space is that of ASCII, as Keras splits text that it leaves as
    it is."""
    return text.encode("utf-8", "replace").split()
