"""Pictures of a training as a run keeps them: a file of JSON for each, in a folder of bounded size."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.runs.names import TRAINING_PICTURES
from dlspec.runtime.files import finite
from dlspec.training.picture import Picture

Array = np.ndarray
MOST = 48
"""Pictures of a stage, kind and layer that are kept."""
MOST_BYTES = 2**18
"""Of a file; a picture that takes more is not kept."""
FARTHEST = 3e38
"""In place of infinity."""
FINE = ("points", "lines", "kernel", "bias", "truth", "forecast")
"""Fields that have 65,536 levels instead of 256."""
CLASSES = ("truth", "guess")
"""Fields whose whole numbers stay as they are."""


class KeptPictures:
    """The folder `pictures/` of a run. Where there would be more than `MOST` of a stage, kind and layer, every second
    one goes, and from then on only every second is kept: the whole course stays.

    Args:
        folder: of the run.
        stages: their names, in order.
    """

    def __init__(self, folder: Path, stages: Sequence[str]) -> None:
        self.folder = folder
        self._offered: dict[str, int] = {}
        self._every: dict[str, int] = {}
        self._stages = {name: number for number, name in enumerate(stages)}
        self._names: dict[str, list[str]] = {}
        for path in sorted((folder / TRAINING_PICTURES).glob("*.json")):  # of a run that goes on
            self._names.setdefault(path.name.rpartition("-")[0], []).append(path.name)

    def keep(self, picture: Picture) -> dict[str, Any] | None:
        """Writes a picture. Returns what its event says; None: it was left out.

        Raises:
            OSError: it cannot be written.
        """
        number = self._stages[picture.stage]
        series = "-".join([str(number), picture.kind, *([_plain(picture.layer)] if picture.layer else [])])
        offered = self._offered[series] = self._offered.get(series, -1) + 1
        if offered % self._every.setdefault(series, 1):
            return None
        name = f"{series}-{picture.epoch:06d}.json"
        text = as_json(picture)
        if len(text) > MOST_BYTES:
            return None
        place = self.folder / TRAINING_PICTURES
        place.mkdir(exist_ok=True)
        (place / name).write_text(text, encoding="ascii", newline="\n")
        own = self._names.setdefault(series, [])
        removed = [later for later in own if later >= name]  # of before a kill
        own[:] = [*(earlier for earlier in own if earlier < name), name]
        if len(own) > MOST:
            self._every[series] *= 2
            self._offered[series] = 0
            removed += own[1::2] if len(own) % 2 else own[:-1:2]
            own[:] = [kept for kept in own if kept not in removed]
        removed = [other for other in removed if other != name]
        for other in removed:
            with suppress(OSError):
                (place / other).unlink()
        told = {"stage": picture.stage, "epoch": picture.epoch, "kind": picture.kind, "layer": picture.layer}
        files = {"file": f"{TRAINING_PICTURES}/{name}", "removed": [f"{TRAINING_PICTURES}/{each}" for each in removed]}
        return {**told, "title": picture.title, **files}


def as_json(picture: Picture) -> str:
    """A picture as text; arrays have few levels, and are written in base64."""
    values = {
        "kind": picture.kind,
        "stage": picture.stage,
        "epoch": picture.epoch,
        "title": picture.title,
        "layer": picture.layer,
        "axes": picture.axes,
        **{name: _plain_values(name, value) for name, value in picture.fields.items()},
    }
    return json.dumps(finite(values), allow_nan=False, separators=(",", ":"))


def _plain_values(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return quantized(value, "u2" if name in FINE else "u1", whole=name in CLASSES and value.dtype == np.uint8)
    if isinstance(value, Mapping):
        return {key: _plain_values(key, own) for key, own in value.items()}
    if isinstance(value, list):
        return [_plain_values(name, own) for own in value]
    return value


def quantized(values: Array, levels: str, *, whole: bool = False) -> dict[str, Any]:
    """An array in 256 (`u1`) or 65,536 (`u2`) levels between its lowest and its highest value.

    Args:
        whole: whether these are numbers from 0 to 255 that stay as they are.
    """
    if whole:
        levels, low, high, steps = "u1", 0.0, 255.0, np.asarray(values, "uint8")
    else:
        floats = np.nan_to_num(np.asarray(values, "float64"), posinf=FARTHEST, neginf=-FARTHEST)
        low, high = (float(floats.min()), float(floats.max())) if floats.size else (0.0, 0.0)
        most = 255 if levels == "u1" else 65535
        steps = np.rint((floats - low) / ((high - low) or 1.0) * most).astype("uint8" if most == 255 else "<u2")
    data = base64.b64encode(steps.tobytes()).decode("ascii")
    return {"shape": list(values.shape), "type": levels, "low": low, "high": high, "data": data}


def from_quantized(written: Mapping[str, Any]) -> Array:
    """The array that was written, as float64."""
    dtype, most = ("uint8", 255) if written["type"] == "u1" else ("<u2", 65535)
    steps = np.frombuffer(base64.b64decode(written["data"]), dtype).reshape(written["shape"])
    return np.asarray(written["low"] + (written["high"] - written["low"]) * (steps / most))


def _plain(layer: str) -> str:
    """The name of a layer as part of the name of a file, in which `-` divides."""
    return re.sub(r"[^\w.]", "_", layer)
