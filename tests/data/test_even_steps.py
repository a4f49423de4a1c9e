"""A series with holes, repeated times and uneven steps: what is done about each, and that it is taken for no truth."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.even_steps import Filling, Policy, Resample, duration
from dlspec.data.preparation.evening import even_out
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.job import load_data

NAN = float("nan")
HOURS = pd.date_range("2020-01-01", periods=400, freq="h")


def hourly(holes=(), **columns):
    """A series of two columns, `y` with holes."""
    rng = np.random.default_rng(0)
    y = 10 + 3 * np.sin(np.arange(400) / 6) + rng.normal(0, 0.2, 400)
    frame = pd.DataFrame({"time": HOURS, "y": y, "x": rng.normal(size=400)}).assign(**columns)
    frame.loc[list(holes), "y"] = NAN
    return frame


def data_of(folder, frame, settings="", window="{length: 8}"):
    frame.to_csv(folder / "s.csv", index=False)
    text = f"dlspec: 1\nname: s\ndata:\n  series: s.csv\n  time: time\n  target: y\n  window: {window}\n{settings}"
    (folder / "s.yaml").write_text(text + "model: [{gru: 3}, output]\ntrain: {epochs: 1}\n", encoding="utf-8")
    return load_data(dlspec.load(folder / "s.yaml"))


def samples(data):
    return sum(map(len, (data.train, data.validation, data.test)))


# --- values


def evened(values, missing, limit=None, groups=None, times=None):
    how = missing if limit is None else Filling(how=missing, limit=limit)
    columns = {"y": np.array(values, float)}
    return even_out(columns, times, None if groups is None else np.array(groups, object), Policy(how))


@pytest.mark.parametrize(
    ("missing", "limit", "values", "expected"),
    [
        ("previous", None, [1, NAN, NAN, 4], [1, 1, 1, 4]),
        ("previous", None, [NAN, 2, NAN, 4], [2, 2, 4]),  # nothing lies before the first
        ("previous", 1, [1, NAN, NAN, 4, NAN, 6], [1, 4, 4, 6]),
        ("interpolate", None, [1, NAN, NAN, 4], [1, 2, 3, 4]),
        ("interpolate", None, [1, NAN, 4, NAN], [1, 2.5, 4]),  # nothing lies behind the last
        (0.0, None, [NAN, 2, NAN], [0, 2, 0]),
        ("drop", None, [1, NAN, 3], [1, 3]),
    ],
)
def test_holes_are_filled_as_the_spec_says(missing, limit, values, expected):
    assert evened(values, missing, limit).columns["y"].tolist() == expected


def test_no_hole_is_filled_from_another_series():
    found = evened([1, 10, NAN, NAN, 3, 30], "previous", groups=["a", "b", "b", "a", "a", "b"])
    assert found.columns["y"].tolist() == [1, 10, 10, 1, 3, 30]
    found = evened([NAN, 10, 2, NAN], "interpolate", groups=["a", "b", "a", "b"])
    assert found.columns["y"].tolist() == [10, 2]


def test_a_line_between_values_follows_time():
    times = np.array([0.0, 1.0, 10.0])
    assert evened([0, NAN, 10], "interpolate", times=times).columns["y"].tolist() == [0, 1, 10]


def test_a_series_is_cut_where_rows_were_left_out():
    found = evened([1, NAN, NAN, 4, 5], "previous", 1)
    assert found.cut.tolist() == [False, True, False]
    assert found.origin.tolist() == [0, 3, 4]


@pytest.mark.parametrize(("how", "expected"), [("mean", 2), ("sum", 4), ("first", 1), ("last", 3), ("max", 3)])
def test_rows_in_one_step_become_one(how, expected):
    times = np.array(["2020-01-01T00:10", "2020-01-01T00:50", "2020-01-01T02:00"], "datetime64[us]")
    columns = {"y": np.array([1.0, 3.0, 5.0]), "word": np.array(["a", "b", "c"], object)}
    found = even_out(columns, times, None, Policy(resample=Resample(every="1 h", how=how)))
    assert found.times.astype(str).tolist() == [f"2020-01-01T0{hour}:00:00.000000" for hour in range(3)]
    np.testing.assert_array_equal(found.columns["y"], [expected, NAN, 5])
    assert found.columns["word"].tolist() == ["b", "", "c"]
    assert found.origin.tolist() == [1, -1, 2]
    assert found.counts == {"repeated": 1, "steps": 1}


@pytest.mark.parametrize(
    ("every", "times", "expected"),
    [
        ("1 w", ["2024-01-01", "2024-01-07", "2024-01-08"], ["2024-01-01", "2024-01-08"]),  # weeks begin on Mondays
        ("1 month", ["2024-01-31", "2024-02-01", "2024-02-29"], ["2024-01-01", "2024-02-01"]),
        ("1 quarter", ["2024-01-31", "2024-04-01"], ["2024-01-01", "2024-04-01"]),
        ("1 d", ["1969-12-31T23:00", "1970-01-01T01:00"], ["1969-12-31", "1970-01-01"]),
    ],
)
def test_steps_begin_where_the_calendar_has_them(every, times, expected):
    given = np.array(times, "datetime64[us]")
    found = even_out({"y": np.ones(len(given))}, given, None, Policy(resample=Resample(every=every)))
    assert found.times.astype("datetime64[D]").astype(str).tolist() == expected


@pytest.mark.parametrize(("how", "expected"), [("first", [1, 3]), ("last", [2, 3]), ("mean", [1.5, 3])])
def test_rows_with_the_same_time_become_one(how, expected):
    found = even_out({"y": np.array([1.0, 2.0, 3.0])}, np.array([0.0, 0.0, 1.0]), None, Policy(duplicates=how))
    assert found.columns["y"].tolist() == expected
    assert found.counts == {"repeated": 1}


def test_the_same_time_in_two_series_is_no_repeat():
    groups = np.array(["a", "b"], object)
    found = even_out({"y": np.array([1.0, 2.0])}, np.array([0.0, 0.0]), groups, Policy(duplicates="first"))
    assert found.columns["y"].tolist() == [1, 2]


def test_steps_that_make_no_sense_are_refused():
    times = np.array(["2000-01-01", "2020-01-01"], "datetime64[us]")
    with pytest.raises(DataError, match="steps of 2 rows"):
        even_out({"y": np.ones(2)}, times, None, Policy(resample=Resample(every="1 s")))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1 h", (3600, "s")), ("15min", (900, "s")), ("d", (86400, "s")), ("2 years", (24, "month")), ("0 h", None),
     ("hour 1", None), ("-1 h", None)],
)  # fmt: skip
def test_steps_in_time_are_read(text, seconds):
    assert duration(text) == seconds


# --- windows


def test_no_window_leads_to_a_value_that_was_filled_in(tmp_path):
    holes = [5, 6, 50, 51, 200, 380, 399]
    whole = data_of(tmp_path, hourly())
    data = data_of(tmp_path, hourly(holes), "  missing: previous\n")
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows])
    assert not {*holes} & {*rows.tolist()}
    assert samples(data) == samples(whole) - len([row for row in holes if row >= 8])
    assert np.isfinite(np.asarray(data.train.inputs)).all()
    assert data.evened == {"filled y": 7}


@pytest.mark.parametrize("settings", ["missing: previous", "missing: drop", "resample: 2 h", "duplicates: last"])
def test_a_test_part_in_a_file_of_its_own_is_brought_to_even_steps_by_itself(tmp_path, settings):
    frame = hourly([40, 41, 350]) if "missing" in settings else hourly()
    doubled = frame.iloc[[*range(310), 309, *range(310, 400)]] if "duplicates" in settings else frame
    doubled[300:].to_csv(tmp_path / "test.csv", index=False)
    data = data_of(tmp_path, frame[:300], f"  split: {{validation: 0.1, test: test.csv}}\n  {settings}\n")
    last = 1 if "resample" in settings else 0
    assert data.times[data.test.rows[-1]] == np.datetime64(HOURS[399 - last])
    assert data.origin[data.test.rows[0]] >= 300
    assert samples(data) > (150 if last else 300)


def test_no_window_ends_in_a_value_that_was_filled_in_from_what_comes_after(tmp_path):
    data = data_of(tmp_path, hourly([100]), "  missing: interpolate\n")
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows]).tolist()
    assert 100 not in rows
    assert 101 not in rows  # its window ends in row 100
    assert 102 in rows


def test_a_label_that_was_filled_in_is_no_truth_at_the_last_timestep_either(tmp_path):
    labels = np.array(["walk", "run"], object)[np.arange(400) // 20 % 2]
    labels[[33, 120, 390]] = None
    frame = hourly(activity=labels)
    data_of(tmp_path, frame)
    text = (
        (tmp_path / "s.yaml")
        .read_text()
        .replace("target: y", "target: activity\n  features: [x, y]\n  missing: previous")
    )
    (tmp_path / "s.yaml").write_text(text.replace("{length: 8}", "{length: 8, horizon: 0}"))
    data = load_data(dlspec.load(tmp_path / "s.yaml"))
    rows = np.concatenate([data.train.rows, data.validation.rows, data.test.rows]).tolist()
    assert not {33, 120, 390} & {*rows}
    assert {32, 34, 121, 391} <= {*rows}


def test_steps_without_a_row_are_told_where_nothing_is_said_of_missing_values(tmp_path):
    frame = hourly()
    with pytest.raises(DataError, match="`resample` leaves 3 of 400 steps of `y` without a value"):
        data_of(tmp_path, frame.drop([50, 51, 200]), "  resample: 1 h\n")


def test_a_window_of_every_third_row_reaches_as_far_back(tmp_path):
    frame = hourly()
    data = data_of(tmp_path, frame, window="{length: 4, every: 3, horizon: 2}")
    row = int(data.train.rows[0])
    assert row == 3 * 3 + 2
    raw = np.asarray(data.train.raw)[0]
    np.testing.assert_allclose(raw[:, 0], frame["y"].to_numpy()[[0, 3, 6, 9]])


def test_a_file_with_the_newest_row_first_is_read_from_the_oldest(tmp_path):
    frame = hourly()
    forwards, back = data_of(tmp_path, frame), data_of(tmp_path, frame[::-1])
    np.testing.assert_array_equal(np.asarray(forwards.train.inputs), np.asarray(back.train.inputs))
    assert back.turned
    assert back.origin[back.test.rows].tolist() == (399 - forwards.test.rows).tolist()
    with pytest.raises(DataError, match="does not increase"):
        data_of(tmp_path, frame.sample(frac=1, random_state=0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("  missing: median\n", "for single samples"),
        ("  resample: 3\n", "times are dates"),
        ("  resample: soon\n", "a step in time"),
        ("  missing: nearest\n", "of a series also `previous`"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, settings, message):
    with pytest.raises((DataError, SpecError), match=message):
        data_of(tmp_path, hourly([3]), settings)


def test_a_table_has_no_neighbours_to_fill_from(tmp_path):
    hourly([3])[["y", "x"]].to_csv(tmp_path / "t.csv", index=False)
    text = "dlspec: 1\nname: t\ndata: {table: t.csv, target: x, missing: previous}\nmodel: [output]\n"
    (tmp_path / "t.yaml").write_text(text)
    assert [problem.code for problem in dlspec.validate(tmp_path / "t.yaml")] == ["only-for-series"]


# --- a whole run


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("settings", "frame", "said"),
    [
        ("  missing: previous\n", hourly([40, 41, 200, 390]), "4 missing values of"),
        ("  missing: {how: interpolate, limit: 2}\n", hourly([40, 200, 201, 202, 390]), "3 rows were left out"),
        ("  resample: 2 h\n", hourly(), "steps of 2 h"),
    ],
)
def test_predictions_of_the_file_are_those_of_the_run(tmp_path, settings, frame, said):
    data_of(tmp_path, frame, settings, window="{length: 6, every: 2}")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert said in (run.folder / "report.html").read_text(encoding="utf-8")
    own = pd.read_csv(run.folder / "predictions.csv")
    found = run.predict(frame)["y+1"]
    step = 2 if "resample" in settings else 1  # a forecast stands beside the last row that it takes
    expected = found.reindex([row - step for row in own["row"]]).to_numpy()
    np.testing.assert_allclose(expected, own["network"], rtol=1e-5)
