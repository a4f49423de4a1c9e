"""The class of each pixel beside what is said of the whole picture: one network, and places that do not count."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from tests.commands import dlspec_here
from tests.runs.test_mask_runs import VALUES, draw, values_in
from tests.trained import StopAfter, Training, same

SPEC = """\
dlspec: 1
seed: 1
data:
  images:
    {path: photos.csv, column: file, masks: masks, size: [16, 16], fit: pad, ignore: 255,
     classes: {0: ground, 7: ball, 90: box}}
  scale: min_max
model:
  layers:
    - random_flip: horizontal
    - conv2d: {filters: 6, kernel_size: 3, padding: same, activation: relu, name: each}
    - flatten
  outputs:
    pixels: {target: mask, from: each, class_weight: {ball: 2}}
    side: {target: side, class_weight: balanced}
    left: {target: left, quantiles: [0.1, 0.5, 0.9]}
train: {epochs: 5, batch_size: 8, optimizer: {adam: 0.02}}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    draw(folder)
    left = [float(np.flatnonzero((mask == VALUES["ball"]).any(axis=0))[0]) for mask in values_in(folder / "masks")]
    names = [f"photos/{i:02d}.jpg" for i in range(60)]
    table = pd.DataFrame({"file": names, "left": left, "side": np.where(np.array(left) > 5, "right", "left")})
    table.to_csv(folder / "photos.csv", index=False)
    (folder / "it.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def run(home):
    return dlspec.run(home / "it.yaml", out=home / "run")


def test_each_output_has_its_own_results(run):
    pixels, side, left = run.outputs.values()
    assert {*pixels.metrics.test} == {"accuracy", "mean_iou", "log_loss"}
    assert pixels.metrics.test["mean_iou"] > pixels.metrics.baselines["majority"]["mean_iou"]
    assert [*side.metrics.baselines] == ["majority", "linear"]
    assert {"pinball", "coverage", "width"} <= {*left.metrics.test}
    assert all(own.metrics.saved_model.same for own in run.outputs.values())
    page = run.report.read_text()
    assert page.count("<h3>") >= 3
    assert "What was taken for what" in page


def test_the_held_out_loss_is_the_mean_over_all_that_counts(run):
    """Also of places that do not count, of which batches have more or less; weights of classes are of training."""
    last = run.history[-1].measures
    for name in ("pixels", "side"):
        wanted = run.outputs[name].metrics.validation["log_loss"]
        assert last[f"val_{name}_loss"] == pytest.approx(wanted, rel=1e-4)
    assert last["val_left_loss"] > 0


def test_masks_and_what_else_is_predicted_are_written(run, home):
    done = dlspec_here("predict", str(run.folder), "photos", "--out", "found", "--intervals", "0.8", cwd=home)
    assert done.returncode == 0, done.stderr
    assert len([*(home / "found").glob("*.png")]) == 60
    table = pd.read_csv(home / "found" / "predictions.csv")
    assert len(table) == 60
    assert {"side", "left", "left low"} <= {*table}
    assert "predictions.csv" in done.stderr


def test_other_pictures_are_judged(run, home):
    found = dlspec.evaluate(run, home).each_output
    assert [*found] == ["pixels", "side", "left"]
    assert found["pixels"].judged == 60


@pytest.mark.slow
def test_stopped_and_continued_is_the_same_to_the_last_bit(home, one_step_at_a_time, monkeypatch):
    monkeypatch.chdir(home)
    weights, history = Training(home / "it.yaml").run()
    stopped = Training(home / "it.yaml")
    assert stopped.run(StopAfter(13)) == (None, None)
    again, rows = Training(home / "it.yaml").run(checkpoint=stopped.saved[-1])
    assert same(weights, again)
    assert [row.loss for row in rows] == [row.loss for row in history]
