"""Docstrings of functions that are written."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.ejection.python import INDENT, WIDTH, width
from dlspec.ejection.script import Script

QUOTES = '"""'


def docstring(text: str) -> str:
    """A docstring inside a function: in one line where it fits, else broken between words."""
    safe = " ".join(text.replace("\\", "\\\\").replace(QUOTES, "'''").split())
    one = f"{QUOTES}{safe}{QUOTES}"
    if width(one) + INDENT <= WIDTH:
        return one
    lines = _broken(f"{QUOTES}{safe}", WIDTH - INDENT)
    if len(lines) == 1:  # the quotes alone are too much
        lines = _broken(f"{QUOTES}{safe}", WIDTH - INDENT - len(QUOTES))
    return f"\n{' ' * INDENT}".join([*lines, QUOTES])


def _broken(text: str, most: int) -> list[str]:
    """A text in lines of so many characters at most."""
    lines = [""]
    for word in text.split():
        if lines[-1] and width(lines[-1]) + 1 + width(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def define(script: Script, section: str, signature: str, about: str, lines: Sequence[str]) -> None:
    """A function.

    Args:
        signature: its name and arguments: `load_data()`.
        about: its docstring.
        lines: its statements, of which further lines are indented already.
    """
    script.taken.add(signature.partition("(")[0])
    body = f"\n{' ' * INDENT}".join([docstring(about), *lines])
    script.chunks[section].append(f"def {signature}:\n{' ' * INDENT}{body}")
