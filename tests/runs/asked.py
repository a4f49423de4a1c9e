"""What `dlspec predict` writes, as a table."""

import io

import pandas as pd

import dlspec


def predicted(run, file, **asked):
    """The table, and the notes beside it."""
    out, notes = io.BytesIO(), []
    dlspec.predict(run, file, out, note=notes.append, **asked)
    return pd.read_csv(io.BytesIO(out.getvalue())), notes
