"""Converters that print and log what nobody asked for."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing is printed by Python, logged or warned of in the block."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def reason_of(error: Exception) -> str:
    """The first line of what a converter says."""
    said = (str(error) or type(error).__name__).strip().splitlines()[0]
    return said if len(said) <= 200 else f"{said[:200]}…"
