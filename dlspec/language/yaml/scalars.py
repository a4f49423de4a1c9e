"""The values of unquoted scalars by the YAML 1.2 core schema."""

from __future__ import annotations

import re

from dlspec.language.yaml.nodes import Scalar


def resolve_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar by the YAML 1.2 core schema."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    first = text[0]
    if first in "+-.0123456789":
        if _INT.fullmatch(text):
            return int(text)
        if _OCTAL.fullmatch(text):
            return int(text, 8)
        if _HEX.fullmatch(text):
            return int(text, 16)
        if FLOAT.fullmatch(text):
            return float(text)
        if INFINITY.fullmatch(text):
            return float("-inf" if first == "-" else "inf")
        if text in (".nan", ".NaN", ".NAN"):
            return float("nan")
    return text


_NULLS = frozenset(["", "~", "null", "Null", "NULL"])
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,300}", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,300}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
