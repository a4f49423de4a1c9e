"""An exported network: opened, shown to give what it gave, and asked for predictions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import naming
from .preprocessing import Preprocessing

AT_ONCE = 1000
"""Rows that are computed at once."""
ALLOWED = 2e-2
"""How far outputs of the rows of `rows.json` may be from those that stand there, as a share of one and the largest:
another file than the signature's is farther off, and no processor is."""

Arrays = dict[str, np.ndarray]
Run = Callable[[Arrays], list[np.ndarray]]


class CannotOpen(Exception):
    """There is no such export, or its files do not belong together; the message says what."""


@dataclass(frozen=True)
class Model:
    """A network that is served.

    Args:
        name: of the run.
        version: the first digits of the checksum of its file.
        signature: `signature.json`.
        shown: `rows.json`; None: there is none.
        run: the file in its runtime, of one thread: arrays by the names of its inputs -> its outputs.
        steps: what stands outside of the file; None: nothing.
        runtime: what runs it.
        made_by: the version of dlspec that wrote it.
    """

    name: str
    version: str
    signature: dict[str, Any]
    shown: dict[str, Any] | None
    run: Run
    steps: Preprocessing | None
    runtime: str
    made_by: str

    def outputs(self, columns: dict[str, list[Any]], count: int) -> np.ndarray:
        """What the network puts out for rows that were checked, (rows, ...)."""
        found = [
            self._at_once(columns, slice(first, min(first + AT_ONCE, count))) for first in range(0, count, AT_ONCE)
        ]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _at_once(self, columns: dict[str, list[Any]], rows: slice) -> np.ndarray:
        raw: Arrays = {}
        for given in self.signature["inputs"]:
            values = columns[given["name"]][rows]
            dtype = object if given["dtype"] == "string" else given["dtype"]
            raw[given["name"]] = np.array(values, dtype).reshape(len(values), *np.shape(values[0]) or (1,))
        if self.steps is None:
            return self.run(raw)[0]
        taken = self.steps.before(raw)
        names = [value["name"] for value in self.signature["takes"]]
        return np.asarray(self.steps.after(self.run(dict(zip(names, taken, strict=True))), taken.kept)[0])

    def predictions(self, outputs: np.ndarray) -> list[dict[str, Any]]:
        """Outputs by their names."""
        return naming.named(self.signature["outputs"], outputs)

    @property
    def same_shape(self) -> bool:
        """Whether all samples have one shape, so that those of several requests are computed together."""
        return not any(None in given["shape"] for given in self.signature["inputs"])


def beside(file: Path, name: str) -> Path:
    """A file that an export brings along: called after it, or in its folder as it is in an image."""
    called = file.with_name(f"{file.name}.{name}")
    return called if called.is_file() else file.with_name(name)


def read_record(file: Path, name: str) -> Any:
    place = beside(file, name)
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CannotOpen(f"`{place}` cannot be read: {error}") from None


def open_onnx(file: Path) -> Model:
    """An ONNX file with what stands beside it.

    Raises:
        CannotOpen: it is none, lacks its signature, or does not give what `rows.json` says.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CannotOpen(f"`{file}` cannot be read: {error.strerror or error}") from None
    signature = read_record(file, "signature.json")
    if not isinstance(signature, dict) or not {"inputs", "outputs", "takes", "name"} <= signature.keys():
        raise CannotOpen(f"`{file}` has no `{file.name}.signature.json` beside it, which `dlspec export` writes")
    if signature.get("states"):
        raise CannotOpen(f"`{file}` takes one timestep at a time, with states that a server does not keep")
    if signature["outputs"].get("places"):
        raise CannotOpen(f"`{file}` gives an answer at each place of a sample, which a server does not write down")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises whatever it meets
        raise CannotOpen(f"`{file}` is no ONNX file that can be run: {first_line(error)}") from None
    record = read_record(file, "preprocessing.json") if signature.get("preprocessing") else None
    if signature.get("preprocessing") and record is None:
        raise CannotOpen(f"`{file}` has no `preprocessing.json` beside it")
    return checked(
        Model(
            signature["name"],
            hashlib.sha256(content).hexdigest()[:12],
            signature,
            read_record(file, "rows.json"),
            lambda values: list(session.run(None, values)),
            None if record is None else Preprocessing(record),
            f"onnxruntime {onnxruntime.__version__}",
            ((read_record(file, "receipt.json") or {}).get("versions") or {}).get("dlspec", ""),
        )
    )


def checked(model: Model) -> Model:
    """The model, where it gives the outputs that `rows.json` says.

    Raises:
        CannotOpen: it does not.
    """
    if not model.shown or not model.shown.get("rows"):
        return model
    rows, expected = model.shown["rows"], np.array(model.shown["outputs"], "float64")
    try:
        columns = {given["name"]: [row[given["name"]] for row in rows] for given in model.signature["inputs"]}
        floats = {given["name"] for given in model.signature["inputs"] if given["dtype"].startswith("float")}
        for name in floats:
            columns[name] = [np.nan if value is None else value for value in columns[name]]
        found = np.asarray(model.outputs(columns, len(rows)), "float64")
    except Exception as error:  # the runtime raises whatever it meets
        raise CannotOpen(f"the network fails on the rows of `rows.json`: {first_line(error)}") from None
    far = np.inf if found.shape != expected.shape else float(np.abs(found - expected).max(initial=0))
    if not far <= ALLOWED * (1 + float(np.abs(expected).max(initial=0))):
        raise CannotOpen("the network gives other outputs than `rows.json` says: its files do not belong together")
    return model


def first_line(error: Exception) -> str:
    said = (str(error) or type(error).__name__).strip().splitlines()[0]
    return said if len(said) <= 300 else f"{said[:300]}..."
