"""Converters that print and log what nobody asked for."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed, by Python or by libraries of C++, logged or warned of in the block."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            _without(1),
            _without(2),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _without(descriptor: int) -> Iterator[None]:
    """What is written to a descriptor of the system, 1 or 2, is thrown away."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()  # type: ignore[union-attr]
    try:
        kept = os.dup(descriptor)
    except OSError:  # it is closed
        yield
        return
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, descriptor)
        os.close(nothing)
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)


def reason_of(error: Exception) -> str:
    """The first line of what a converter says."""
    said = (str(error) or type(error).__name__).strip().splitlines()[0]
    return said if len(said) <= 200 else f"{said[:200]}…"
