"""How fast data are read, and what memory that takes: `python -m tests.benchmarks.data [identity|csv|large|…]`.

Each measurement runs in a process of its own, one after the other and again, and medians are printed. Memory is
resident memory above that of the process before the data are read, without pages of files.

identity  20,000 JPEG files, and a table of 8 GB: what it takes to tell them apart by their content
csv       100,000 x 50 numbers: from the file to the first training step, against `pandas.read_csv`
large     tables of 2, 4 and 8 GB in Parquet shards, read from files: memory, and rows a second
pictures  20,000 JPEG files: pictures a second, against `keras.utils.image_dataset_from_directory`
windows   of a series of 10 million rows: memory
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from dlspec.data.arrays import is_read_later

REPEATS = 5
GIGABYTES = (2, 4, 8)
CSV = "dlspec: 1\ndata: {table: rows.csv, target: y}\nmodel: [dense: 32, output]\ntrain: {epochs: 1, batch_size: 128}\n"
LARGE = """\
dlspec: 1
data: {table: "%s/*.parquet", target: y, cache: none, split: {validation: 20000, test: 50000}}
model: [{dense: {units: 64, activation: relu}}, {dense: {units: 64, activation: relu}}, output]
train: {epochs: 1, batch_size: 256}
evaluate: {baselines: [mean]}
"""
PICTURES = """\
dlspec: 1
data: {images: {path: pictures, size: 128, color: rgb}, cache: none, scale: none, split: {validation: 0, test: 100}}
model: [flatten, output]
"""
SERIES = """\
dlspec: 1
data: {series: series.parquet, target: x, features: x, window: {length: 50}}
model: [flatten, output]
"""


def resident() -> int:
    """Bytes in memory that belong to no file."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["RssAnon"].split()[0]) * 1024


class Watch:
    """The largest memory in the block, above that before it."""

    def __enter__(self) -> Watch:
        self.before = self.peak = resident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.005):
            self.peak = max(self.peak, resident())

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self.bytes = self.peak - self.before


# --- what one process measures


def csv_by_pandas() -> dict[str, float]:
    import pandas as pd

    began = time.perf_counter()
    with Watch() as watch:
        frame = pd.read_csv("rows.csv")
    return {"seconds": time.perf_counter() - began, "bytes": watch.bytes, "array": 8 * frame.size}


def csv_to_first_step() -> dict[str, float]:
    """TensorFlow is loaded before, since that takes as long whatever is read."""
    import dlspec
    from dlspec.model.build import build_network
    from dlspec.runs.job import load_data
    from dlspec.runs.listener import Listener
    from dlspec.training.progress import Hooks, Stopped
    from dlspec.training.trainer import Trainer

    dlspec.build(dlspec.load("dlspec: 1\ndata: {dataset: iris}\nmodel: [output]\n"))

    class UntilFirst(Listener):
        def step_ends(self, stage, epoch, step, loss):
            raise Stopped

    began = time.perf_counter()
    with Watch() as watch:
        spec = dlspec.load("rows.yaml")
        data = load_data(spec)
        read = time.perf_counter()
        network = build_network(dlspec.graph(spec))
        trainer = Trainer(spec.training, dlspec.plan(spec), data, network, Hooks(UntilFirst()))
        with contextlib.suppress(Stopped):
            trainer.run()
    rows = len(data.train) + len(data.validation) + len(data.test)
    array = 8 * rows * (data.train.inputs.shape[1] + 1)
    return {"seconds": time.perf_counter() - began, "read": read - began, "bytes": watch.bytes, "array": array}


def large(name: str) -> dict[str, float]:
    import dlspec
    from dlspec.runs.listener import Listener

    epoch = {}

    class Clock(Listener):
        def note(self, text):
            epoch.setdefault("began", time.perf_counter())
            epoch["read"] = time.perf_counter()

        def stage_begins(self, stage, samples, steps):
            epoch["read"], epoch["samples"] = time.perf_counter(), samples

        def epoch_ends(self, stage, row):
            epoch["seconds"] = row.seconds

    dlspec.build(dlspec.load("dlspec: 1\ndata: {dataset: iris}\nmodel: [output]\n"))
    spec = dlspec.load(f"{name}.yaml")
    began = time.perf_counter()
    with Watch() as watch, tempfile.TemporaryDirectory() as folder:
        run = dlspec.run(spec, out=Path(folder) / "run", listener=Clock())
    rows = run.data.rows
    return {
        "rows": rows,
        "bytes": watch.bytes,
        "read": rows / (epoch["read"] - began),
        "train": epoch["samples"] / epoch["seconds"],
        "rmse": run.metrics.test["rmse"],
    }


def pictures_here() -> dict[str, float]:
    import dlspec
    from dlspec.runs.job import load_data
    from dlspec.training.batches import BatchReader

    data = load_data(dlspec.load("pictures.yaml"))
    inputs = data.train.inputs
    reader = BatchReader([inputs, data.train.targets], 64)
    order = inputs.order(np.random.default_rng(0))
    reader.take(order, 0, 2)
    steps = len(inputs) // 64
    began = time.perf_counter()
    for step in range(2, steps):
        reader.take(order, step, step + 1)
    return {"a_second": 64 * (steps - 2) / (time.perf_counter() - began)}


def pictures_by_keras() -> dict[str, float]:
    import keras

    data = keras.utils.image_dataset_from_directory(
        "pictures", image_size=(128, 128), batch_size=64, shuffle=True, seed=0, verbose=False
    ).prefetch(4)
    batches = iter(data)
    next(batches), next(batches)
    began, count = time.perf_counter(), 0
    for batch, _ in batches:
        count += len(batch.numpy())
    return {"a_second": count / (time.perf_counter() - began)}


def identity_of_pictures() -> dict[str, float]:
    """What it takes to tell 20,000 files apart by their content, and to read them once for training."""
    import dlspec
    from dlspec.data.sources.folders import files_of
    from dlspec.data.sources.known_files import digest_of, forget_files
    from dlspec.runs.job import load_data

    data = load_data(dlspec.load("pictures.yaml"))
    forget_files()
    (entry,) = [values for values in data.columns.values() if is_read_later(values)]
    began = time.perf_counter()
    entry.fingerprint()
    hashed = time.perf_counter()
    entry.fingerprint()
    again = time.perf_counter()
    assert len({digest_of(file) for file in files_of(data.columns)}) == len(entry)
    read = time.perf_counter()
    for first in range(0, len(entry), 64):
        entry[first : first + 64]
    return {"first": hashed - began, "again": again - hashed, "epoch": time.perf_counter() - read}


def identity_of_rows(name: str) -> dict[str, float]:
    """The part of the first epoch, reading and training, that goes into the fingerprint of a table in files."""
    import hashlib
    from types import SimpleNamespace
    from unittest import mock

    from dlspec.data.preparation import streaming

    spent = [0.0]

    class Timed:
        def __init__(self, begin: bytes) -> None:
            self.own = hashlib.sha256(begin)

        def update(self, data: bytes) -> None:
            began = time.perf_counter()
            self.own.update(data)
            spent[0] += time.perf_counter() - began

        def hexdigest(self) -> str:
            return self.own.hexdigest()

    with mock.patch.object(streaming, "hashlib", SimpleNamespace(sha256=Timed)):
        found = large(name)
    epoch = found["rows"] / found["read"] + found["rows"] / found["train"]
    return {"first": spent[0], "epoch": epoch}


def windows() -> dict[str, float]:
    import dlspec
    from dlspec.runs.job import load_data

    spec = dlspec.load("series.yaml")
    load_data(dlspec.load("dlspec: 1\ndata: {dataset: goog, window: {length: 30}}\nmodel: [flatten, output]\n"))
    before = resident()
    with Watch() as watch:
        data = load_data(spec)
    gc.collect()
    series = 8 * (len(data.train) + len(data.validation) + len(data.test))
    return {"kept": resident() - before, "bytes": watch.bytes, "series": series}


# --- what they measure on


def write_csv(folder: Path) -> None:
    import pandas as pd

    values = np.random.default_rng(0).normal(size=(100_000, 49))
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(49)]).assign(y=values[:, 0] * 2 + values[:, 1])
    frame.to_csv(folder / "rows.csv", index=False)
    (folder / "rows.yaml").write_text(CSV, encoding="utf-8")


def write_large(folder: Path, gigabytes: int) -> None:
    """50 columns of float64 in shards of 250 MB, uncompressed, as random numbers cannot be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, random = f"t{gigabytes}", np.random.default_rng(0)
    (folder / name).mkdir()
    rows = 625_000
    for shard in range(4 * gigabytes):
        values = random.normal(size=(49, rows))
        columns = {f"x{i}": values[i] for i in range(49)} | {"y": values[0] - np.abs(values[1])}
        pq.write_table(
            pa.table(columns), folder / name / f"{shard:03d}.parquet", row_group_size=125_000, compression="none"
        )
    (folder / f"{name}.yaml").write_text(LARGE % name, encoding="utf-8")


def write_pictures(folder: Path) -> None:
    from PIL import Image

    random = np.random.default_rng(0)
    for kind in ("one", "other"):
        (folder / "pictures" / kind).mkdir(parents=True)
    for i in range(20_000):
        small = random.integers(0, 255, (15, 20, 3)).astype("uint8")
        picture = Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(folder / "pictures" / ("one", "other")[i % 2] / f"{i:05d}.jpg", quality=85)
    (folder / "pictures.yaml").write_text(PICTURES, encoding="utf-8")


def write_series(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = np.random.default_rng(0).normal(size=10_000_000).cumsum()
    pq.write_table(pa.table({"x": values}), folder / "series.parquet")
    (folder / "series.yaml").write_text(SERIES, encoding="utf-8")


# --- the tables


def measure(folder: Path, what: str, *arguments: str) -> dict[str, float]:
    """What a function of this module returns, called in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.data", "--one", what, *arguments]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def csv(folder: Path) -> None:
    write_csv(folder)
    pairs = [(measure(folder, "csv_by_pandas"), measure(folder, "csv_to_first_step")) for _ in range(REPEATS)]
    middle = {
        (i, key): statistics.median(pair[i][key] for pair in pairs) for i in (0, 1) for key in ("seconds", "bytes")
    }
    array = pairs[0][1]["array"]
    print("\n100,000 x 50 CSV: from the file to the first training step (TensorFlow is loaded)")
    print(f"  pandas.read_csv   {middle[0, 'seconds']:6.2f} s   peak {middle[0, 'bytes'] / array:4.2f} x the array")
    read = statistics.median(pair[1]["read"] for pair in pairs)
    print(
        f"  dlspec            {middle[1, 'seconds']:6.2f} s   peak {middle[1, 'bytes'] / array:4.2f} x the array "
        f"(data ready after {read:.2f} s)"
    )
    late = statistics.median(other["seconds"] - one["seconds"] for one, other in pairs)
    print(f"  later than pandas by {late:.2f} s (asked: at most 1 s); memory asked: at most 3 x")


def large_tables(folder: Path) -> None:
    print("\nTables in Parquet shards, read from files: resident memory above TensorFlow's own")
    first: dict[str, float] = {}
    for gigabytes in GIGABYTES:
        write_large(folder, gigabytes)
        found = measure(folder, "large", f"t{gigabytes}")
        first = first or found
        print(
            f"  {gigabytes} GB {found['rows']:12,.0f} rows   peak {found['bytes'] / 2**20:6.0f} MiB "
            f"({found['bytes'] / first['bytes']:.2f})   read {found['read']:9,.0f} rows/s "
            f"({found['read'] / first['read']:.2f})   trained {found['train']:9,.0f} rows/s "
            f"({found['train'] / first['train']:.2f})   rmse {found['rmse']:.3f}",
            flush=True,
        )
        for shard in (folder / f"t{gigabytes}").iterdir():
            shard.unlink()


def pictures(folder: Path) -> None:
    write_pictures(folder)
    pairs = [(measure(folder, "pictures_here"), measure(folder, "pictures_by_keras")) for _ in range(REPEATS)]
    ratio = statistics.median(here["a_second"] / other["a_second"] for here, other in pairs)
    print("\n20,000 JPEG files of 500 x 375 to 128 x 128: pictures a second")
    for i, name in enumerate(("dlspec", "image_dataset_from_directory")):
        print(f"  {name:30} {statistics.median(pair[i]['a_second'] for pair in pairs):8,.0f}")
    print(f"  ratio {ratio:.2f} (asked: at least 1)")


def windows_of_series(folder: Path) -> None:
    write_series(folder)
    found = measure(folder, "windows")
    print("\nWindows of 50 of a series of 10 million rows (80 MB as float64)")
    print(f"  kept {found['kept'] / found['series']:.2f} x the series, peak {found['bytes'] / found['series']:.2f} x")


def identity(folder: Path) -> None:
    write_pictures(folder)
    found = measure(folder, "identity_of_pictures")
    print("\nTelling data apart by their content")
    print(
        f"  20,000 pictures   {found['first']:6.2f} s, {found['first'] / found['epoch']:.1%} of reading them once; "
        f"a resume {found['again']:.2f} s"
    )
    write_large(folder, GIGABYTES[-1])
    found = measure(folder, "identity_of_rows", f"t{GIGABYTES[-1]}")
    share = found["first"] / found["epoch"]
    print(f"  {GIGABYTES[-1]} GB of Parquet   {found['first']:6.2f} s, {share:.1%} of the first epoch")
    print("  asked: at most 10%")


TABLES = {"identity": identity, "csv": csv, "large": large_tables, "pictures": pictures, "windows": windows_of_series}


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])))
        return
    for name in sys.argv[1:] or TABLES:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            TABLES[name](Path(folder))


if __name__ == "__main__":
    main()
