"""Lets Keras download a dataset into its cache; imported when one is not there, since it loads Keras."""

from __future__ import annotations

import contextlib
import io
import socket

from dlspec.runtime.backend import load_keras


def fetch(name: str) -> None:
    """Raises whatever Keras raises when it cannot."""
    load_keras(f"fetching `dataset: {name}`")
    import keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Keras draws a bar
            kept = getattr(keras.datasets, name)
            kept.load_data()
            if hasattr(kept, "get_word_index"):
                kept.get_word_index()
    finally:
        socket.setdefaulttimeout(before)
