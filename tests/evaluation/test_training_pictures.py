"""Pictures of a network while it is trained: what is in them, that they are few enough, and change nothing."""

import json

import numpy as np
import pytest

import dlspec
from dlspec.evaluation.pictures import training
from dlspec.runs.kept_pictures import MOST, KeptPictures, from_quantized, quantized
from dlspec.runs.listener import KeepPictures, Listener
from dlspec.runs.records.events import read_events
from dlspec.training.picture import Picture
from tests.conftest import TINY_DIGITS, TINY_SERIES, TINY_SPIRALS

SPECS = {"spirals": TINY_SPIRALS, "digits": TINY_DIGITS, "series": TINY_SERIES}
KINDS = {
    "spirals": {"plane"},
    "digits": {"filters", "activations", "reconstructions"},
    "series": {"activations", "reconstructions", "forecasts"},
}


class Taking(Listener):
    """Takes every picture."""

    def __init__(self):
        self.pictures = []

    def wants_pictures(self):
        return True

    def keeps_pictures(self):
        return True

    def picture(self, picture):
        self.pictures.append(picture)


@pytest.fixture(
    scope="module", params=["spirals", *(pytest.param(name, marks=pytest.mark.slow) for name in ("digits", "series"))]
)
def watched(request, tmp_path_factory):
    """A run with a picture after every epoch, and the same run without any."""
    place, taking = tmp_path_factory.mktemp(request.param), Taking()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SHARE", 1e9)
        with_pictures = dlspec.run(SPECS[request.param], out=place / "with", listener=taking)
    without = dlspec.run(SPECS[request.param], out=place / "without")
    return request.param, taking.pictures, with_pictures, without


def test_weights_are_the_same_with_and_without_pictures(watched):
    _, pictures, with_pictures, without = watched
    assert pictures
    ours, theirs = (dict(np.load(run.folder / "layers.npz")) for run in (with_pictures, without))
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name], err_msg=name)
    assert not (without.folder / "pictures").exists()


def test_every_kind_is_told_with_its_stage_and_epoch(watched):
    name, pictures, run, _ = watched
    assert {picture.kind for picture in pictures} == KINDS[name]
    epochs = {(row.stage, row.epoch) for row in run.history}
    assert {(picture.stage, picture.epoch) for picture in pictures} == epochs


def test_a_run_keeps_what_its_events_name(watched):
    _, pictures, run, _ = watched
    events = [event for event in read_events(run.folder) if event["event"] == "picture"]
    assert len(events) == len(pictures)
    for event, picture in zip(events, pictures, strict=True):
        kept = json.loads((run.folder / event["file"]).read_text())
        assert (kept["kind"], kept["epoch"], kept["layer"]) == (picture.kind, picture.epoch, picture.layer)
        for field, values in picture.arrays.items():
            step = (kept[field]["high"] - kept[field]["low"]) / 255
            np.testing.assert_allclose(from_quantized(kept[field]), values, atol=step / 2 + 1e-7)


def test_the_plane_shows_what_the_network_says_and_how_units_respond(watched):
    name, pictures, run, _ = watched
    if name != "spirals":
        assert all(picture.kind != "plane" for picture in pictures)
        return
    last = pictures[-1]
    x, y = last.axes["x"], last.axes["y"]
    assert x["name"] != y["name"]
    assert x["low"] < x["high"]
    size = training.GRID
    columns = np.linspace(x["low"], x["high"], size)
    rows = np.linspace(y["low"], y["high"], size)
    asked = [(0, 0), (7, 40), (size - 1, 3)]
    found = run.predict({x["name"]: [columns[j] for _, j in asked], y["name"]: [rows[i] for i, _ in asked]})
    shares = np.array([last.fields["probabilities"][i, j] for i, j in asked])
    said = np.stack([found[f"{run.data.target.name}={name}"] for name in last.fields["classes"]], axis=1)
    np.testing.assert_allclose(shares, said, atol=1e-4)
    assert last.fields["units"][0]["responses"].shape == (6, size // 2, size // 2)
    first = last.fields["connections"][0]
    trained = np.load(run.folder / "layers.npz")
    assert any(np.array_equal(first["kernel"], trained[key]) for key in trained.files)


def test_frames_of_a_bent_plane_are_aligned():
    random = np.random.default_rng(0)
    points = random.normal(size=(50, 2))
    turned = points @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 1e-3 * random.normal(size=(50, 2))
    taking = training.TrainingPictures.__new__(training.TrainingPictures)
    taking._frames = {}
    taking._aligned("a", points, points, keeps_first=False)
    _, again = taking._aligned("a", turned, turned, keeps_first=False)
    np.testing.assert_allclose(again, points, atol=0.02)
    mirrored = again * [1, -1]
    lines, kept = taking._aligned("a", mirrored, mirrored, keeps_first=True)
    np.testing.assert_allclose(kept, again)
    np.testing.assert_array_equal(lines, kept)


def test_pictures_take_a_tenth_of_the_time_at_most(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(training.time, "perf_counter", lambda: clock[0])
    told = []

    class Slow(training.TrainingPictures):
        def __init__(self):
            self._began, self._spent, self._failed = 0.0, 0.0, False

        def _taken(self, stage, epoch):
            clock[0] += 0.2
            yield epoch

        tell = staticmethod(told.append)

    class Stage:
        epochs = 100

    taking, clock[0] = Slow(), 1.0
    taking.stage_begins(Stage, ())
    for epoch in range(1, 101):
        clock[0] += 0.1
        taking.epoch_ends(Stage, epoch)
    training_time = 0.1 * 100
    assert 0.05 * training_time < taking._spent <= 0.1 * training_time + 0.2
    assert told[0] <= 3
    assert told[-1] > 80


def test_a_picture_that_fails_is_told_and_ends_no_training():
    notes = []

    class Broken(training.TrainingPictures):
        def __init__(self):
            self._began, self._spent, self._failed, self._last = 1e-9, 0.0, False, 0.0
            self.note = notes.append

        def _taken(self, stage, epoch):
            raise ValueError("a shape that nobody expected")
            yield

    class Stage:
        epochs = 2

    taking = Broken()
    taking.epoch_ends(Stage, 1)
    taking.epoch_ends(Stage, 2)
    assert notes == ["no more pictures are taken: ValueError: a shape that nobody expected"]


def test_a_long_course_is_thinned_and_a_resumed_one_goes_on(tmp_path):
    kept = KeptPictures(tmp_path, ["fine_tune"])
    there = set()

    def keep(to, epoch):
        told = to.keep(Picture("filters", "fine_tune", epoch, "", "h1", {}, {"filters": np.eye(3)[None]}))
        if told is not None:
            there.add(told["file"])
            there.difference_update(told["removed"])

    for epoch in range(1, 501):
        keep(kept, epoch)
    found = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "pictures").iterdir()}
    assert found == there
    assert MOST // 2 - 2 <= len(found) <= MOST
    epochs = sorted(int(name[-11:-5]) for name in found)
    assert epochs[0] == 1
    assert epochs[-1] > 450
    assert max(np.diff(epochs)) <= 2 * min(np.diff(epochs)[1:-1])
    keep(KeptPictures(tmp_path, ["fine_tune"]), 240)  # of a run that goes on from an earlier checkpoint
    assert max(int(name[-11:-5]) for name in there) == 240
    assert {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "pictures").iterdir()} == there


@pytest.mark.parametrize("levels", ["u1", "u2"])
def test_numbers_come_back_within_half_a_level(levels):
    values = np.array([[-3.0, 0.25], [8.0, 1e-3]])
    written = quantized(values, levels)
    level = 11 / (255 if levels == "u1" else 65535)
    np.testing.assert_allclose(from_quantized(written), values, atol=level / 2 + 1e-12)
    assert from_quantized(quantized(np.full(3, 2.5), levels)).tolist() == [2.5] * 3


def test_only_a_listener_that_asks_makes_the_run_take_pictures():
    assert not Listener().wants_pictures()
    assert KeepPictures().keeps_pictures()
    assert not KeepPictures().wants_pictures()  # the events of the run take them


def test_no_picture_is_of_the_test_part(watched):
    name, pictures, run, _ = watched
    if name != "series":
        return
    rows = {row for picture in pictures if picture.kind == "forecasts" for row in picture.fields["rows"]}
    tested = {int(row) for row in np.genfromtxt(run.folder / "predictions.csv", delimiter=",", names=True)["row"]}
    assert rows
    assert not rows & tested
