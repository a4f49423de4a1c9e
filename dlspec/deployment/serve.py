"""Serves a run: its export for ONNX Runtime, which a process of its own makes where it is missing.

Nothing here imports TensorFlow or pandas, unless the network cannot be exported.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dlspec._version import __version__
from dlspec.language.diagnostics.errors import DataError, DiagnosticError
from dlspec.runtime.files import write_text
from dlspec.runtime.packages import is_there, require

if TYPE_CHECKING:
    from dlspec.deployment.serving.model import Model
    from dlspec.runs.folder import Run

Runtime = Literal["onnx", "keras"]
Say = Callable[[str], None]

EXPORTS, FILE = "exports", "model.onnx"
"""Where exports lie that were made to be served, in the folder of the run, and what they are called."""
MEMORY = 2**20
CHILD = "import sys; from dlspec.deployment.serve import export_for_parent; sys.exit(export_for_parent(*sys.argv[1:]))"
REFUSED = 75
"""Exit code of the child where it prints diagnostics as JSON."""
NOT_ONNX = ("cannot-export", "export-differs")
"""Codes after which a run is served by Keras."""


def serve(
    run: Run | str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    rows: int = 10_000,
    body: int = 16 * MEMORY,
    waiting: int = 20_000,
    seconds: float = 30.0,
    runtime: Runtime | None = None,
    note: Say = lambda text: None,
) -> None:
    """Serves a run over HTTP until SIGTERM or Ctrl-C; SIGHUP loads it anew.

    `POST /predict` takes rows as JSON, `GET /` is a form; `/openapi.json`, `/metrics` and the Open Inference Protocol
    under `/v2` are there too.

    Args:
        run: a run, its folder, or a file that `dlspec export --format onnx` wrote.
        host, port: where it listens; port 0: any that is free.
        token: what `Authorization: Bearer` must say; where None, `DLSPEC_TOKEN` of the environment. On another host
            than this machine one is made where there is none.
        rows: of a request, at most.
        body: bytes of a request, at most.
        waiting: rows that wait, at most; further requests are told to come back.
        seconds: how long a request waits for its answer, at most.
        runtime: `onnx` or `keras`; by default ONNX Runtime, and Keras where the network cannot be exported.
        note: is told where it listens, and what happens later.

    Raises:
        DataError: there is no such run, a package is missing, or the address cannot be listened on.
    """
    require("starlette", "uvicorn", *(() if runtime == "keras" else ("onnxruntime",)), what="`dlspec serve`")
    from dlspec.deployment.serving.model import CannotOpen
    from dlspec.deployment.serving.server import CannotListen
    from dlspec.deployment.serving.server import serve as serve_model
    from dlspec.deployment.serving.settings import LOCAL, Settings, WrongSettings

    place = Path(run) if isinstance(run, str | Path) else run.folder
    given = token or os.environ.get("DLSPEC_TOKEN") or None
    if given is None and host not in LOCAL and not host.startswith("127."):
        given = secrets.token_urlsafe(24)
        note(f"whoever asks needs the token {given}")
    try:
        settings = Settings(host, port, given, body, rows, waiting=waiting, seconds=seconds)
        serve_model(lambda: opened(place, runtime, note), settings, note)
    except WrongSettings as error:
        raise DataError.of("cannot-serve", str(error)) from None
    except CannotListen as error:
        raise DataError.of("cannot-serve", str(error), help="write another `--port`, or 0 for any") from None
    except CannotOpen as error:
        raise DataError.of("cannot-serve", str(error), help="serve the run itself, or export it again") from None


def opened(place: Path, runtime: Runtime | None, note: Say) -> Model:
    """The network of a run folder, or of an exported file.

    Raises:
        CannotOpen, DataError: there is none.
    """
    from dlspec.deployment.serving.model import open_onnx

    if place.suffix == ".onnx" or place.is_file():
        return open_onnx(place)
    if (place / FILE).is_file():  # what `--format docker` wrote
        return open_onnx(place / FILE)
    _check_places(place)
    if runtime != "keras":
        try:
            return open_onnx(exported(place, note))
        except DataError as error:
            first = error.diagnostics[0]
            if runtime == "onnx" or first.code not in NOT_ONNX:
                raise
            note(f"served by TensorFlow, which takes more memory and time: {first.message}")
    return open_keras(place)


def _check_places(folder: Path) -> None:
    """Raises DataError where the samples of a run have more than one answer."""
    try:
        target = json.loads((folder / "data.json").read_text(encoding="utf-8"))["target"]
        places, name = target.get("places"), target["name"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # which is said where the run is opened
        return
    if places:
        message = f"`{name}` is predicted at each place of a sample, which a server does not write down"
        help = "`dlspec predict` and `dlspec export` take such networks"
        written = target.get("written")
        if isinstance(written, dict) and written.get("fed") is None:
            message = f"texts of `{name}` are read off timesteps, which a server does not do"
            help = "`dlspec predict` reads them, and `model.txt` of the run shows how `model.keras` does"
        elif written:
            message = f"texts of `{name}` are written item by item, for which a server asks the network once"
            help = "`dlspec predict` writes them, and `model.txt` of the run shows how `model.keras` does"
        if target.get("tokens"):
            message = f"the network says what comes next at each place of `{name}`, which a server does not write down"
            help = "`dlspec generate` writes on, `dlspec predict` judges texts, and `dlspec export` takes it away"
        raise DataError.of("cannot-serve", message, help=help)


def exported(folder: Path, note: Say) -> Path:
    """The export of a run, made by another process where there is none of this `model.keras` yet."""
    try:
        checksum = hashlib.sha256((folder / "model.keras").read_bytes()).hexdigest()[:16]
    except OSError:
        checksum = "none"  # the other process says what is wrong
    home = folder / EXPORTS / f"onnx-{__version__}-{checksum}"
    if (home / FILE).is_file():
        return home / FILE
    refused = home.with_name(f"{home.name}.refused.json")
    if refused.is_file():
        raise as_error(json.loads(refused.read_text(encoding="utf-8")))
    note("exporting to ONNX, which is done once")
    try:
        home.parent.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home.parent))
    except OSError:  # a folder that may only be read
        home = Path(tempfile.mkdtemp(prefix="dlspec-serve-")) / "export"
        draft = Path(tempfile.mkdtemp(dir=home.parent))
    try:
        try:
            _export_in_child(folder, draft / FILE)
        except DataError as error:
            if error.diagnostics[0].code in NOT_ONNX and home.parent.name == EXPORTS:
                write_text(refused, json.dumps(_said(error)) + "\n")
            raise
        try:
            draft.rename(home)
        except OSError:  # another server was faster
            if not (home / FILE).is_file():
                raise
    finally:
        _remove(draft)
    return home / FILE


def _remove(draft: Path) -> None:
    import shutil

    if draft.exists():
        shutil.rmtree(draft, ignore_errors=True)
        if not any(draft.parent.iterdir()):
            draft.parent.rmdir()


def _export_in_child(folder: Path, file: Path) -> None:
    from dlspec.language.plugins import loaded

    plugins = [str(plugin.path) for plugin in loaded()]
    command = [sys.executable, "-c", CHILD, str(folder), str(file), *plugins]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if is_there("tensorflow"):  # which writes ONNX, whatever the run was trained on
        environment["KERAS_BACKEND"] = "tensorflow"
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    if done.returncode == REFUSED:
        raise as_error(json.loads(done.stdout.splitlines()[-1]))
    if done.returncode or not file.is_file():
        lines = done.stderr.strip().splitlines() or [f"it ended with the exit code {done.returncode}"]
        raise DataError.of("cannot-serve", f"the export failed: {lines[-1]}", help=f"try `dlspec export {folder}`")


def export_for_parent(folder: str, file: str, *plugins: str) -> int:
    """Exports a run in a process of its own; a mistake is printed as JSON."""
    from dlspec.deployment.exporting import export_part
    from dlspec.language import plugins as files
    from dlspec.runs import open_run
    from dlspec.runtime.packages import model_modules

    try:
        for plugin in plugins:
            files.load(plugin)
        require(*model_modules(), what="an export")
        export_part(open_run(folder), out=Path(file), format="onnx")
    except DiagnosticError as error:
        sys.stdout.write(f"\n{json.dumps(_said(error))}\n")
        return REFUSED
    return 0


def _said(error: DiagnosticError) -> dict[str, str | None]:
    first = error.diagnostics[0]
    return {"code": first.code, "message": first.message, "help": first.help}


def as_error(said: dict[str, str]) -> DataError:
    return DataError.of(said["code"], said["message"], help=said["help"])


def open_keras(folder: Path) -> Model:
    """The network of a run as one function of Keras, for a format that cannot do what it does.

    Raises:
        DataError: the folder is no run folder, or it is not finished.
    """
    from dlspec.deployment.records import shown_rows
    from dlspec.deployment.serving.model import Model, checked
    from dlspec.deployment.signature import signature_of
    from dlspec.deployment.steps import Program, Value
    from dlspec.runs import open_run
    from dlspec.runs.samples import samples_of
    from dlspec.runtime.packages import model_modules
    from dlspec.training.values import predict

    require(*model_modules(), what="`dlspec serve`")
    run = open_run(folder)
    model = run.model
    import keras  # which the run has loaded quietly

    inputs, outputs = (
        tuple(Value(each.name, str(each.dtype), tuple(each.shape[1:])) for each in tensors)
        for tensors in (model.inputs, model.outputs)
    )
    signature = signature_of(run, Program(inputs, (), inputs, outputs, (), outputs), "keras")
    samples = samples_of(run)
    expected = predict(model, samples.raw if isinstance(model.input, dict) else next(iter(samples.raw.values())))
    return checked(
        Model(
            run.spec.name,
            hashlib.sha256((folder / "model.keras").read_bytes()).hexdigest()[:12],
            signature,
            shown_rows(signature, samples, expected),
            one_function(model),
            None,
            f"keras {keras.__version__} on {keras.backend.backend()}",
            __version__,
        )
    )


def one_function(model: Any) -> Callable[[dict[str, Any]], list[Any]]:
    """A Keras model as one function of arrays; of TensorFlow it is traced once."""
    import keras
    import numpy as np

    by_name = isinstance(model.input, dict)
    if keras.backend.backend() != "tensorflow":
        from dlspec.training.values import predict

        return lambda values: [np.asarray(predict(model, values if by_name else next(iter(values.values()))))]
    import tensorflow as tf

    specs = {each.name: tf.TensorSpec((None, *each.shape[1:]), each.dtype, each.name) for each in model.inputs}

    def call(values: dict[str, Any]) -> Any:
        return model(values if by_name else next(iter(values.values())), training=False)

    function = tf.function(call, input_signature=[specs])

    def run(values: dict[str, Any]) -> list[Any]:
        found = function({name: tf.constant(values[name], spec.dtype) for name, spec in specs.items()})
        return [np.asarray(each) for each in tf.nest.flatten(found)]

    return run
