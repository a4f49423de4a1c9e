"""`load_data` of series, even and not, and what a network sees of their windows."""

from __future__ import annotations

import math
import re

import pytest

from tests.ejection.test_tables import separated
from tests.ejection.written import check_preprocessing, check_rows

STEPS = 90
MODEL = "model: [flatten, output]\ntrain: {epochs: 1}\n"


def tenth(step):
    return f"20{10 + step // 36:02}-{1 + step // 3 % 12:02}-{1 + 9 * (step % 3):02}"


def fourth(step):
    return f"20{10 + step // 84:02}-{1 + step // 7 % 12:02}-{1 + 4 * (step % 7):02}"


def hour(step):
    return f"2024-03-{1 + step // 24:02} {step % 24:02}:00"


def series(change=lambda row, step: [row], steps=STEPS, when=hour):
    """A series as text; `change` makes rows of a row."""
    rows = []
    for step in range(steps):
        row = {
            "time": when(step),
            "a": f"{5 + math.sin(step / 5):.4f}",
            "b": f"{20 + step % 7 + step / 10:.2f}",
            "state": ("up", "down", "flat")[(step // 4) % 3],
        }
        rows += change(row, step)
    return separated(rows)


def holes(row, step):
    empty = {"a"} if step % 13 == 5 else {"b"} if step % 17 in (3, 4) else {"a", "b"} if step in (0, 1) else set()
    return [{name: "" if name in empty else value for name, value in row.items()}]


def twice(row, step):
    return [row, row | {"a": "6.5", "b": ""}] if step % 10 == 4 else [row]


def irregular(row, step):
    if step % 11 in (3, 4):
        return []
    late = row["time"].replace(":00", ":30")
    return [row, row | {"time": late, "a": f"{float(row['a']) + 0.3:.4f}"}] if step % 3 == 0 else [row]


def grouped(change=lambda row, step: [row]):
    def both(row, step):
        first = [own | {"place": "south"} for own in change(row, step)]
        other = row | {"a": f"{float(row['a']) + 2:.4f}"}
        return first + [own | {"place": "north"} for own in change(other, step + 5)]

    return both


def number(row, step):
    return [row | {"time": f"{step * 0.5}"}]


PLAIN = "  series: t.csv\n  time: time\n  target: a\n  features: [a, b]\n  window: {length: 4, horizon: 1}"
GROUPED = PLAIN + "\n  group: place\n  split: {validation: 0.2, test: 0.2}"
CASES = {
    "plain": (series(), PLAIN),
    "one column": (series(), PLAIN.replace("[a, b]", "[b]").replace("target: a", "target: b")),
    "differences of another column": (series(), PLAIN.replace("[a, b]", "[b]") + "\n  predict: difference"),
    "returns": (series(), PLAIN + "\n  predict: return\n  scale: min_max"),
    "several ahead": (
        series(),
        PLAIN.replace("horizon: 1", "horizon: 2, steps: 3, every: 2") + "\n  predict: difference",
    ),
    "several targets": (series(), PLAIN.replace("target: a", "target: [b, a]") + "\n  scale: none"),
    "its own input": (series(), PLAIN.replace("target: a", "target: input").replace(", horizon: 1", "")),
    "classes": (series(), PLAIN.replace("target: a", "target: state").replace("horizon: 1", "horizon: 0")),
    "newest first": ("\n".join([series().split("\n")[0], *series().strip().split("\n")[:0:-1]]) + "\n", PLAIN),
    "without times": (series(), PLAIN.replace("  time: time\n", "")),
    "groups": (series(grouped()), GROUPED),
    "groups with returns": (series(grouped()), GROUPED + "\n  predict: return"),
    "dropped": (series(holes), PLAIN + "\n  missing: drop"),
    "previous": (series(holes), PLAIN + "\n  missing: previous"),
    "previous, without times": (series(holes), PLAIN.replace("  time: time\n", "") + "\n  missing: previous"),
    "a number": (series(holes), PLAIN + "\n  missing: 3.5"),
    "interpolated": (series(holes), PLAIN + "\n  missing: interpolate"),
    "interpolated, without times": (
        series(holes),
        PLAIN.replace("  time: time\n", "") + "\n  missing: interpolate",
    ),
    "short holes": (series(holes), PLAIN + "\n  missing: {how: previous, limit: 1}"),
    "short holes interpolated": (series(holes), PLAIN + "\n  missing: {how: interpolate, limit: 1}"),
    "classes with holes": (
        series(holes),
        PLAIN.replace("target: a", "target: state").replace("horizon: 1", "horizon: 0") + "\n  missing: previous",
    ),
    "groups with holes": (series(grouped(holes)), GROUPED + "\n  missing: previous"),
    "groups interpolated": (series(grouped(holes)), GROUPED + "\n  missing: interpolate"),
    "short holes in groups": (series(grouped(holes)), GROUPED + "\n  missing: {how: interpolate, limit: 1}"),
    "weeks in groups": (
        series(grouped(holes), 400, fourth),
        GROUPED + "\n  resample: 1 w\n  missing: interpolate",
    ),
    "classes that are NA": (
        series(holes).replace("up", "NA"),
        PLAIN.replace("target: a", "target: state").replace("horizon: 1", "horizon: 0") + "\n  missing: previous",
    ),
    "numbers in groups by steps": (
        series(grouped(number)),
        GROUPED.replace("window: {length: 4, horizon: 1}", "window: {length: 2, horizon: 1}") + "\n  resample: 2",
    ),
    "the first of two": (series(twice), PLAIN + "\n  duplicates: first\n  missing: drop"),
    "the mean of two": (series(twice), PLAIN + "\n  duplicates: mean"),
    "the last of two in groups": (series(grouped(twice)), GROUPED + "\n  duplicates: last"),
    "hours": (series(irregular), PLAIN + "\n  resample: 1 h\n  missing: previous"),
    "three hours": (series(irregular, 300), PLAIN + "\n  resample: {every: 3 h, how: sum}"),
    "days in words": (
        series(irregular, 900, lambda step: f"2024-{1 + step // 600:02}-{1 + step // 24 % 25:02} {step % 24:02}:00"),
        PLAIN.replace("target: a", "target: state").replace("horizon: 1", "horizon: 0")
        + "\n  resample: 1 d\n  missing: previous",
    ),
    "weeks": (series(when=fourth, steps=420),
              PLAIN + "\n  resample: {every: 1 w, how: median}\n  missing: previous"),
    "months": (series(when=tenth, steps=200),
               PLAIN + "\n  resample: {every: 1 month, how: max}"),
    "quarters": (series(when=tenth, steps=400),
                 PLAIN + "\n  resample: 1 quarter"),
    "two months": (series(when=tenth, steps=400),
                   PLAIN + "\n  resample: 2 months"),
    "groups by the hour": (series(grouped(irregular)), GROUPED + "\n  resample: 1 h\n  missing: previous"),
    "classes interpolated": (
        series(holes),
        PLAIN.replace("target: a", "target: state").replace("horizon: 1", "horizon: 0") + "\n  missing: interpolate",
    ),
    "long names": (
        series(grouped(twice)).replace("time", "when it was measured", 1).replace("place", "where it was measured", 1),
        GROUPED.replace("time: time", "time: when it was measured").replace("place", "where it was measured")
        + "\n  duplicates: mean\n  missing: interpolate",
    ),
    "steps of numbers": (series(number), PLAIN + "\n  resample: 2"),
    "steps of numbers interpolated": (
        series(lambda row, step: [holes(number(row, step)[0], step)[0]]),
        PLAIN + "\n  resample: 0.75\n  missing: interpolate",
    ),
    "interpolated by numbers": (
        series(lambda row, step: [holes(number(row, step)[0], step)[0]] if step % 6 else []),
        PLAIN + "\n  missing: interpolate",
    ),
    "large whole numbers": (
        series(lambda row, step: [row | {"a": f"{16_000_001 + 7 * step}", "b": f"{step}"}]),
        PLAIN,
    ),
}  # fmt: skip
READ_BY_DLSPEC = {"two months", "numbers in groups by steps"}
"""Of these, the rows are kept beside the script."""


@pytest.mark.everyday(15)
@pytest.mark.parametrize("name", CASES)
def test_series_are_read_as_dlspec_reads_them(name, case_of):
    text, data = CASES[name]
    case = case_of({"t.csv": text}, data, MODEL)
    assert case.fell_back == (name in READ_BY_DLSPEC), case.loading
    check_rows(case)
    if not {"missing", "resample", "duplicates"} & {*re.findall(r"\w+", data)}:  # which the network knows nothing of
        check_preprocessing(case)
