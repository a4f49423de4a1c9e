"""What stands beside an export: where it is, its receipt, and rows of the test part with what comes out for them."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec._version import __version__
from dlspec.deployment.base import ExportTarget, Loaded
from dlspec.deployment.proof import Proof
from dlspec.deployment.serving import naming
from dlspec.deployment.signature import decoding_of
from dlspec.language.quantities import count_milliseconds
from dlspec.runs.samples import SampleRows

if TYPE_CHECKING:
    from dlspec.runs.folder import Run

SIGNATURE, RECEIPT, ROWS = "signature.json", "receipt.json", "rows.json"
PREPROCESSING, READERS = "preprocessing.json", ("preprocessing.py", "preprocessing.mjs")
SHOWN_ROWS = 5
MOST_SHOWN = 200_000
"""Values of all rows in `rows.json`, but for the first row."""


def companions(path: Path, target: ExportTarget) -> dict[str, Path]:
    """Where the files beside an export go, by what they are: in its folder, or beside the file, called after it."""
    names = (SIGNATURE, RECEIPT, ROWS, PREPROCESSING)
    if target.is_folder:
        return {name: path / name for name in (*names, *READERS)}
    readers = {name: path.with_name(name) for name in READERS}  # which are the same for all
    return {name: path.with_name(f"{path.name}.{name}") for name in names} | readers


def read_receipt(path: Path) -> dict[str, Any]:
    """The receipt of what was exported to a file or folder."""
    place = path / RECEIPT if path.is_dir() else path.with_name(f"{path.name}.{RECEIPT}")
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def receipt_of(
    run: Run,
    target: ExportTarget,
    path: Path,
    proof: Proof | None,
    loaded: Loaded | None,
    quantized: dict[str, Any] | None,
    by_step: bool,
    *,
    whole: bool,
) -> dict[str, Any]:
    """What was written, and how it was shown to be the same; of texts that are read off timesteps also how.

    Args:
        whole: whether it is the whole network, and not a part of it.
    """
    import keras

    found: dict[str, Any] = {
        "format": target.brief(),
        "run": {"name": run.spec.name, "folder": run.folder.name, "data": run.data.fingerprint},
        "files": {file.name: _size_and_sum(file) for file in target.files(path)},
        "versions": {"dlspec": __version__, "keras": keras.__version__, keras.backend.backend(): _version_of_backend()},
        "runtime": loaded.runtime if loaded else None,
        "batch": loaded.batch if loaded else None,
        "proof": None,
    }
    if proof is not None:
        found["proof"] = {
            "rows": proof.rows,
            "largest_difference": proof.difference,
            "odd_rows": proof.odd_rows,
            "largest_difference_of_odd_rows": proof.odd_difference,
            "allowed": None if target.quantize else proof.allowed,
            "of": "the output's scale",
        }
        median, high = proof.milliseconds
        found["latency"] = {
            "milliseconds": {"median": round(median, 4), "p99": round(high, 4)},
            "of": "one timestep at a time" if by_step else "one row at a time",
            "threads": loaded.threads if loaded else None,
            "processor": platform.processor() or platform.machine(),
        }
        if run.spec.budget.latency is not None:
            allowed = count_milliseconds(run.spec.budget.latency)
            found["budget"] = {"latency": allowed, "kept": median <= allowed, "kept_by_p99": high <= allowed}
    if quantized is not None:
        found["quantized"] = quantized
    if whole and run.data.target.aligned:
        found["decoding"] = decoding_of(run.data.target)
    return found


def _version_of_backend() -> str:
    import keras

    backend = keras.backend.backend()
    return str(__import__(backend).__version__)


def _size_and_sum(path: Path) -> dict[str, Any]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest, size = hashlib.sha256(), 0
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
            size += file.stat().st_size
    return {"bytes": size, "sha256": digest.hexdigest()}


def shown_rows(signature: dict[str, Any], samples: SampleRows, outputs: np.ndarray) -> dict[str, Any]:
    """`rows.json`: some rows of the test part, what the exported file puts out for them, and what that means."""
    size = sum(values[:1].size for values in samples.raw.values())
    count = max(1, min(SHOWN_ROWS, len(samples), MOST_SHOWN // max(size, 1)))
    return {
        "rows": list(_rows(samples, count)),
        "outputs": outputs[:count].tolist(),
        "predictions": naming.named(signature["outputs"], outputs[:count]),
    }


def _rows(samples: SampleRows, count: int) -> Iterator[dict[str, Any]]:
    for row in range(count):
        yield {
            name: values[row].tolist()[0] if values.shape[1:] == (1,) else values[row].tolist()
            for name, values in samples.raw.items()
        }
