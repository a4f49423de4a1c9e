"""Exports a trained network: writes it, shows that it is the same, and keeps it, with what one needs to use it."""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec._version import __version__
from dlspec.deployment.base import CannotExport, ExportTarget, Loaded, choose_target
from dlspec.deployment.proof import ALLOWED, Proof, Runnable, prove
from dlspec.deployment.quiet import reason_of
from dlspec.deployment.serving import naming, preprocessing
from dlspec.deployment.signature import signature_of
from dlspec.deployment.steps import NotKnown, Program, program_of
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.checksums import fitting_together
from dlspec.runs.samples import SampleRows, samples_of
from dlspec.runtime.files import cannot_write, finite
from dlspec.runtime.packages import require

if TYPE_CHECKING:
    from dlspec.runs.folder import Run

SIGNATURE, RECEIPT, ROWS = "signature.json", "receipt.json", "rows.json"
PREPROCESSING, READERS = "preprocessing.json", ("preprocessing.py", "preprocessing.mjs")
SHOWN_ROWS = 5
MOST_SHOWN = 200_000
"""Values of all rows in `rows.json`, but for the first row."""


def export_part(
    run: Run, layers: str | None, pretrained: bool, out: Path | None, format: str | None, quantize: bool
) -> Path:
    """Exports a trained network or a part of it; see `api.export`."""
    first, dots, last = (layers or "..").partition("..")
    if not dots:
        help = f"write `..{layers}` for the part from the input to `{layers}`"
        raise DataError.of("wrong-layers", f"`{layers}` names no part of the network", help=help)
    target = choose_target(out, format, quantize)
    require(*target.modules, what=f"the format `{target.type_name}`")
    part = f"_{first}_to_{last or 'output'}".replace("__", "_") if first or last else ""
    joint = "_" if target.is_folder else ""
    path = Path(f"{run.spec.name}{part}{joint}{target.suffixes[0]}") if out is None else out
    whole = not part and not pretrained
    model = run.model if whole else run.part(first or None, last or None, pretrained=pretrained)
    write_export(run, model, whole, target, path)
    return path


def companions(path: Path, target: ExportTarget) -> dict[str, Path]:
    """Where the files beside an export go, by what they are: in its folder, or beside the file, called after it."""
    names = (SIGNATURE, RECEIPT, ROWS, PREPROCESSING, *READERS)
    if target.is_folder:
        return {name: path / name for name in names}
    return {name: path.with_name(f"{path.stem}.{name}") for name in names}


def write_export(run: Run, model: Any, whole: bool, target: ExportTarget, path: Path) -> Path:
    """Writes an export and its companions, all or nothing; returns the receipt.

    Args:
        model: the `keras.Model` to export.
        whole: whether it is the whole network.
        path: the file, or the folder of a format that writes one.

    Raises:
        DataError: the format cannot do what the network does, or what was written does not give the same; or something
            is there already, or cannot be written.
    """
    places = companions(path, target)
    for there in (path, *(path.with_suffix(ending) for ending in target.others), *places.values()):
        if there.exists():
            raise DataError.of("cannot-write", f"`{there}` is there already", help="name another file with `--out`")
    with fitting_together(run.folder):
        samples = samples_of(run)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=".dlspec-export-", dir=path.parent) as folder:
                draft = Path(folder) / path.name
                _write(run, model, whole, target, draft, samples)
                _keep(Path(folder), path.parent)
        except OSError as error:
            raise cannot_write(path, error, "name another file") from None
    return places[RECEIPT]


def _write(run: Run, model: Any, whole: bool, target: ExportTarget, path: Path, samples: SampleRows) -> None:
    try:
        outside = target.write(model, path)
        raw, _ = program_of(model)
    except NotKnown as error:
        raise _refusal(target, f"`{error}` around the network is an operation that no step stands for") from None
    except CannotExport as error:
        raise _refusal(target, str(error)) from None
    loaded = _loaded(target, path)
    proof = None
    if loaded is not None:
        runnable = Runnable(loaded, outside)
        proof = prove(run, model, whole, runnable, samples)
        if not proof.holds and not target.quantize:
            raise _differs(target, proof)
    places = companions(path, target)
    steps = outside or Program(raw.inputs, (), raw.inputs, raw.outputs, (), raw.outputs)
    signature = signature_of(run.data, steps, whole, run.spec.name, target.type_name)
    rows = shown_rows(signature, samples, proof.outputs) if proof else None
    facts = {"signature": signature, "preprocessing": steps.as_json(), "rows": rows}
    target.finish(path, {**_said_of(run), **facts, "allowed": ALLOWED})
    files = [path, *(path.with_suffix(ending) for ending in target.others)]
    said = {
        places[SIGNATURE]: signature,
        places[RECEIPT]: receipt_of(run, target, files, proof, loaded.runtime if loaded else None),
        places[ROWS]: rows,
        places[PREPROCESSING]: None if outside is None else outside.as_json(),
    }
    for place, values in said.items():
        if values is not None:
            text = json.dumps(finite(values), indent=1 if place != places[PREPROCESSING] else None, ensure_ascii=False)
            place.write_text(text + "\n", encoding="utf-8", newline="\n")
    if outside is not None:
        for name in READERS:
            shutil.copy(Path(inspect.getfile(preprocessing)).with_name(name), places[name])


def _said_of(run: Run) -> dict[str, Any]:
    """What the spec says of the run and of files of pictures or sounds."""
    data = run.spec.data
    return {
        "name": run.spec.name,
        "description": run.spec.description,
        "version": __version__,
        "fit": data.images.fit if data.images is not None else "stretch",
        "rate": data.audio.rate if data.audio is not None else None,
    }


def _loaded(target: ExportTarget, path: Path) -> Loaded | None:
    try:
        return target.load(path)
    except Exception as error:  # runtimes raise whatever they meet
        raise _refusal(target, f"its runtime does not take what was written: {reason_of(error)}") from error


def _keep(folder: Path, home: Path) -> None:
    for file in sorted(folder.iterdir()):
        file.replace(home / file.name)


def _refusal(target: ExportTarget, why: str) -> DataError:
    others = "`--format keras` or `--format saved_model`"
    return DataError.of(
        "cannot-export",
        f"the format `{target.type_name}` cannot do what this network does: {why}",
        help=f"write {others}",
    )


def _differs(target: ExportTarget, proof: Proof) -> DataError:
    where = "on rows of the test part" if proof.difference > proof.allowed else "on words never seen or missing values"
    far = max(proof.difference, proof.odd_difference)
    return DataError.of(
        "export-differs",
        f"what was written as `{target.type_name}` gives other values than the run, by {far:.1g} of the output's "
        f"scale, {where}; it was not kept",
        help="write `--format keras`; this is a bug in dlspec or in the runtime, please report it",
    )


def receipt_of(
    run: Run, target: ExportTarget, files: list[Path], proof: Proof | None, runtime: str | None
) -> dict[str, Any]:
    """What was written, and how it was shown to be the same."""
    import keras

    found: dict[str, Any] = {
        "format": target.brief(),
        "run": {"name": run.spec.name, "folder": run.folder.name, "data": run.data.fingerprint},
        "files": {file.name: _size_and_sum(file) for file in files},
        "versions": {"dlspec": __version__, "keras": keras.__version__, keras.backend.backend(): _version_of_backend()},
        "runtime": runtime,
        "proof": None,
    }
    if proof is not None:
        found["proof"] = {
            "rows": proof.rows,
            "largest_difference": proof.difference,
            "odd_rows": proof.odd_rows,
            "largest_difference_of_odd_rows": proof.odd_difference,
            "allowed": proof.allowed,
            "of": "the scale of the output",
        }
        median, high = proof.milliseconds
        found["latency"] = {
            "milliseconds": {"median": round(median, 4), "p99": round(high, 4)},
            "of": "one row at a time, on one thread",
            "processor": platform.processor() or platform.machine(),
        }
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
