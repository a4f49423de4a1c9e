"""Names of Keras as the language takes them."""

from __future__ import annotations

import re


def plain_name(name: str) -> str:
    """A name as the language takes it."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-") or "layer"
    name = name if name[0].isalpha() else f"layer_{name}"
    return "input_layer" if name == "input" else name
