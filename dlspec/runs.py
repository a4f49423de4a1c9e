"""The run folder: what a run leaves behind. The only module that knows the names of its files.

Every file is written whole or not at all. A run is finished when `metrics.json` is there, and can go on when
it is not.
"""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec._version import __version__
from dlspec.diagnostics import DataError, SpecError
from dlspec.fields import one_of
from dlspec.files import write_json, write_text, written_whole
from dlspec.signature import source_of
from dlspec.source import read_file, to_yaml
from dlspec.sources.files import RowsFile
from dlspec.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.graphs import Graph
    from dlspec.pictures import Pictures
    from dlspec.plans import Plan
    from dlspec.preparation import Prepared
    from dlspec.signature import Signature
    from dlspec.training import Checkpoint, HistoryRow, Listener

SPEC, RESOLVED = "spec.yaml", "resolved.yaml"
ENVIRONMENT, DATA = "environment.json", "data.json"
HISTORY, METRICS, PREDICTIONS = "history.csv", "metrics.json", "predictions.csv"
MODEL, PICTURES, REPORT = "model.keras", "pictures.npz", "report.html"
CHECKPOINT = "checkpoints/latest.npz"


@dataclass(frozen=True)
class Run:
    """A run folder, opened. What is large is read when it is asked for."""

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Raises DataError when the folder holds no run."""
        run = cls(Path(folder))
        if not (run.folder / RESOLVED).is_file():
            raise DataError.of(
                "no-run",
                f"`{folder}` is no run folder: it has no `{RESOLVED}`",
                help="name a folder that `dlspec run` wrote, such as `runs/lstm_stock/001`",
            )
        return run

    @property
    def finished(self) -> bool:
        return (self.folder / METRICS).is_file()

    @property
    def resolved_text(self) -> str:
        """The resolved spec as YAML."""
        return self._file(RESOLVED).read_text(encoding="utf-8")

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec, as it was run."""
        from dlspec.checks import check

        checked = check(read_file(self.folder / RESOLVED))
        if checked.errors:
            raise SpecError(checked.errors, checked.spec.source.texts)
        return checked.spec

    @cached_property
    def graph(self) -> Graph:
        """The network with its shapes, from the folder alone."""
        from dlspec.graphs import make_graph

        return make_graph(self.spec, _signature(self.data, self.spec))[0]

    @cached_property
    def model(self) -> Any:
        """The trained `keras.Model`: raw columns in, the target's own units or probabilities out."""
        from dlspec.backend import load_keras

        load_keras()
        import keras

        return keras.models.load_model(self._file(MODEL), safe_mode=True)

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """A row for every epoch of every stage."""
        with self._file(HISTORY).open(encoding="utf-8", newline="") as file:
            return [
                {key: value if key == "stage" else float(value) if value else None for key, value in row.items()}
                | {"epoch": int(row["epoch"])}
                for row in csv.DictReader(file)
            ]

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`train`, `validation`, `test`, `baselines` and the verdict."""
        return self._json(METRICS)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions, device, seed, fingerprint of the data, the command."""
        return self._json(ENVIRONMENT)

    @cached_property
    def data(self) -> dict[str, Any]:
        """What the data looked like: columns, target, split, scale."""
        return self._json(DATA)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The test part: truth, the network's prediction and each baseline's, a row each."""
        import pandas as pd

        return pd.read_csv(self._file(PREDICTIONS))

    @cached_property
    def pictures(self) -> dict[str, np.ndarray]:
        """Arrays that the report draws."""
        import numpy as np

        if not (self.folder / PICTURES).is_file():
            return {}
        with np.load(self.folder / PICTURES, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    def predict(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray) -> pd.DataFrame:
        """Predictions for raw rows, in the target's own units.

        Args:
            rows: columns by name, as in the data. Of a series, timesteps in order, oldest first: a forecast is made
                from every window of them. Of pictures, an array (samples, height, width).

        Returns:
            For single samples a row each, with the index of `rows`: the target, and for classes also the probability
            of each, `<target>=<class>`. Of a series a row for each window, with the index of its last timestep, at
            which the forecast is made: `<target>+<horizon>` is what the target will be that many timesteps later.

        Raises:
            DataError: a column is missing, a value is no number, or there are fewer timesteps than a window takes.
        """
        import numpy as np
        import pandas as pd

        from dlspec.preparation import class_shares, to_numbers
        from dlspec.training import predict

        columns, target, length = self.data["raw_columns"], self.data["target"], self.data["timesteps"]
        if isinstance(rows, np.ndarray):
            raw = rows
            index: pd.Index[Any] = pd.RangeIndex(len(rows))
        else:
            frame = pd.DataFrame(rows) if not isinstance(rows, pd.DataFrame) else rows
            missing = [name for name in columns if name not in frame]
            if missing:
                raise DataError.of(
                    "missing-column",
                    f"the rows have no column {one_of(missing)}",
                    help=f"a prediction takes {one_of(columns)}",
                )
            raw = np.stack([to_numbers(name, frame[name].to_numpy()) for name in columns], axis=1)
            index = frame.index
        if length is not None and raw.ndim == 2:
            if len(raw) < length:
                raise DataError.of("too-few-rows", f"a prediction takes {length} rows in order, got {len(raw)}")
            raw = np.lib.stride_tricks.sliding_window_view(raw, length, axis=0).swapaxes(1, 2)
            index = index[length - 1 :]
        takes = (length, len(columns)) if length is not None else tuple(self.model.input_shape[1:])
        if raw.shape[1:] != takes:
            raise DataError.of("wrong-shape", f"a sample has the shape {takes}, got {raw.shape[1:]}")
        outputs = predict(self.model, raw)
        if target["kind"] == "number":
            ahead = f"+{self.data['window']['horizon']}" if length is not None else ""
            return pd.DataFrame({f"{target['name']}{ahead}": outputs[:, 0]}, index=index)
        shares = class_shares(outputs)
        named = {f"{target['name']}={label}": shares[:, i] for i, label in enumerate(target["classes"])}
        labels = np.array(target["classes"])[shares.argmax(axis=1)]
        return pd.DataFrame({target["name"]: labels, **named}, index=index)

    @property
    def report(self) -> Path:
        """Where the page is."""
        return self.folder / REPORT

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise DataError.of(
                "unfinished-run",
                f"`{self.folder}` has no `{name}`: the run did not get so far",
                help=f"go on with `dlspec run --resume {shlex.quote(str(self.folder))}`",
            )
        return path

    def _json(self, name: str) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        return values


def start(spec: Spec, *, out: str | Path | None, listener: Listener | None, command: str) -> Run:
    """Trains a spec from the beginning, in a new folder.

    Raises:
        DataError, TrainingError, Stopped: see `api.run`; the folder then says how far it got.
    """
    job = _make_ready(spec, listener)
    folder = _new_folder(spec, out)
    resolved = _portable(spec, folder)
    write_text(folder / SPEC, spec.source.texts.get(spec.source.file, to_yaml(resolved)))
    write_text(folder / RESOLVED, _resolved_text(spec, resolved))
    write_json(folder / DATA, _describe(job.data))
    write_json(folder / ENVIRONMENT, _environment(job, command))
    return _train(job, folder, None)


def resume(folder: str | Path, *, listener: Listener | None, command: str) -> Run:
    """Goes on with a run that was stopped.

    Raises:
        DataError: there is nothing to go on with, or the data are not what they were.
    """
    from dlspec.training import Checkpoint

    run = Run.open(folder)
    if run.finished:
        raise DataError.of(
            "run-finished",
            f"`{folder}` is finished; there is nothing to go on with",
            help=f"`dlspec run {shlex.quote(str(run.folder / RESOLVED))}` runs it again",
        )
    job = _make_ready(run.spec, listener)
    if job.data.fingerprint != run.data["fingerprint"]:
        raise DataError.of(
            "data-changed",
            "the data have changed since the run was started",
            help="bring back the old data, or run the spec anew",
        )
    resumed = {
        key: value for key, value in _environment(job, command).items() if key in ("command", "started", "device")
    }
    legs = [*run.environment.get("resumed", []), resumed]
    write_json(run.folder / ENVIRONMENT, {**run.environment, "resumed": legs})
    path = run.folder / CHECKPOINT
    return _train(job, run.folder, Checkpoint.load(path) if path.is_file() else None)


def unfinished(name: str, root: Path = Path("runs")) -> Path | None:
    """The last run of this name, when it was stopped and can go on."""
    numbered = _numbered(root / name)
    if not numbered or (numbered[-1] / METRICS).exists() or not (numbered[-1] / CHECKPOINT).is_file():
        return None
    return numbered[-1]


def _load_data(spec: Spec) -> Prepared:
    from dlspec.preparation import prepare
    from dlspec.signature import read_signature, source_of

    source = source_of(spec)
    signature, problems = read_signature(spec, source.describe())
    if signature is None or any(problem.is_error for problem in problems):
        raise DataError(problems, spec.source.texts)
    return prepare(spec, signature, source.load(spec.seed))


@dataclass(frozen=True)
class _Job:
    """Everything that a training takes, ready on its device."""

    spec: Spec
    plan: Plan
    data: Prepared
    device: str
    listener: Listener
    began: float


def _make_ready(spec: Spec, listener: Listener | None) -> _Job:
    """Reads the data and loads the backend, in this order: mistakes in data are said at once."""
    from dlspec.backend import choose_device, make_deterministic
    from dlspec.graphs import make_graph
    from dlspec.plans import make_plan
    from dlspec.training import Listener

    began = time.time()
    listener = listener or Listener()
    data = _load_data(spec)
    plan = make_plan(spec, make_graph(spec, data.signature)[0])
    listener.begins(spec, plan, data)
    device = choose_device(spec.runtime)
    make_deterministic(spec.runtime)
    listener.ready(device)
    return _Job(spec, plan, data, device, listener, began)


def _train(job: _Job, folder: Path, checkpoint: Checkpoint | None) -> Run:
    """Trains, and writes what comes of it."""
    from dlspec.pictures import Pictures
    from dlspec.training import Stopped

    pictures = Pictures(job.data, job.plan.graph)
    if checkpoint and (folder / PICTURES).is_file():
        pictures.arrays |= Run(folder).pictures
    try:
        network = _train_network(job, folder, checkpoint, pictures)
        return _write_results(job, folder, network, pictures)
    except (Stopped, KeyboardInterrupt):
        raise Stopped(folder) from None


def _train_network(job: _Job, folder: Path, checkpoint: Checkpoint | None, pictures: Pictures) -> Any:
    from dlspec.building import build_network
    from dlspec.training import Trainer, seed_everything

    def save(checkpoint: Checkpoint) -> None:
        (folder / CHECKPOINT).parent.mkdir(exist_ok=True)
        _write_history(folder, checkpoint.progress.history)
        if pictures.arrays:
            _write_pictures(folder, pictures.arrays)
        checkpoint.save(folder / CHECKPOINT)

    seed_everything(job.spec.seed, "network")
    network = build_network(job.plan.graph, job.spec.name, one_input=True)
    trainer = Trainer(
        job.spec, job.plan, job.data, network, listener=job.listener, save=save, observer=pictures, folder=folder
    )
    _write_history(folder, trainer.run(checkpoint))
    return network


def _write_results(job: _Job, folder: Path, network: Any, pictures: Pictures) -> Run:
    """`metrics.json` comes last: with it the run is finished."""
    from dlspec.building import with_preprocessing
    from dlspec.evaluation import evaluate

    job.listener.note("evaluating, writing the report")
    evaluation = evaluate(job.spec, network, job.data)
    with written_whole(folder / MODEL) as draft:
        with_preprocessing(network, job.data).save(draft)
    _write_predictions(folder, job.data, evaluation.predictions)
    pictures.after_training(network)
    _write_pictures(folder, pictures.arrays)
    environment = Run(folder).environment
    spent = round(environment.get("seconds", 0) + time.time() - job.began, 1)
    write_json(folder / ENVIRONMENT, {**environment, "seconds": spent})
    write_json(folder / METRICS, evaluation.as_json())
    return Run(folder)


def _new_folder(spec: Spec, out: str | Path | None) -> Path:
    """A folder that did not exist before, so that nothing is overwritten and no two runs share one."""
    if out is not None:
        folder = Path(out)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError.of(
                "folder-not-empty",
                f"`{folder}` is there already and not empty; a run never overwrites anything",
                help="name a new folder with `--out`",
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(folder, error) from None
        return folder
    home = Path("runs") / spec.name
    try:
        home.mkdir(parents=True, exist_ok=True)
        while True:
            last = max((int(path.name) for path in _numbered(home)), default=0)
            folder = home / f"{last + 1:03d}"
            try:
                folder.mkdir()
                return folder
            except FileExistsError:  # another run was quicker
                continue
    except OSError as error:
        raise _cannot_write(home, error) from None


def _numbered(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted((path for path in home.iterdir() if re.fullmatch(r"\d{3,}", path.name)), key=lambda p: int(p.name))


def _cannot_write(folder: Path, error: OSError) -> DataError:
    return DataError.of(
        "cannot-write",
        f"cannot make the run folder `{folder}`: {(error.strerror or str(error)).lower()}",
        help="name another place with `--out`",
    )


def _portable(spec: Spec, folder: Path) -> dict[str, Any]:
    """The resolved spec as plain values, data files relative to the run folder; what is not set is left out."""

    def without_nothing(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: without_nothing(value) for key, value in values.items() if value is not None}
        return [without_nothing(v) for v in values] if isinstance(values, list) else values

    values: dict[str, Any] = without_nothing(spec.written())
    source = source_of(spec)
    if isinstance(source, RowsFile):
        file, (_, key) = source.file.resolve(), spec.data.file
        try:
            values["data"][key] = os.path.relpath(file, folder.resolve())
        except ValueError:  # another drive of Windows
            values["data"][key] = str(file)
    return values


def _resolved_text(spec: Spec, values: dict[str, Any]) -> str:
    return (
        f"# {spec.name} with every default written out; dlspec {__version__} runs it again as it is.\n{to_yaml(values)}"
    )


def _environment(job: _Job, command: str) -> dict[str, Any]:
    from importlib.metadata import version

    packages = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")
    return {
        "dlspec": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(),
        "device": job.device,
        "cpu_cores": os.cpu_count(),
        "seed": job.spec.seed,
        "data_fingerprint": job.data.fingerprint,
        "command": command or f"{Path(sys.argv[0]).name} (Python)",
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _describe(data: Prepared) -> dict[str, Any]:
    """`data.json`: what the data looked like, enough to predict with the model and to draw the report."""
    signature, steps, target = data.signature, data.preprocessing, data.signature.target
    return {
        "task": signature.task,
        "rows": len(next(iter(data.columns.values()))),
        "fingerprint": data.fingerprint,
        "target": {
            "name": target.name,
            "kind": target.kind,
            "classes": list(target.classes),
            "unit": target.unit,
        },
        "features": [_column(column.name, column.unit, data.columns[column.name]) for column in signature.features],
        "raw_columns": list(steps.raw_columns),
        "timesteps": steps.timesteps,
        "window": {"length": signature.window.length, "horizon": signature.window.horizon}
        if signature.window
        else None,
        "input_shape": list(signature.input_shape[1:]),
        "parts": {name: len(getattr(data, name)) for name in ("train", "validation", "test")},
        "unlabeled": len(data.unlabeled),
        "class_counts": _class_counts(data),
        "naive_error": data.naive_error,
    }


def _signature(described: dict[str, Any], spec: Spec) -> Signature:
    """What `data.json` says of the inputs and the target."""
    from dlspec.datasets import Column
    from dlspec.signature import Signature, Target, share_out
    from dlspec.spec import Window

    target, shape = described["target"], (None, *described["input_shape"])
    features = tuple(Column(feature["name"], unit=feature["unit"]) for feature in described["features"])
    return Signature(
        described["task"],
        shape,
        features,
        Target(target["name"], target["kind"], tuple(target["classes"]), target["unit"]),
        share_out(spec, shape, [feature.name for feature in features]),
        {},
        window=Window(**described["window"]) if described["window"] else None,
    )


def _column(name: str, unit: str | None, values: np.ndarray) -> dict[str, Any]:
    numbers = values.astype("float64")
    summary = {"min": numbers.min(), "max": numbers.max(), "mean": numbers.mean()}
    return {"name": name, "unit": unit, **{key: float(value) for key, value in summary.items()}}


def _class_counts(data: Prepared) -> dict[str, dict[str, int]] | None:
    import numpy as np

    classes = data.signature.target.classes
    if not classes:
        return None
    counts = {
        name: np.bincount(getattr(data, name).truth, minlength=len(classes)) for name in ("train", "validation", "test")
    }
    return {label: {name: int(count[i]) for name, count in counts.items()} for i, label in enumerate(classes)}


def _write_history(folder: Path, history: list[HistoryRow]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["stage", "epoch", "loss", "val_loss", "seconds"])
    for row in history:
        writer.writerow(
            [
                row.stage,
                row.epoch,
                repr(row.loss),
                "" if row.val_loss is None else repr(row.val_loss),
                row.seconds,
            ]
        )
    write_text(folder / HISTORY, text.getvalue())


def _write_pictures(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    import numpy as np

    with written_whole(folder / PICTURES) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]


def _write_predictions(folder: Path, data: Prepared, predictions: Mapping[str, np.ndarray]) -> None:
    """The test part, a row a sample: where it stands in the data, truth, network, baselines."""
    import numpy as np
    import pandas as pd

    part, target = data.test, data.signature.target
    table: dict[str, Any] = {"row": part.rows}
    if data.times is not None:
        times = data.times[part.rows]
        table["time"] = times.astype("datetime64[s]").astype(str) if times.dtype.kind == "M" else times
    if target.kind == "number":
        table |= {"truth": part.truth, **predictions}
    else:
        labels = np.array(target.classes)
        table["truth"] = labels[part.truth]
        table |= {name: labels[shares.argmax(axis=1)] for name, shares in predictions.items()}
        table |= {f"p({label})": predictions["network"][:, i] for i, label in enumerate(target.classes)}
    with written_whole(folder / PREDICTIONS) as draft:
        pd.DataFrame(table).to_csv(draft, index=False)
