"""What the report shows of classes and numbers at each place: some samples with truth and guesses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlspec.data.preparation import Part
from dlspec.data.preparation.places import in_the_middle
from dlspec.data.signature import Signature

Array = np.ndarray
SAMPLES = 8
"""Pictures that are shown."""
ROWS = 24
"""Sequences that are shown."""
MOST_ALONG = 600
"""Timesteps of a series that are shown."""
MOST_VALUES = 2**22
FRAMES = 3
"""Frames that are shown of what is seen, the last ones."""


def at_places(signature: Signature, part: Part, predictions: Mapping[str, Array]) -> dict[str, Array]:
    """Some samples of a part: what is seen, where that is a picture or frames, what is true, -1 or NaN where a place
    does not count, and what the network and baselines guess.

    Args:
        predictions: of the whole part.
    """
    target, window = signature.target, signature.window
    if window is not None:  # windows that follow each other
        order = np.argsort(np.asarray(part.rows), kind="stable")
        some = order[: max(1, MOST_ALONG // window.length)]
    else:
        most = max(1, min(SAMPLES if len(target.places) > 1 else ROWS, MOST_VALUES // int(np.prod(target.places))))
        some = np.linspace(0, len(part) - 1, min(most, len(part))).astype(int)
    found = {"places:truth": np.asarray(part.truth)[some]}
    for name, guess in predictions.items():
        own = guess[some]
        found[f"places:{name}"] = own.argmax(axis=-1).astype("int32") if target.kind == "class" else own
    found = {name: plane_of(values, target.places) for name, values in found.items()}
    seen = part.raw.shape[1:]
    if window is None and len(target.places) > 1:
        frames = len(seen) - (seen[-1] in (1, 3)) == 3
        if frames or is_drawn(seen):
            raw = np.asarray(part.raw[some], "float32")
            raw = in_the_middle(raw, target.places) if target.cut_from else raw
            found["places:seen"] = raw[:, -FRAMES:] if frames else raw
    return found


def is_drawn(shape: tuple[int, ...]) -> bool:
    """Whether a sample of this shape is a picture."""
    return len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3))


def plane_of(values: Array, places: tuple[int, ...]) -> Array:
    """The places of samples as pictures, or as sequences: of more axes the last place of the first ones."""
    while len(values.shape[1:]) > 1 and not is_drawn(values.shape[1:]):
        values = values[:, -1]
    return values
