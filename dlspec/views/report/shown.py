"""A figure of the page with its words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """A figure with what to look at in it."""

    svg: str
    title: str
    caption: str = ""
    wide: bool = True
