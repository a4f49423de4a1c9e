"""How long a training takes by earlier runs: what is told of runs that were timed, and where nothing is told."""

import json
import math
import random

import pytest

import dlspec
from dlspec.runs.timing import expected_time
from dlspec.runtime.timings import MOST, cache_folder, keep_timing, timed_runs
from dlspec.training.speed import PRIOR, TimedRun, TimedStage, expected_seconds, together
from tests.conftest import TINY

RATES = {
    name: rate * factor
    for (name, rate), factor in zip(PRIOR.items(), (2, 3, 0.5, 4, 1, 1, 2, 1, 1, 0.5, 2), strict=True)
}


def seconds(counts):
    return sum(RATES[name] * count for name, count in counts.items())


def some_run(draw, sort):
    epoch = {"steps": 10 ** draw.uniform(1, 3), "timesteps": 0.0, sort: 10 ** draw.uniform(7, 11)}
    if sort == "recurrent":
        epoch["timesteps"] = epoch["steps"] * draw.randrange(10, 80)
    start = {"stages": 1.0, "recurrent_stages": float(sort == "recurrent"), "compiled_stages": 0.0}
    noise = math.exp(draw.gauss(0, 0.1))
    stage = TimedStage(epoch, noise * seconds(epoch), start, noise * seconds(start))
    return TimedRun((stage,), noise * RATES["runs"])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_a_machine_does_is_learned_from_its_runs():
    draw = random.Random(1)
    runs = [some_run(draw, sort) for sort in ("dense", "convolution", "recurrent") for _ in range(8)]
    right = 0
    for sort in ("dense", "convolution", "recurrent"):
        for _ in range(10):
            run = some_run(draw, sort)
            counts = together([(50, run.stages[0].epoch), (1, run.stages[0].start), (1, {"runs": 1.0})])
            told = expected_seconds(counts, runs)
            right += told is not None and 0.67 < told / seconds(counts) < 1.5
    assert right >= 27


def test_of_work_that_it_has_not_done_nothing_is_told():
    draw = random.Random(1)
    runs = [some_run(draw, "dense") for _ in range(8)]
    assert expected_seconds({"steps": 1e3}, []) is None
    assert expected_seconds({"convolution": 1e14}, runs) is None
    assert expected_seconds({"dense": 1e14}, runs) is not None


def test_a_run_is_kept_as_it_is_read(cache):
    run = some_run(random.Random(2), "dense")
    keep_timing("auto", run.as_json())
    assert [TimedRun.of_json(values) for values in timed_runs("auto")] == [run]
    assert timed_runs("gpu") == []
    for number in range(MOST + 5):
        keep_timing("cpu", number)
    assert timed_runs("cpu") == list(range(5, MOST + 5))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"version": 0}', '{"version": 1, "machines": []}', '{"version": 1, "machines": {"x": 5}}',
     "[" * 9999],
)  # fmt: skip
def test_a_file_that_nobody_can_read_is_as_none(cache, text):
    cache.mkdir()
    (cache / "timings.json").write_text(text)
    assert timed_runs("auto") == []
    keep_timing("auto", {"a": 1})
    assert timed_runs("auto") == [{"a": 1}]


@pytest.mark.parametrize(
    "values",
    [{}, {"stages": 3, "rest": None}, {"stages": [{"epoch": {}, "seconds": -1, "start": {}, "extra": 0}], "rest": None},
     {"stages": [{"epoch": {"tea": 3}, "seconds": 1, "start": {}, "extra": 0}], "rest": None}],
)  # fmt: skip
def test_a_run_that_another_program_wrote_is_passed_over(cache, values):
    spec = dlspec.load(next(iter(TINY.values())))
    keep_timing(spec.runtime.device, values)
    assert expected_time(spec, dlspec.plan(spec)) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLSPEC_CACHE", str(tmp_path / "file" / "cache"))
    keep_timing("auto", {"a": 1})
    assert timed_runs("auto") == []


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch, tmp_path):
    monkeypatch.delenv("DLSPEC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "dlspec"


def test_a_run_is_timed_and_the_next_plan_tells_how_long(cache, tmp_path):
    spec = dlspec.load("dlspec: 1\ndata: {dataset: iris}\nmodel: [dense: 4, output]\ntrain: {epochs: 4}\n")
    assert expected_time(spec, dlspec.plan(spec)) is None
    dlspec.run(spec, out=tmp_path / "run")
    (kept,) = json.loads((cache / "timings.json").read_text())["machines"].values()
    (stage,) = kept[0]["stages"]
    assert stage["epoch"]["steps"] == 4
    assert stage["seconds"] > 0
    assert kept[0]["rest"] > 0
    longer = dlspec.load(spec, {"train.epochs": 4000})
    short, long = (expected_time(each, dlspec.plan(each)) for each in (spec, longer))
    assert short is None or 0 < short < long
