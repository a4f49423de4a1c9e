"""Kills runs at random moments and goes on with them: `python -m tests.runs.crashes 120`.

Each run is a process that is killed (`kill -9`), asked to end (SIGINT, SIGTERM) or hurried (SIGINT twice) after a
random time, and gone on with, until it ends. Weights, history and scores must be those of the run that was never
stopped, to the last bit. Processes are forked from one that has imported TensorFlow and not used it, which saves
seconds each time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DENSE = "{dense: {units: 16, activation: sigmoid}}, {dense: {units: 12, activation: sigmoid}}"
COMMON = "data: {dataset: digits, scale: min_max}\nmodel: [flatten, " + DENSE + ", output]\n"
TRAIN = "train: {epochs: 16, batch_size: 50, checkpoint_every: 0.05 s%s}\n"


VAE = (
    "data: {dataset: digits, scale: min_max, target: input}\nmodel:\n  - flatten\n  - dense: {units: 16, name: seen}\n"
    "  - dense: {units: 2, name: mean}\n  - dense: {units: 2, name: log_var, from: seen}\n"
    "  - sampling: {from: [mean, log_var]}\n  - dense: 16\n  - output\n"
)


def pretrained(settings: str) -> str:
    return COMMON + f"pretrain: {{{settings}, epochs: 12, batch_size: 50}}\n" + TRAIN % ""


SPECS = {
    "mlp": COMMON.replace("output", "{dropout: 0.3}, batch_normalization, output")
    + TRAIN % ", early_stopping: {patience: 2}, schedule: cosine_decay",
    "mlp_compiled": COMMON.replace("output", "{dropout: 0.3}, output") + TRAIN % "" + "runtime: {xla: on}\n",
    "cnn": "data: {dataset: digits}\n"
    "model: [{reshape: [8, 8, 1]}, {conv2d: {filters: 4, kernel_size: 3, activation: relu}}, {max_pooling2d: 2}, "
    "flatten, output]\n" + TRAIN % ", callbacks: [{reduce_lr_on_plateau: {patience: 1, factor: 0.5, monitor: loss}}]",
    "lstm": "data: {dataset: {sine: {samples: 600}}, predict: level, window: {length: 8}}\n"
    "model: [{lstm: 6}, {dropout: 0.2}, output]\n" + TRAIN % ", gradient_clipping: {norm: 1}",
    "autoencoder": pretrained("method: autoencoder, tied_weights: true"),
    "denoising_autoencoder": pretrained("method: denoising_autoencoder"),
    "sparse_autoencoder": pretrained("method: sparse_autoencoder"),
    "contractive_autoencoder": pretrained("method: contractive_autoencoder"),
    "rbm": pretrained("method: rbm, optimizer: {sgd: 0.05}"),
    "rbm_persistent": pretrained("method: rbm, persistent: true, optimizer: {sgd: 0.01}"),
    "supervised": pretrained("method: supervised, then: freeze, thaw_after: 2"),
    "compiled_stages": pretrained("method: denoising_autoencoder").replace("units: 12", "units: 16")
    + "runtime: {xla: on}\n",
    "unrolled": pretrained("method: autoencoder, then: unroll").replace("scale:", "target: input, scale:"),
    "vae": VAE + TRAIN % ", early_stopping: {patience: 2}",
    "vae_compiled": VAE + TRAIN % "" + "runtime: {xla: on}\n",
    "compare": pretrained("method: autoencoder") + "evaluate: {compare: {without_pretraining: {seeds: 2}}}\n",
    "pictures": "data: {images: pics, cache: none}\nmodel: [flatten, {dense: 8}, {dropout: 0.2}, output]\n"
    + TRAIN % "",
    "stream": "data: {table: rows.csv, target: y, cache: none}\nmodel: [{dense: 8}, output]\n" + TRAIN % "",
    "folds": COMMON.replace("min_max", "min_max, split: {folds: 3}") + TRAIN % "",
    "walk_forward": "data: {dataset: {sine: {samples: 600}}, predict: level, window: {length: 8}, "
    "split: {walk_forward: {folds: 3}}}\nmodel: [{lstm: 4}, output]\n" + TRAIN % "",
    "mixed_precision": COMMON + TRAIN % "" + "runtime: {precision: mixed_bfloat16}\n",
    "sounds": "data: {audio: {path: sounds, seconds: 0.02}, cache: none}\nmodel: [{dense: 8}, output]\n" + TRAIN % "",
    "texts": "data: {text: texts, features: {text: {text: {words: 50, length: 6}}}}\n"
    "model: [{embedding: {output_dim: 4}}, flatten, output]\n" + TRAIN % "",
    "taken": COMMON + "pretrain: {from: other, then: freeze, thaw_after: 2}\n" + TRAIN % "",
    "mirrored": COMMON + TRAIN % "" + "runtime: {device: cpu, distribute: {strategy: mirrored, devices: 2}}\n",
    "callbacks": COMMON
    + TRAIN
    % (
        ", optimizer: {sgd: {learning_rate: 0.05, use_ema: true}}, callbacks: [swap_ema_weights, terminate_on_nan, "
        "{reduce_lr_on_plateau: {patience: 1, monitor: loss}}, {tensor_board: {histogram_freq: 1}}]"
    ),
}
SPECS |= {
    f"by_{optimizer}": COMMON + TRAIN % f", optimizer: {optimizer}"
    for optimizer in (
        "adadelta", "adafactor", "adagrad", "adamax", "adamw", "ftrl", "lamb", "lion", "muon", "nadam", "rmsprop",
        "schedule_free_adamw",
    )
}  # fmt: skip


def write_data(folder: Path) -> None:
    """The files that some of the specs name."""
    from PIL import Image
    from scipy.io import wavfile

    random = np.random.default_rng(0)
    for kind in ("dark", "light"):
        (folder / "pics" / kind).mkdir(parents=True, exist_ok=True)
        for place in range(100):
            pixels = random.integers(0, 128, (8, 8, 3)) + 100 * (kind == "light")
            Image.fromarray(pixels.astype("uint8")).save(folder / "pics" / kind / f"{place}.png")
    rows = random.normal(size=(3000, 3)).round(4)
    names = random.choice(["Ulm", "Bonn"], 3000)
    lines = [f"{a},{b},{name},{c}\n" for (a, b, c), name in zip(rows.tolist(), names, strict=True)]
    (folder / "rows.csv").write_text("a,b,city,y\n" + "".join(lines), encoding="utf-8")
    for kind in ("low", "high"):
        for name in ("sounds", "texts"):
            (folder / name / kind).mkdir(parents=True, exist_ok=True)
        for place in range(60):
            tone = np.sin(np.arange(160) * (0.1 if kind == "low" else 0.5) + place) * 9000
            wavfile.write(folder / f"sounds/{kind}/{place}.wav", 8000, tone.astype("int16"))
            words = random.choice([kind, "some", "other", "words", "too"], 6)
            (folder / f"texts/{kind}/{place}.txt").write_text(" ".join(words), encoding="utf-8")


SIGNALS = {"kill": [signal.SIGKILL], "Ctrl-C": [signal.SIGINT], "terminate": [signal.SIGTERM],
           "Ctrl-C twice": [signal.SIGINT, signal.SIGINT]}  # fmt: skip
MOST = 12
"""Times that one run is stopped."""


@dataclass
class Counts:
    """What happened."""

    runs: int = 0
    stopped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIGNALS, 0))
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(self.stopped.values())


def begin(arguments: list[str], folder: Path) -> int:
    """Starts `dlspec` in a process of its own; returns its number."""
    sys.stdout.flush()
    number = os.fork()
    if number:
        return number
    try:
        os.chdir(folder)
        for stream, name in ((1, "out.txt"), (2, "err.txt")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
        sys.argv = ["dlspec", *arguments]
        if "mirrored" in folder.name:
            import tensorflow as tf

            two = [tf.config.LogicalDeviceConfiguration()] * 2
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
        from dlspec.cli import main

        main()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except KeyboardInterrupt:  # before the command had begun
        os._exit(130)
    finally:  # nothing of this process belongs to the forked one
        os._exit(99)


def ended(number: int) -> int:
    """The exit code of a process, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def results(run: Path) -> dict[str, object]:
    """What must be the same."""
    with np.load(run / "layers.npz") as weights:
        found: dict[str, object] = {name: weights[name].tobytes() for name in weights.files}
    if (run / "pretrained.npz").is_file():
        with np.load(run / "pretrained.npz") as weights:
            found |= {f"pretrained {name}": weights[name].tobytes() for name in weights.files}
    rows = (run / "history.csv").read_text().splitlines()
    found["history"] = [row.rpartition(",")[0] for row in rows]  # all but the seconds
    found["predictions"] = (run / "predictions.csv").read_text()
    found["metrics"] = json.loads((run / "metrics.json").read_text())
    return found


def crash(spec: str, kills: int, folder: Path, draw: random.Random, counts: Counts) -> None:
    """Runs a spec once in peace, and then again and again with so many stops."""
    (folder / "spec.yaml").write_text(f"dlspec: 1\nname: {spec}\n{SPECS[spec]}", encoding="utf-8")
    write_data(folder)
    if "from: other" in SPECS[spec]:
        (folder / "other.yaml").write_text(f"dlspec: 1\nname: other\n{SPECS['autoencoder']}", encoding="utf-8")
        assert ended(begin(["run", "other.yaml", "--out", "other"], folder)) == 0
    began = time.monotonic()
    code = ended(begin(["run", "spec.yaml", "--out", "whole"], folder))
    lasts = time.monotonic() - began
    assert code == 0, (folder / "err.txt").read_text()
    whole, wanted = results(folder / "whole"), counts.kills + kills
    while counts.kills < wanted:
        counts.runs += 1
        run = folder / f"run{counts.runs}"
        for stop in range(MOST + 1):
            arguments = (
                ["run", "--resume", run.name]
                if (run / "resolved.yaml").is_file()
                else ["run", "spec.yaml", "--out", run.name]
            )
            if run.is_dir() and not (run / "resolved.yaml").is_file():  # nothing was trained yet
                run.rename(folder / f"{run.name}-unbegun{stop}")
            process = begin(arguments, folder)
            if stop < MOST and counts.kills < wanted:
                way = draw.choices(list(SIGNALS), weights=[6, 2, 2, 1])[0]
                time.sleep(draw.uniform(0, lasts))
                for number in SIGNALS[way]:
                    with suppress(ProcessLookupError):
                        os.kill(process, number)
                code = ended(process)
                if code in (-signal.SIGKILL, -signal.SIGTERM, 130, 143):
                    counts.stopped[way] += 1
                    continue
            else:
                code = ended(process)
            if code != 0:
                counts.lost.append(f"{spec}: {arguments} ended with {code}: {(folder / 'err.txt').read_text()[-500:]}")
            break
        else:
            counts.lost.append(f"{spec}: {run} did not end")
        if code == 0:
            found = results(run)
            odd = [name for name in whole.keys() | found.keys() if whole.get(name) != found.get(name)]
            if odd:
                counts.different.append(f"{spec}: {sorted(odd)}")


def main(kills: int, specs: list[str], seed: int = 0) -> Counts:
    """So many kills over all specs."""
    from dlspec.runtime.backend import load_keras

    load_keras()
    import tensorflow  # noqa: F401

    draw, counts = random.Random(seed), Counts()
    with tempfile.TemporaryDirectory() as home:
        for i, spec in enumerate(specs):
            folder = Path(home) / spec
            folder.mkdir()
            share = kills * (i + 1) // len(specs) - kills * i // len(specs)
            before = counts.kills
            crash(spec, share, folder, draw, counts)
            print(f"{spec:<24} {counts.kills - before:>4} stops", flush=True)
    said = ", ".join(f"{count} by {name}" for name, count in counts.stopped.items())
    print(
        f"{counts.runs} runs, {counts.kills} stops ({said}): {len(counts.lost)} lost, {len(counts.different)} different"
    )
    for line in (*counts.lost, *counts.different):
        print(line)
    return counts


if __name__ == "__main__":
    chosen = sys.argv[2:] or list(SPECS)
    done = main(int(sys.argv[1]) if len(sys.argv) > 1 else 112, chosen)
    sys.exit(bool(done.lost or done.different))
