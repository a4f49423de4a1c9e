"""Are rows timesteps? Times in many forms, several series in one file, and what is no series."""

import datetime as dt
import random

import pytest

from dlspec.spec.first_spec import look_at, write_start

START = dt.datetime(2015, 1, 1)
DAYS = [START + dt.timedelta(days=i) for i in range(120)]


def write(folder, head, rows):
    (folder / "t.csv").write_text(head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows), "utf-8")
    return look_at("t.csv", folder=folder)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("date", "%Y-%m-%d"), ("Datum", "%d.%m.%Y"), ("when", "%m/%d/%Y %I:%M %p"), ("day", "%Y%m%d"),
        ("ds", "%b %d %Y"),
        ("날짜", "%Y/%m/%d"), ("timestamp", "%Y-%m-%dT%H:%M:%S"), ("x", "%d-%b-%Y"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("newest_first", [False, True])
def test_dates_in_order_make_a_series(tmp_path, name, form, newest_first):
    rows = [(day.strftime(form), i % 7 + 0.5, i) for i, day in enumerate(DAYS)]
    start = write(tmp_path, f"{name},sold,visitors", rows[::-1] if newest_first else rows)
    assert (start.kind, start.time, start.group) == ("series", name, None)


@pytest.mark.parametrize("name", ["year", "time", "t", "ts", "연도"])
def test_numbers_that_are_called_times_make_a_series(tmp_path, name):
    assert write(tmp_path, f"{name},level", [(1900 + i, i % 7) for i in range(60)]).time == name
    assert write(tmp_path, f"size{name},level", [(1900 + i, i % 7) for i in range(60)]).kind == "table"


@pytest.mark.parametrize("by_time", [False, True])
def test_several_series_in_one_file_have_a_group(tmp_path, by_time):
    rows = [(name, day.date(), ord(name) + i % 5) for name in "abc" for i, day in enumerate(DAYS[:60])]
    start = write(tmp_path, "shop,date,sold", sorted(rows, key=lambda row: row[1]) if by_time else rows)
    assert (start.kind, start.time, start.group, start.length) == ("series", "date", "shop", 60)
    assert "group: shop" in write_start(start)


def test_a_panel_of_names_and_years_is_several_series(tmp_path):
    rows = [(country, 1990 + i, country + i % 4, i / 3) for country in range(12) for i in range(20)]
    start = write(tmp_path, "country,year,income,tax", rows)
    assert (start.kind, start.time, start.group) == ("series", "year", "country")


@pytest.mark.parametrize("people", [1, 3])
def test_activities_that_last_and_come_back_are_series_without_times(tmp_path, people):
    rows = [(f"p{who}", i % 13 + who, i % 7, ("walk", "run", "sit")[i // 30 % 3])
            for who in range(people) for i in range(400)]  # fmt: skip
    start = write(tmp_path, "person,x,z,activity", rows)
    assert (start.kind, start.time, start.group) == ("series", None, "person" if people > 1 else None)
    assert (start.task, start.target) == ("class_series", "activity")
    in_blocks = sorted(rows, key=lambda row: row[3])
    assert write(tmp_path, "person,x,z,activity", in_blocks).kind == "table"


@pytest.mark.parametrize("part", ["quarter", "month"])
def test_years_and_quarters_are_one_series(tmp_path, part):
    count = {"quarter": 4, "month": 12}[part]
    rows = [(1980 + i // count, i % count + 1, i % 7, i % 5) for i in range(96)]
    start = write(tmp_path, f"year,{part},gdp,inflation", rows)
    assert (start.kind, start.time, start.group) == ("series", None, None)


def test_a_class_at_each_timestep_is_told(tmp_path):
    rows = [(day.isoformat(), i % 7, i % 5, "run" if i % 40 > 20 else "walk") for i, day in enumerate(DAYS)]
    start = write(tmp_path, "time,x,y,activity", rows)
    assert (start.task, start.target, start.features) == ("class_series", "activity", ("x", "y"))
    assert "horizon: 0" in write_start(start)


def test_a_time_that_comes_twice_is_put_together(tmp_path):
    days = [day.date() for day in [*DAYS[:50], DAYS[49], *DAYS[50:]]]
    start = write(tmp_path, "date,level", [(day, i % 7) for i, day in enumerate(days)])
    assert start.settings == {"duplicates": "mean"}


@pytest.mark.parametrize("kind", ["visits", "shuffled", "few", "holes"])
def test_what_is_no_series(tmp_path, kind):
    draw = random.Random(0)
    days = list(DAYS)
    if kind == "visits":  # at times that are far from even, with words
        passed = START
        days = []
        for _ in range(120):
            passed += dt.timedelta(seconds=draw.expovariate(1 / 90_000) ** 1.3)
            days.append(passed)
    if kind == "shuffled":
        draw.shuffle(days)
    if kind == "few":
        days = days[:20]
    rows = [("" if kind == "holes" and i % 9 == 0 else day, draw.choice("ab"), draw.choice("xyz"), i % 7)
            for i, day in enumerate(days)]  # fmt: skip
    assert write(tmp_path, "date,sex,ward,days", rows).kind == "table"
