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
from dlspec.diagnostics import DataError
from dlspec.files import write_json, write_text, written_whole
from dlspec.source import to_yaml
from dlspec.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.preparation import Prepared
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

    @cached_property
    def spec(self) -> Spec:
        """The resolved spec, as it was run."""
        from dlspec.api import load

        return load(self.folder / RESOLVED)

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
            rows: columns by name, as in the data. Of a series, timesteps in order: each is predicted from the
                window that ends in it, as soon as there are enough. Of pictures, an array (samples, height, width).

        Returns:
            A row for each sample or window, with the index of `rows` (its last timestep): the target's name, and
            for classes also the probability of each, `<target>=<class>`.

        Raises:
            DataError: a column is missing, or there are fewer timesteps than a window takes.
        """
        import numpy as np
        import pandas as pd

        from dlspec.training import predict

        columns, target = self.data["raw_columns"], self.data["target"]
        if isinstance(rows, np.ndarray):
            raw = rows
            index: pd.Index[Any] = pd.RangeIndex(len(rows))
        else:
            frame = pd.DataFrame(rows) if not isinstance(rows, pd.DataFrame) else rows
            missing = [name for name in columns if name not in frame]
            if missing:
                raise DataError.of("missing-column", f"the rows have no column `{missing[0]}`")
            raw, index = frame[columns].to_numpy("float64"), frame.index
        length = self.data["timesteps"]
        if length is not None and raw.ndim == 2:
            if len(raw) < length:
                raise DataError.of("too-few-rows", f"a prediction takes {length} rows in order, got {len(raw)}")
            raw = np.lib.stride_tricks.sliding_window_view(raw, length, axis=0).swapaxes(1, 2)
            index = index[length - 1 :]
        outputs = predict(self.model, raw.astype("float32"))
        if target["kind"] == "number":
            return pd.DataFrame({target["name"]: outputs[:, 0]}, index=index)
        shares = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        named = {f"{target['name']}={label}": shares[:, i] for i, label in enumerate(target["classes"])}
        labels = np.array(target["classes"])[shares.argmax(axis=1)]
        return pd.DataFrame({target["name"]: labels, **named}, index=index)

    def write_report(self) -> Path:
        """Draws `report.html` anew from the files of the folder."""
        from dlspec.reports import render

        write_text(self.folder / REPORT, render(self))
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
    data = _load_data(spec)
    folder = _new_folder(spec, out)
    resolved = _portable(spec)
    write_text(folder / SPEC, spec.source.texts.get(spec.source.file, to_yaml(resolved)))
    write_text(folder / RESOLVED, _resolved_text(spec, resolved))
    write_json(folder / DATA, _describe(data))
    return _train(spec, data, folder, listener, command, None)


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
    data = _load_data(run.spec)
    if data.fingerprint != run.data["fingerprint"]:
        raise DataError.of(
            "data-changed",
            "the data have changed since the run was started",
            help="bring back the old data, or run the spec anew",
        )
    path = run.folder / CHECKPOINT
    return _train(run.spec, data, run.folder, listener, command, Checkpoint.load(path) if path.is_file() else None)


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
    if signature is None:
        raise DataError(problems, spec.source.texts)
    return prepare(spec, signature, source.load(spec.seed))


def _train(
    spec: Spec,
    data: Prepared,
    folder: Path,
    listener: Listener | None,
    command: str,
    checkpoint: Checkpoint | None,
) -> Run:
    """From ready data to a whole folder."""
    from dlspec.backend import choose_device, make_deterministic
    from dlspec.building import build_network, with_preprocessing
    from dlspec.evaluation import evaluate
    from dlspec.graphs import make_graph
    from dlspec.pictures import Pictures
    from dlspec.plans import make_plan
    from dlspec.training import Listener, Stopped, Trainer, seed_everything

    began = time.time()
    listener = listener or Listener()
    device = choose_device(spec.runtime)
    make_deterministic(spec.runtime)
    environment = _environment(spec, data, device, command)
    write_json(folder / ENVIRONMENT, environment)
    graph, _ = make_graph(spec, data.signature)
    plan = make_plan(spec, graph)
    listener.begins(spec, plan, data, device, folder)
    seed_everything(spec.seed, "network")
    network = build_network(graph, spec.name)
    pictures = Pictures(data, graph)
    if checkpoint and (folder / PICTURES).is_file():
        pictures.arrays |= Run(folder).pictures

    def save(checkpoint: Checkpoint) -> None:
        (folder / CHECKPOINT).parent.mkdir(exist_ok=True)
        _write_history(folder, checkpoint.progress.history)
        if pictures.arrays:
            _write_pictures(folder, pictures.arrays)
        checkpoint.save(folder / CHECKPOINT)

    trainer = Trainer(spec, plan, data, network, listener=listener, save=save, observer=pictures)
    try:
        history = trainer.run(checkpoint)
    except (Stopped, KeyboardInterrupt):
        raise Stopped(folder) from None
    _write_history(folder, history)
    listener.note("evaluating and writing the report")
    evaluation = evaluate(spec, network, data)
    with written_whole(folder / MODEL) as draft:
        with_preprocessing(network, data).save(draft)
    _write_predictions(folder, data, evaluation.predictions)
    pictures.after_training(network)
    _write_pictures(folder, pictures.arrays)
    environment["seconds"] = round(environment.get("seconds", 0) + time.time() - began, 1)
    write_json(folder / ENVIRONMENT, environment)
    write_json(folder / METRICS, evaluation.as_json())
    run = Run(folder)
    run.write_report()
    return run


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


def _portable(spec: Spec) -> dict[str, Any]:
    """The resolved spec as plain values, its data found from anywhere; what is not set is left out."""

    def without_nothing(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: without_nothing(value) for key, value in values.items() if value is not None}
        return [without_nothing(v) for v in values] if isinstance(values, list) else values

    values: dict[str, Any] = without_nothing(spec.written())
    if spec.data.series is not None:
        values["data"]["series"] = str((spec.source.folder / spec.data.series).resolve())
    return values


def _resolved_text(spec: Spec, values: dict[str, Any]) -> str:
    return (
        f"# {spec.name} with every default written out; dlspec {__version__} runs it again as it is.\n{to_yaml(values)}"
    )


def _environment(spec: Spec, data: Prepared, device: str, command: str) -> dict[str, Any]:
    from importlib.metadata import version

    packages = ("tensorflow", "keras", "numpy", "pandas", "scikit-learn")
    return {
        "dlspec": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(),
        "device": device,
        "cpu_cores": os.cpu_count(),
        "seed": spec.seed,
        "data_fingerprint": data.fingerprint,
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
