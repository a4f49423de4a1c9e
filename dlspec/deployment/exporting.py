"""Exports a trained network: writes it, shows that it is the same, and keeps it, with what one needs to use it."""

from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dlspec._version import __version__
from dlspec.deployment.base import CannotExport, ExportTarget, Loaded, choose_target
from dlspec.deployment.proof import ALLOWED, Proof, Runnable, StepByStep, prove
from dlspec.deployment.quantizing import quantized_well
from dlspec.deployment.quiet import reason_of
from dlspec.deployment.records import (
    PREPROCESSING,
    READERS,
    RECEIPT,
    ROWS,
    SIGNATURE,
    companions,
    receipt_of,
    shown_rows,
)
from dlspec.deployment.serving import preprocessing
from dlspec.deployment.signature import signature_of
from dlspec.deployment.step_by_step import step_model
from dlspec.deployment.steps import NotKnown, Program, program_of
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean, one_of
from dlspec.runs.checksums import fitting_together
from dlspec.runs.names import MODEL
from dlspec.runs.samples import SampleRows, inner_samples, samples_of
from dlspec.runtime.files import cannot_write, finite
from dlspec.runtime.packages import require

if TYPE_CHECKING:
    from dlspec.runs.folder import Run


@dataclass(frozen=True)
class Wanted:
    """What is exported.

    Args:
        model: the `keras.Model` that is written.
        reference: that whose outputs it gives, of the same rows.
        whole: whether these are the predictions of the run.
        samples: rows of the test part as the reference takes them.
        by_step: whether the model takes one timestep at a time, and its states.
    """

    model: Any
    reference: Any
    whole: bool
    samples: SampleRows
    by_step: bool = False


def export_part(
    run: Run,
    layers: str | None = None,
    *,
    pretrained: bool = False,
    out: Path | None = None,
    format: str | None = None,
    quantize: bool = False,
    step_by_step: bool = False,
    output: str | None = None,
) -> Path:
    """Exports a trained network or a part of it; see `api.export`."""
    of_output = f"_{output}" if output else ""
    run = _of_output(run, output)
    first, dots, last = (layers or "..").partition("..")
    if not dots:
        help = f"write `..{layers}` for the part from the input to `{layers}`"
        raise DataError.of("wrong-layers", f"`{layers}` names no part of the network", help=help)
    target = choose_target(out, format, quantize)
    require(*target.modules, what=f"the format `{target.type_name}`")
    part = f"_{first}_to_{last or 'output'}".replace("__", "_") if first or last else ""
    name = f"{run.spec.name}{of_output}{part}{'_step' * step_by_step}"
    path = Path(f"{name}{'_' * target.is_folder}{target.suffixes[0]}") if out is None else out
    whole = not part and not pretrained
    if step_by_step and not whole:
        raise DataError.of("cannot-export", "a part of a network is not exported step by step", help="leave one out")
    _check_new(target, path)
    run.check_finished()
    first, last = (run.environment.addresses.get(name, name) for name in (first, last))
    with fitting_together(run.folder):
        model = run.model if whole else run.part(first or None, last or None, pretrained=pretrained)
        samples = inner_samples(run, model, first) if first else samples_of(run)
        write_export(run, _wanted(model, whole, samples, step_by_step, target), target, path)
    return path


def _of_output(run: Run, output: str | None) -> Run:
    """The run with one of its outputs, of which an export has one."""
    names = [*run.outputs]
    if output is None and names:
        message = f"the network has the outputs {one_of(names)}, and an export gives one of them"
        help = f"write `--output {names[0]}`; `{run.folder / MODEL}` is a Keras model that gives all of them"
        raise DataError.of("several-outputs", message, help=help)
    if output is not None and output not in names:
        message = f"the network has no output `{output}`" if names else "the network has one output, which has no name"
        near = did_you_mean(output, names, otherwise=one_of(names)) if names else "leave `--output` out"
        raise DataError.of("several-outputs", message, help=near)
    return run if output is None else run.outputs[output]


def _wanted(model: Any, whole: bool, samples: SampleRows, step_by_step: bool, target: ExportTarget) -> Wanted:
    if not step_by_step:
        return Wanted(model, model, whole, samples)
    try:
        return Wanted(step_model(model), model, whole, samples, by_step=True)
    except CannotExport as error:
        message = f"the network cannot be exported step by step: {error}"
        raise DataError.of("cannot-export", message, help="leave `--step-by-step` out") from None


def _check_new(target: ExportTarget, path: Path) -> None:
    """Raises `DataError` where something is there already."""
    for there in (*target.files(path), *companions(path, target).values()):
        if there.exists() and there.name not in READERS:  # which are looked at where they are needed
            raise _is_there(there)


def _is_there(place: Path) -> DataError:
    return DataError.of("cannot-write", f"`{place}` is there already", help="name another file with `--out`")


def write_export(run: Run, wanted: Wanted, target: ExportTarget, path: Path) -> None:
    """Writes an export and its companions, all or nothing.

    Args:
        path: the file, or the folder of a format that writes one.

    Raises:
        DataError: the format cannot do what the network does, or what was written does not give the same, or it cannot
            be written.
    """
    if target.quantize and not wanted.whole:
        why = "a part of a network has no figure by which `--quantize` could be judged"
        raise DataError.of("cannot-export", why, help="leave `--quantize` out")
    items = run.data.target.written is not None and run.data.target.written.unit == "items"
    if (
        run.data.target.written
        and not run.data.target.aligned
        and (wanted.whole or items)
        and target.type_name != "keras"
    ):
        message = (
            f"texts of `{run.data.target.name}` are written item by item, and the format `{target.type_name}` asks the "
            "network once"
        )
        help = "write `--format keras`, with which `model.txt` of the run shows how to write, or use `dlspec predict`"
        raise DataError.of("cannot-export", message, help=help)
    if run.data.target.places and wanted.whole and (target.quantize or not target.of_places):
        why = "`--quantize` is judged by" if target.quantize else f"the format `{target.type_name}` gives"
        has = "is read off all timesteps" if run.data.target.aligned else "has one at each place"
        message = f"{why} one answer for each sample, and `{run.data.target.name}` {has}"
        help = "leave `--quantize` out" if target.quantize else "write `--format onnx` or `--format keras`"
        raise DataError.of("cannot-export", message, help=help)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".dlspec-export-", dir=path.parent) as folder:
            _write(run, wanted, target, Path(folder) / path.name)
            _check_readers(Path(folder), path.parent)
            _keep(Path(folder), path.parent)
    except OSError as error:
        raise cannot_write(path, error, "name another file") from None


def _write(run: Run, wanted: Wanted, target: ExportTarget, path: Path) -> None:
    try:
        outside = target.write(wanted.model, path)
        raw, _ = program_of(wanted.model)
    except NotKnown as error:
        raise _refusal(target, f"`{error}` around the network is an operation that no step stands for") from None
    except CannotExport as error:
        raise _refusal(target, str(error)) from None
    except (OSError, DataError):
        raise
    except Exception as error:  # a converter that says nothing of its own limits
        raise _refusal(target, reason_of(error)) from error
    loaded = _loaded(target, path)
    proof, quantized = None, None
    if loaded is not None:
        around = None if outside is None or outside.is_empty else outside
        runnable = StepByStep(loaded, around, raw.inputs) if wanted.by_step else Runnable(loaded, around)
        proof = prove(run, wanted.reference, wanted.whole, runnable, wanted.samples)
        if target.quantize:
            quantized = quantized_well(run, target, wanted.model, wanted.reference, path, runnable)
        elif not proof.holds:
            raise _differs(target, proof, run.spec.runtime.precision)
    places = companions(path, target)
    steps = outside or Program(raw.inputs, (), raw.inputs, raw.outputs, (), raw.outputs)
    signature = signature_of(run, steps, target.type_name, whole=wanted.whole, by_step=wanted.by_step)
    named = proof is not None and not (wanted.whole and run.data.target.places)
    rows = shown_rows(signature, wanted.samples, proof.outputs) if named and proof is not None else None
    facts = {"signature": signature, "preprocessing": _told(steps, signature), "rows": rows}
    target.finish(path, {**_said_of(run), **facts, "allowed": ALLOWED})
    records: dict[Path, Any] = {
        places[SIGNATURE]: signature,
        places[RECEIPT]: receipt_of(run, target, path, proof, loaded, quantized, wanted.by_step, whole=wanted.whole)
        | _advice(target, raw),
        places[ROWS]: rows,
        places[PREPROCESSING]: None if steps.is_empty else facts["preprocessing"],
    }
    for place, values in records.items():
        if values is not None:
            text = json.dumps(finite(values), indent=1 if place != places[PREPROCESSING] else None, ensure_ascii=False)
            place.write_text(text + "\n", encoding="utf-8", newline="\n")
    if not steps.is_empty:
        for name in READERS:
            shutil.copy(_reader(name), places[name])


def _told(steps: Program, signature: dict[str, Any]) -> dict[str, Any]:
    """`preprocessing.json`: the steps, and which columns may lack a value."""
    found = steps.as_json()
    holes = {each["name"]: each["may_be_missing"] for each in signature["inputs"] if "may_be_missing" in each}
    for given in found["inputs"]:
        given |= {"may_be_missing": holes[given["name"]]} if given["name"] in holes else {}
    return found


def _advice(target: ExportTarget, raw: Program) -> dict[str, str]:
    said = target.advice(raw.inputs)
    return {"advice": said} if said else {}


def _reader(name: str) -> Path:
    return Path(inspect.getfile(preprocessing)).with_name(name)


def _check_readers(folder: Path, home: Path) -> None:
    """Raises `DataError` where a file that is none of dlspec's readers is called as one that is to be written.

    A reader of another version of dlspec is replaced: it reads what older ones do.
    """
    for name in READERS:
        there = home / name
        ours = _reader(name).read_text(encoding="utf-8").splitlines()[:2]
        if (folder / name).exists() and there.exists():
            lines = there.read_text(encoding="utf-8", errors="replace").splitlines() if there.is_file() else []
            if lines[:2] != ours:
                raise _is_there(there)


def _said_of(run: Run) -> dict[str, Any]:
    """What the spec says of the run and of files of pictures or sounds."""
    data = run.spec.data
    return {
        "name": run.spec.name,
        "description": run.spec.description,
        "version": __version__,
        "fit": data.images.fit if data.images is not None else "stretch",
        "rate": run.data.rate,
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
    import keras

    others = "`--format keras`" if target.type_name == "saved_model" else "`--format keras` or `--format saved_model`"
    help, message = f"write {others}", f"the format `{target.type_name}` cannot do what this network does: {why}"
    if keras.backend.backend() != "tensorflow":
        message = (
            f"the format `{target.type_name}` is written by TensorFlow, and Keras runs on {keras.backend.backend()}"
        )
        help = "type `KERAS_BACKEND=tensorflow dlspec export ...`, also of a run that was trained on another backend"
    return DataError.of("cannot-export", message, help=help)


def _differs(target: ExportTarget, proof: Proof, precision: str) -> DataError:
    where = "on rows of the test part" if proof.difference > proof.allowed else "on words never seen or missing values"
    far = max(proof.difference, proof.odd_difference)
    help = "write `--format keras`; this is a bug in dlspec or in the runtime, please report it"
    if precision != "float32":
        help = (
            f"write `--format keras`, or train with `precision: float32`: with `{precision}` the run computes in 16 "
            "bits, of which large inputs lose much, and this format in float32"
        )
    return DataError.of(
        "export-differs",
        f"what was written as `{target.type_name}` gives other values than the run, by {far:.1g} of the output's "
        f"scale, {where}; it was not kept",
        help=help,
    )
