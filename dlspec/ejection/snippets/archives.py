"""Series of the time-series archives (Bagnall et al., 2018)."""

import numpy as np


def read_archive(file):
    """What stands below `@data` of a `.ts` file: the dimensions of each series as text, and its label if it has one."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    begin = next(place for place, line in enumerate(lines) if line.lower() == "@data")
    return [line.split(":") for line in lines[begin + 1 :] if line and not line.startswith("#")]


def as_series(rows):
    """Dimensions as text, a list of them for each series, as one array, (series, timesteps, dimensions).

    A series that is shorter than the longest goes on with its last value.
    """
    series = [[[float(value) for value in text.split(",")] for text in row] for row in rows]
    length = max(len(values) for row in series for values in row)
    longest = [[values + values[-1:] * (length - len(values)) for values in row] for row in series]
    return np.array(longest).swapaxes(1, 2)
