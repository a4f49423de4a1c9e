"""Dates of a table as parts of the calendar."""

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.data.datasets import Column
from dlspec.data.features import FEATURES
from dlspec.data.features.time import calendar
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from tests.conftest import problems_of

ROWS = 200


def seconds_of(times):
    return pd.DatetimeIndex(times).to_numpy("datetime64[us]").astype("int64") / 1e6


def make_visits(form="%Y-%m-%d"):
    random = np.random.default_rng(2)
    days = pd.Timestamp("2023-12-30") + pd.to_timedelta(random.integers(0, 500, ROWS), unit="D")
    days += pd.to_timedelta(random.integers(0, 24 * 60, ROWS), unit="min")
    frame = pd.DataFrame({"when": days.strftime(form), "age": random.integers(1, 90, ROWS)})
    frame["stay"] = (10 + 3 * np.sin(days.month / 2) + frame["age"] / 30 + days.hour / 8).round(2)
    return frame


SPEC = (
    "dlspec: 1\nname: visits\ndata:\n  table: visits.csv\n  target: stay\n  features: {when: time, age: numeric}\n"
    "model: [dense: 4, output]\ntrain: {epochs: 2}\n"
)


@pytest.fixture
def load(tmp_path):
    def make(frame, text=SPEC):
        frame.to_csv(tmp_path / "visits.csv", index=False)
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "s.yaml"

    return make


def test_the_calendar_is_that_of_pandas():
    times = pd.date_range("1899-12-25", "2105-03-05", freq="31h7min")
    found = calendar(seconds_of(times), np.floor)
    assert (found["year"] == times.year).all()
    assert (found["month"] + 1 == times.month).all()
    assert (found["day"] + 1 == times.day).all()
    assert (found["day_of_year"] + 1 == times.day_of_year).all()
    assert (found["weekday"] == times.day_of_week).all()
    assert found["hour"] == pytest.approx(times.hour + times.minute / 60, abs=1e-6)
    leap = calendar(seconds_of(["2000-02-29", "1900-03-01", "0001-01-01"]), np.floor)
    assert [leap[part].tolist() for part in ("month", "day", "day_of_year")] == [[1, 2, 0], [28, 0, 0], [59, 59, 0]]


def test_december_lies_beside_january():
    fitted = FEATURES.read({"time": "month"}).fit(
        "t", seconds_of(["2024-01-15", "2024-12-15", "2024-06-15"]), "none", 0
    )
    january, december, june = fitted.encode(seconds_of(["2024-01-15", "2024-12-15", "2024-06-15"]))
    assert np.linalg.norm(january - december) < 0.55 < 1.9 < np.linalg.norm(january - june)


def test_parts_are_those_that_the_training_part_has():
    kind = FEATURES.read("time")
    days = seconds_of(["2024-01-15", "2024-12-15"])
    assert kind.fit("t", days, "standard", "error").parts == ("year", "month", "weekday")
    with_clock = kind.fit("t", days + 3600 * 8, "standard", "error")
    assert with_clock.parts == ("year", "month", "weekday", "hour")
    assert with_clock.width == 7
    assert kind.width(Column("t", "time")) == 5
    years = FEATURES.read({"time": "year"}).fit("t", seconds_of(["2020-05-05", "2030-01-01"]), "standard", "error")
    assert years.encode(seconds_of(["2020-05-05", "2025-01-01"])).tolist() == [[-1], [0]]


def test_all_numbers_of_a_missing_date_are_0():
    fitted = FEATURES.read("time").fit("t", seconds_of(["2024-01-15", "2025-12-15"]), "standard", "median")
    assert fitted.encode(np.array([np.nan])).tolist() == [[0, 0, 0, 0, 0]]


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("form", "parts"),
    [
        ("%Y-%m-%d", ("year", "month", "weekday")),
        ("%d.%m.%Y %H:%M", ("year", "month", "weekday", "hour")),
        ("%Y-%m-%dT%H:%M:%S+09:00", ("year", "month", "weekday", "hour")),
    ],
)
def test_dates_are_read_as_they_are_written_in_training_and_later(load, tmp_path, form, parts):
    run = dlspec.run(load(make_visits(form)), out=tmp_path / "run")
    data = load_data(run.spec)
    assert data.preprocessing.columns[0].parts == parts
    frame = make_visits(form)
    predicted = run.predict(frame)["stay"].to_numpy()
    assert predicted[run.predictions["row"]] == pytest.approx(run.predictions["network"].to_numpy(), rel=1e-4)
    one_by_one = [run.predict(frame.iloc[[row]])["stay"].item() for row in (3, 77)]  # alone it may be read in two ways
    assert one_by_one == pytest.approx(predicted[[3, 77]], abs=1e-4)
    as_times = frame.assign(
        when=pd.to_datetime(frame["when"], format=form.replace("+09:00", "%z"), utc=True).dt.tz_localize(None)
    )
    assert run.predict(as_times)["stay"].to_numpy() == pytest.approx(predicted, abs=1e-4)
    assert " to 2025-" in run.report.read_text(encoding="utf-8")


def test_parquet_knows_times_itself(tmp_path):
    frame = make_visits()
    frame["when"] = pd.to_datetime(frame["when"])
    frame.loc[5, "when"] = pd.NaT
    frame.to_parquet(tmp_path / "v.parquet", index=False)
    text = SPEC.replace("visits.csv", "v.parquet").replace(
        "features: {when: time", "missing: mean\n  features: {when: time"
    )
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert run.predict(frame)["stay"].notna().all()
    dlspec.predict(run, tmp_path / "v.parquet", tmp_path / "out.parquet")
    assert list(pd.read_parquet(tmp_path / "out.parquet")["predicted stay"]) == pytest.approx(
        list(run.predict(frame)["stay"]), abs=1e-5
    )


def test_dates_are_no_features_unless_they_are_named(load):
    text = SPEC.replace("  features: {when: time, age: numeric}\n", "")
    assert list(dlspec.load(load(make_visits(), text)).data.features) == ["age"]
    text = SPEC.replace("{when: time, age: numeric}", "[when, age]")
    assert dlspec.load(load(make_visits(), text)).data.features["when"].type_name == "time"
    many = make_visits()
    many["when"] = "2024-01-0" + (many["age"] % 7 + 1).astype(str)  # words that come again, and yet dates
    assert dlspec.load(load(many, text)).data.features["when"].type_name == "time"
    text = SPEC.replace("when: time", "when: category")
    assert len(load_data(dlspec.load(load(many, text))).preprocessing.columns[0].vocabulary) == 7


def test_the_graph_knows_of_a_clock_as_the_run_does(load):
    path = load(make_visits("%Y-%m-%d %H:%M"))
    assert dlspec.graph(dlspec.load(path)).input_shape == (None, 8)
    assert load_data(dlspec.load(path)).signature.input_shape == (None, 8)


@pytest.mark.parametrize(
    ("value", "message", "help"),
    [
        ("2024-13-01", '`when` has "2024-13-01" in row 8, which is no date', "write dates as year-month-day"),
        ("", "`when` lacks a date in row 8", "write `missing: drop` under `data`"),
    ],
)
def test_a_date_that_does_not_parse_is_named(load, tmp_path, value, message, help):
    frame = make_visits()
    frame.loc[7, "when"] = value
    with pytest.raises(DataError, match=message) as error:
        load_data(dlspec.load(load(frame)))
    assert help in error.value.diagnostics[0].help
    assert error.value.diagnostics[0].span.line == 6


def test_a_form_with_two_readings_is_named(load):
    frame = make_visits()
    frame["when"] = [f"{i % 12 + 1:02}/{i % 11 + 1:02}/2024" for i in range(ROWS)]
    with pytest.raises(DataError, match="may begin with the day or with the month"):
        load_data(dlspec.load(load(frame)))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("{age: time}", "`age` holds numbers, and `time` takes times"),
        ("{when: numeric}", "`when` holds times, and `numeric` takes numbers"),
        ("{when: {time: {parts: [moon]}}}", "moon"),
        ("{when: {time: {parts: []}}}", "parts"),
    ],
)
def test_a_wrong_type_is_named(load, tmp_path, features, message):
    load(make_visits())
    text = SPEC.replace("{when: time, age: numeric}", features)
    (problem,) = [each for each in problems_of(text, tmp_path) if each.code != "dates-at-random"]
    assert message in problem.message
    assert problem.span.line == 6
