"""Several series in one file, gaps in time, and windows that do not begin at every timestep."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.data.arrays import Chosen, reshaped
from dlspec.data.preparation import prepare
from dlspec.data.preparation.lazy import windows_at
from dlspec.data.source_of import source_of
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from dlspec.spec.signature import read_signature
from dlspec.training.values import as_array

DAYS = 120


def quotes(interleaved=True):
    """Three tickers of different length, each with its own level; one begins later."""
    random = np.random.default_rng(2)
    frames = []
    for level, (ticker, first) in enumerate({"ABC": 0, "XYZ": 30, "KLM": 0}.items()):
        days = pd.date_range("2024-01-01", periods=DAYS)[first:]
        close = 100 * (level + 1) + random.normal(0, 1, len(days)).cumsum()
        frames.append(pd.DataFrame({"date": days, "ticker": ticker, "close": close.round(3), "volume": len(days)}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.sort_values("date", kind="stable", ignore_index=True) if interleaved else frame


SPEC = """\
dlspec: 1
name: quotes
data:
  series: quotes.csv
  group: ticker
  target: close
  features: close
  window: {length: 5, horizon: 2}
model: [{lstm: 3}, output]
train: {epochs: 1, batch_size: 16}
"""
CHANGES = ["level", "difference", "return"]


@pytest.fixture
def folder(tmp_path):
    quotes().to_csv(tmp_path / "quotes.csv", index=False)
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def spec_of(folder, **changes):
    return dlspec.load(folder / "spec.yaml", overrides={f"data.{key}": value for key, value in changes.items()})


def data_of(folder, **changes):
    return load_data(spec_of(folder, **changes))


def parts_of(data):
    return [data.train, data.validation, data.test]


def problem_of(folder, **changes):
    with pytest.raises(DataError) as caught:
        data_of(folder, **changes)
    (problem,) = caught.value.diagnostics
    return problem


# --- groups


@pytest.mark.parametrize("interleaved", [True, False], ids=["interleaved", "stacked"])
@pytest.mark.parametrize("change", CHANGES)
def test_windows_hold_rows_of_one_group(folder, change, interleaved):
    frame = quotes(interleaved)
    frame.to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder, predict=change)
    rows = {ticker: own.index.to_numpy() for ticker, own in frame.groupby("ticker")}
    steps = 5 + (change != "level")
    windows = 0
    for part in parts_of(data):
        windows += len(part)
        for i in range(len(part)):
            own = rows[frame["ticker"][part.rows[i]]]
            place = int(np.flatnonzero(own == part.rows[i])[0]) - 2  # the horizon
            closes = frame["close"][own[place - steps + 1 : place + 1]].to_numpy()
            assert np.array_equal(part.raw[i][:, 0], closes)
            assert part.last[i] == closes[-1]
            assert part.truth[i] == frame["close"][part.rows[i]]
            seen = {"level": closes, "difference": np.diff(closes), "return": np.diff(np.log(closes))}[change]
            assert part.inputs[i][:, 0] == pytest.approx(data.preprocessing.inputs(seen[:, None])[:, 0], abs=1e-4)
        assert data.to_units(part.targets, part) == pytest.approx(part.truth, rel=1e-5)
    codes = part_codes(data, frame)
    assert windows == sum(
        max(0, sum(codes[own] == part) - (steps + 1 if part == 0 or codes[own[0]] == part else 1))
        for own in rows.values()
        for part in range(3)
    )


def part_codes(data, frame):
    """The part of every row, by its time."""
    times = np.sort(frame["date"].to_numpy())
    return np.searchsorted([times[round(0.7 * len(times))], times[round(0.85 * len(times))]], frame["date"], "right")


def test_all_groups_are_cut_at_the_same_times(folder):
    frame, data = quotes(), data_of(folder)
    days = [frame["date"][part.rows] for part in parts_of(data)]
    assert days[0].max() < days[1].min()
    assert days[1].max() < days[2].min()
    for part in parts_of(data):
        assert set(frame["ticker"][part.rows]) == {"ABC", "XYZ", "KLM"}


def test_without_times_each_group_is_cut_by_its_rows(folder):
    frame = quotes()
    frame.drop(columns="date").to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder)
    for _, own in frame.groupby("ticker"):
        test = np.intersect1d(own.index, data.test.rows)
        assert np.array_equal(test, own.index[-len(test) :])
        assert len(test) == round(0.15 * len(own)) - 1  # two steps ahead of the last day before


def test_what_is_fitted_and_persistence_go_by_groups(folder):
    frame, data = quotes(), data_of(folder, predict="difference")
    trained = part_codes(data, frame) == 0
    steps, ahead = [], []
    for _, own in frame[trained].groupby("ticker"):
        steps += list(own["close"].diff().dropna())
        ahead += list(own["close"].diff(2).dropna())
    assert data.naive_error == pytest.approx(np.abs(steps).mean())
    for ticker, own in frame[trained].groupby("ticker"):
        assert data.naive_of_series[ticker] == pytest.approx(np.abs(own["close"].diff()).mean())
    assert data.preprocessing.inputs.scale[0] == pytest.approx(1 / np.std(steps))
    assert data.preprocessing.target.scale[0] == pytest.approx(1 / np.std(ahead))


def test_time_runs_forwards_in_each_group(folder):
    frame = quotes()
    xyz = frame.index[frame["ticker"] == "XYZ"]
    frame.loc[xyz[5], "date"] = frame["date"][xyz[4]]
    frame.to_csv(folder / "quotes.csv", index=False)
    problem = problem_of(folder)
    assert problem.code == "time-not-increasing"
    assert f"from row {xyz[4] + 1} (" in problem.message
    assert problem.message.endswith("of `XYZ`")
    alone = problem_of(folder, group=None)
    assert "or write `group: COLUMN`" in alone.help


def test_a_group_that_is_too_short_has_no_windows_and_all_of_them_are_an_error(folder):
    for window in ({"length": 90}, {"length": 5, "horizon": 30}):
        problem = problem_of(folder, window=window)
        assert problem.code == "too-few-rows"
        assert "without a group between" in problem.message
    assert "forecasts go 30 timesteps ahead" in problem.message
    frame = pd.concat([quotes(), pd.DataFrame({"date": ["2024-02-01"], "ticker": "NEW", "close": 7.0, "volume": 1})])
    frame.to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder)
    assert "NEW" not in set(data.groups[np.concatenate([part.rows for part in parts_of(data)])])


def test_a_run_tells_groups_apart(folder):
    run = dlspec.run(spec_of(folder, predict="return"), out=folder / "run")
    frame, table = quotes(), run.predictions
    assert list(table["group"]) == list(frame["ticker"][table["row"]])
    of_ticker = frame.groupby("ticker")["close"]
    assert table["persistence"].to_numpy() == pytest.approx(of_ticker.shift(2)[table["row"]].to_numpy())
    page = run.report.read_text(encoding="utf-8")
    assert "close of ABC" in page
    assert "Shown is ABC, one of 3 series." in page
    whole = run.predict(frame)
    assert list(whole["ticker"]) == list(frame["ticker"][whole.index])
    for ticker in ("ABC", "XYZ"):
        alone = run.predict(frame[frame["ticker"] == ticker])
        assert whole.loc[alone.index, "close+2"].to_numpy() == pytest.approx(alone["close+2"].to_numpy(), rel=1e-6)
        own = table[table["group"] == ticker]
        known = frame.index[frame["ticker"] == ticker]
        made_at = known[np.searchsorted(known, own["row"]) - 2]
        assert alone.loc[made_at, "close+2"].to_numpy() == pytest.approx(own["network"].to_numpy(), rel=1e-5)
    with pytest.raises(DataError, match="no column `ticker`"):
        run.predict(frame[["close"]])
    done = CliRunner().invoke(cli, ["predict", str(run.folder), str(folder / "quotes.csv")])
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == "date,ticker,close,volume,close+2"
    assert len(done.stdout.splitlines()) == len(frame) + 1
    assert sum(not line.endswith(",") for line in done.stdout.splitlines()) == len(whole) + 1


def test_a_series_goes_on_in_other_files(folder):
    frame = quotes()
    days = sorted(frame["date"].unique())
    for name, first, end in (("quotes", 0, 80), ("val", 80, 100), ("test", 100, DAYS)):
        frame[frame["date"].isin(days[first:end])].to_csv(folder / f"{name}.csv", index=False)
    split = {"validation": "val.csv", "test": "test.csv"}
    data = data_of(folder, split=split)
    assert data.times[data.test.rows].min() == days[100 + 1]
    assert data.times[data.validation.rows].min() == days[80 + 1]
    later = data_of(folder, split={"test": "test.csv"})
    assert later.times[later.test.rows].min() == days[100 + 6], "20 days are missing before"
    assert later.times[later.validation.rows].max() == days[79]
    for name in ("quotes", "val", "test"):
        table = pd.read_csv(folder / f"{name}.csv")
        table.drop(columns="date").to_csv(folder / f"{name}.csv", index=False)
    undated = data_of(folder, split=split)  # nothing tells that one file goes on where the other ended
    of_test = undated.groups[undated.test.rows]
    assert {ticker: int((of_test == ticker).sum()) for ticker in ("ABC", "XYZ", "KLM")} == dict.fromkeys(
        ("ABC", "XYZ", "KLM"), 20 - 6
    )
    found = dlspec.validate(folder / "spec.yaml", {"data.split": {"validation": "val.csv"}})
    assert [problem.code for problem in found] == ["wrong-split"]


def test_unlabeled_windows_stay_in_one_group(folder):
    older = quotes()
    older["date"] -= pd.Timedelta(days=200)
    older["close"] += 0.25
    older.to_csv(folder / "older.csv", index=False)
    changes = {"data.unlabeled": {"series": "older.csv"}, "pretrain": {"method": "autoencoder"}}
    data = load_data(dlspec.load(folder / "spec.yaml", overrides=changes))
    assert len(data.unlabeled) == len(older) - 3 * 4
    older.drop(columns="ticker").to_csv(folder / "older.csv", index=False)
    assert "unknown-column" in [p.code for p in dlspec.validate(folder / "spec.yaml", changes)]


# --- gaps


def test_weekends_are_no_gaps_and_missing_months_are(folder):
    days = pd.bdate_range("2024-01-01", periods=160)
    frame = pd.DataFrame({"date": days, "ticker": "ABC", "close": np.arange(160.0)})
    frame.to_csv(folder / "quotes.csv", index=False)
    assert data_of(folder).gaps is None
    holes = frame.drop(index=[*range(40, 52), *range(140, 150)]).reset_index(drop=True)
    holes.to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder)
    assert data.gaps == (2, 2 * 6)  # a window and its target take seven rows
    for part in parts_of(data):
        for i, row in enumerate(part.rows):
            assert part.truth[i] - part.raw[i][0, 0] == 6, "rows follow each other"
            assert holes["close"][row] == part.truth[i]
    whole = data_of(folder, window={"length": 5, "horizon": 2, "gap": "none"})
    assert whole.gaps is None
    assert sum(map(len, parts_of(whole))) == sum(map(len, parts_of(data))) + 12
    assert data_of(folder, window={"length": 5, "horizon": 2, "gap": 100}).gaps is None


@pytest.mark.parametrize("change", CHANGES[1:])
def test_changes_do_not_cross_a_gap(folder, change):
    days = np.array([*range(60), *range(100, 180)])
    close = np.where(days < 100, 100.0, 500.0) + days % 3
    pd.DataFrame({"time": days, "ticker": "ABC", "close": close}).to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder, predict=change)
    largest = {"difference": 2, "return": np.log(102 / 100)}[change]
    seen = np.concatenate([np.asarray(part.inputs, "float64") for part in parts_of(data)])
    assert np.abs(data.preprocessing.inputs.back(seen)).max() == pytest.approx(largest, rel=0.02)
    assert data.naive_error < 2.5


def test_gaps_are_told_in_the_results(folder):
    days = np.array([*range(60), *range(100, 180)])
    frame = pd.DataFrame({"time": days, "ticker": "ABC", "close": np.sin(days / 5)})
    frame.to_csv(folder / "quotes.csv", index=False)
    run = dlspec.run(spec_of(folder), out=folder / "run")
    told = "Left out: 6 windows across a gap in time, a step of more than 10 times the usual one."
    assert told in run.metrics.notes


def test_gaps_need_a_time(folder):
    quotes().drop(columns="date").to_csv(folder / "quotes.csv", index=False)
    found = dlspec.validate(folder / "spec.yaml", {"data.window": {"length": 5, "gap": 20}})
    assert [(problem.code, problem.help) for problem in found] == [
        ("missing-key", "add `time: COLUMN`, or remove `gap`")
    ]
    for fine in ("none", 10):  # as resolved specs have it
        assert dlspec.validate(folder / "spec.yaml", {"data.window": {"length": 5, "gap": fine}}) == []
    for wrong in (0, "never", True):
        found = dlspec.validate(folder / "spec.yaml", {"data.window": {"length": 5, "gap": wrong}})
        assert [problem.code for problem in found] == ["wrong-value"]


# --- windows


def test_a_stride_thins_out_training_windows_alone(folder):
    every, some = data_of(folder), data_of(folder, window={"length": 5, "horizon": 2, "stride": 4})
    per_group = [int((every.groups[every.train.rows] == ticker).sum()) for ticker in ("ABC", "KLM", "XYZ")]
    assert len(some.train) == sum(-(-count // 4) for count in per_group)
    assert np.array_equal(every.test.rows, some.test.rows)
    assert set(some.train.rows) < set(every.train.rows)


def test_windows_are_views_and_never_copies_of_each():
    rows = 1_000_000
    values = np.sin(np.arange(rows) / 9)
    data = "data: {dataset: {sine: {samples: 300}}, window: {length: 100, stride: 3}}"
    spec = dlspec.load(f"dlspec: 1\n{data}\nmodel: [{{lstm: 2}}, output]\n")
    signature, _ = read_signature(spec, source_of(spec.data).describe())
    data = prepare(spec.data, spec.seed, signature, {signature.target.name: values})
    for part in parts_of(data):
        assert isinstance(part.inputs, np.ndarray)
        assert part.inputs.base is not None
    starts = np.delete(np.arange(rows - 99), 500_000)
    view = np.lib.stride_tricks.sliding_window_view(values[:, None], 100, axis=0).swapaxes(1, 2)
    lazy = windows_at(view, starts)
    assert isinstance(lazy, Chosen)
    assert lazy.nbytes == len(starts) * 100 * 8
    assert np.shares_memory(lazy.source, values)


def test_some_windows_do_what_an_array_does():
    rows = np.arange(40.0).reshape(20, 2)
    view = np.lib.stride_tricks.sliding_window_view(rows, 3, axis=0).swapaxes(1, 2)
    starts = np.array([0, 1, 5, 9, 10])
    lazy, array = windows_at(view, starts), view[starts]
    assert (lazy.shape, lazy.dtype, lazy.ndim, len(lazy)) == (array.shape, array.dtype, array.ndim, len(array))
    for places in (2, slice(1, 4), np.array([3, 0]), array[:, 0, 0] > 5):
        assert np.array_equal(lazy[places], array[places])
    assert np.array_equal(np.asarray(lazy), array)
    assert np.array_equal(np.concatenate([lazy, array]), np.concatenate([array, array]))
    assert all(np.array_equal(a, b) for a, b in zip(lazy, array, strict=True))
    assert reshaped(lazy, (3, 2)) is lazy
    assert np.array_equal(reshaped(lazy, (6,))[:], array.reshape(5, -1))


@pytest.mark.parametrize("window", [{}, {"horizon": 12}, {"horizon": 3, "steps": 4}], ids=str)
@pytest.mark.parametrize("more", [{}, {"predict": "return"}, {"split": {"walk_forward": {"folds": 2}}}], ids=str)
def test_the_same_days_are_judged_whatever_the_length_of_the_window(folder, window, more):
    of_length = {length: data_of(folder, window={"length": length, **window}, **more) for length in (2, 9, 30)}
    ahead = window.get("horizon", 1)
    for name in ("validation", "test"):
        rows = {length: set(np.asarray(getattr(data, name).rows)) for length, data in of_length.items()}
        assert rows[2] == rows[9] == rows[30] != set()
        for data in of_length.values():
            part = getattr(data, name)
            earlier = data.train if name == "validation" else data.validation
            latest = data.times[earlier.rows].max() + np.timedelta64(window.get("steps", 1) - 1, "D")
            known = data.times[part.rows] - np.timedelta64(ahead, "D")
            assert known.min() == latest, "nothing that was trained on is later than what is known"


def test_what_is_given_back_lies_wholly_inside_its_part(folder):
    quotes()[lambda frame: frame["ticker"] == "ABC"].to_csv(folder / "quotes.csv", index=False)
    data = data_of(folder, target="input", group=None, features=["close"], window={"length": 5})
    assert data.validation.rows[0] - 4 == round(0.7 * DAYS)
    assert data.test.rows[0] - 4 == round(0.85 * DAYS)


# --- no leak


def with_gaps():
    days = np.array([*range(50), *range(100, 170), *range(300, 360)])
    return pd.DataFrame({"date": days, "ticker": "ABC", "close": (np.sin(days / 5) + 3).round(4), "volume": 1})


@pytest.mark.everyday("groups")
@pytest.mark.parametrize("frame", [quotes(), with_gaps()], ids=["groups", "gaps"])
def test_no_value_of_the_test_or_validation_part_reaches_the_weights(folder, frame):
    """Every value of both parts is changed in the file, and the trained weights stay the same, bit for bit."""

    def trained(name, values):
        values.to_csv(folder / "quotes.csv", index=False)
        overrides = {"data.predict": "difference", "data.features": ["close", "volume"]}
        overrides["pretrain"] = {"method": "autoencoder", "epochs": 1}
        run = dlspec.run(dlspec.load(folder / "spec.yaml", overrides=overrides), out=folder / name)
        return run, [as_array(weight) for weight in run.model.weights]

    untouched, weights = trained("untouched", frame)
    times = np.sort(frame["date"].to_numpy())
    held_out = frame["date"] >= times[round(0.7 * len(times))]
    spoiled = frame.assign(close=frame["close"].where(~held_out, frame["close"] * -9 + 4))
    spoiled["volume"] = spoiled["volume"].where(~held_out, 77)
    spoilt, others = trained("spoilt", spoiled)
    assert all(np.array_equal(a, b) for a, b in zip(weights, others, strict=True))
    assert spoilt.metrics.train == untouched.metrics.train
    assert spoilt.metrics.test != untouched.metrics.test


@pytest.mark.slow
@pytest.mark.parametrize("predict", ["level", "difference", "return"])
def test_many_rows_are_seen_when_they_are_asked_for_and_train_alike(folder, predict, monkeypatch):
    kept = dlspec.run(spec_of(folder, predict=predict), out=folder / "kept")
    monkeypatch.setattr("dlspec.data.preparation.series.KEPT_VALUES", 0)
    spec = spec_of(folder, predict=predict)
    assert not isinstance(load_data(spec).train.inputs, np.ndarray)
    asked = dlspec.run(spec, out=folder / "asked")
    for one, other in zip(kept.model.get_weights(), asked.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert kept.metrics.test == pytest.approx(asked.metrics.test, rel=1e-4)


LONG_IDS = ("1234567890123456789", "1234567890123456790")
"""Which are the same number in float64."""


def alternating(rows=90):
    """Two series that run side by side, one of them a hundred higher."""
    random = np.random.default_rng(0)
    times = np.repeat(np.arange(rows), 2)
    values = np.sin(times / 5) + random.normal(0, 0.05, 2 * rows) + np.tile([0, 100], rows)
    return pd.DataFrame({"t": times, "id": np.tile(np.array(LONG_IDS, "int64"), rows), "v": values.round(4)})


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet"])
def test_long_numbers_that_name_series_keep_them_apart(tmp_path, end):
    frame = alternating()
    write = {
        "csv": lambda path: frame.to_csv(path, index=False),
        "jsonl": lambda path: frame.to_json(path, orient="records", lines=True),
        "parquet": lambda path: frame.to_parquet(path, index=False),
    }[end]
    write(tmp_path / f"s.{end}")
    text = (
        f"dlspec: 1\ndata: {{series: {tmp_path}/s.{end}, time: t, target: v, group: id, features: [v], "
        "window: {length: 4}}\n"
        "model: [flatten, output]\ntrain: {epochs: 1}\n"
    )
    data = load_data(dlspec.load(text))
    assert set(data.groups) == set(LONG_IDS)
    if end == "csv":  # the others name what they read by the same list
        run = dlspec.run(text, out=tmp_path / "run")
        out = tmp_path / "predicted.csv"
        dlspec.predict(run, tmp_path / f"s.{end}", out)
        forecast = pd.read_csv(out)["v+1"].to_numpy()
        assert np.isnan(forecast).tolist() == [True] * 6 + [False] * (len(frame) - 6), "each needs four rows of its own"
        alone = run.predict(frame[frame["id"] == int(LONG_IDS[1])])
        np.testing.assert_allclose(forecast[7::2], alone["v+1"], rtol=1e-5)


def test_long_numbers_that_name_groups_keep_them_apart(tmp_path):
    random = np.random.default_rng(0)
    users = np.repeat(1234567890123456700 + np.arange(40), 5)
    pd.DataFrame({"user": users, "x": random.normal(size=200), "y": random.normal(size=200)}).to_csv(
        tmp_path / "t.csv", index=False
    )
    data = load_data(
        dlspec.load(
            f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y, split: {{group: user}}}}\nmodel: [output]\n"
        )
    )
    assert [column.name for column in data.signature.features] == ["x"]
    parts = [set(users[part.rows]) for part in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == 40
