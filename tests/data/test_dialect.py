"""A guess about how values are written is held against the values; where they leave a choice, it is asked for."""

import os
from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dlspec
from dlspec.data.preparation.times import DATE_FORMS, date_form, to_times
from dlspec.data.sources.formats import Dialect, format_of
from dlspec.data.sources.formats.dialect import PLAIN, numbers_in_dress
from dlspec.language.diagnostics.errors import DataError, SpecError

TIMES = count(10**18, 10**9)


def reading(folder, text, labels=(), **said):
    """The columns of a file; each has a time of its own, as files that are written anew."""
    file = folder / "rows.csv"
    file.write_text(text, encoding=said.get("encoding") or "utf-8")
    os.utime(file, ns=(next(TIMES),) * 2)
    return format_of(file, "rows.csv", None, Dialect(**said))


def values(folder, text, **said):
    return {name: column.tolist() for name, column in reading(folder, text, **said).read(()).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "a;b\n1.5;2\n3.25;7\n": {"a": [1.5, 3.25], "b": [2, 7]},
        "a;b\n1,5;2\n3,25;7\n": {"a": [1.5, 3.25], "b": [2, 7]},
        "a;b\n1.234,5;2\n3,25;7\n": {"a": [1234.5, 3.25], "b": [2, 7]},
        "a;b\n1.234.567;2,5\n3;7\n": {"a": [1234567, 3], "b": [2.5, 7]},
        'a,b\n"1,234,567",2\n"950",7\n': {"a": [1234567, 950], "b": [2, 7]},
        'a,b\n"1,234.5",2\n"950",7\n': {"a": [1234.5, 950], "b": [2, 7]},
        'a,b\n"3,14",2\n"2,7",7\n': {"a": [3.14, 2.7], "b": [2, 7]},
        "a,b\n12%,2\n15.5%,7\n": {"a": [12, 15.5], "b": [2, 7]},
        "a,b\n$1.5,(2)\n$ 3,7\n": {"a": [1.5, 3], "b": [-2, 7]},
        "a,b\n1.5 €,2\n3 €,7\n": {"a": [1.5, 3], "b": [2, 7]},
        "a,b\n\u22121.5,1.5D+02\n3,7\n": {"a": [-1.5, 3], "b": [150, 7]},
        "a\tb\n1 234\t2\n12\t7\n": {"a": [1234, 12], "b": [2, 7]},
        "a,b\n1'234.5,2\n12,7\n": {"a": [1234.5, 12], "b": [2, 7]},
        "a|b\n1|2\n3|4\n": {"a": [1, 3], "b": [2, 4]},
        "temp, C;wind\n1;2\n3;4\n": {"temp, C": [1, 3], "wind": [2, 4]},
        "day,b\n31.12.2016,2\n01.01.2017,7\n": {"day": ["31.12.2016", "01.01.2017"], "b": [2, 7]},
        "ip,b\n192.168.100.200,2\n8.8.8.8,7\n1.1.1.1,7\n": {
            "ip": ["192.168.100.200", "8.8.8.8", "1.1.1.1"],
            "b": [2, 7, 7],
        },
    }.items(),
)  # fmt: skip
def test_numbers_are_read_as_all_values_together_have_them(tmp_path, text, expected):
    assert values(tmp_path, text) == expected


@pytest.mark.parametrize("text", ['a,b\n"1,234",2\n"950",7\n', "a;b\n1.234;2\n2.345;7\n", "a;b\n1,234;2\n950;7\n"])
def test_a_choice_is_asked_for(tmp_path, text):
    with pytest.raises(DataError, match=r"has `1[.,]234`, which may be thousands or a fraction") as error:
        values(tmp_path, text)
    mark = "." if "1.234" in text else ","
    assert error.value.diagnostics[0].help == f'write `thousands: "{mark}"` or `decimal: "{mark}"` under `data`'
    assert values(tmp_path, text, thousands=mark)["a"][0] == 1234
    assert values(tmp_path, text, decimal=mark)["a"][0] == 1.234


def test_a_choice_in_the_first_rows_may_be_settled_by_later_ones(tmp_path):
    rows = "".join(f'"1,{place:03d}",2\n' for place in range(1000))
    assert values(tmp_path, f'a,b\n{rows}"2,5",3\n')["a"][::1000] == [1.0, 2.5]
    assert values(tmp_path, f'a,b\n{rows}"2,000,500",3\n')["a"][::1000] == [1000, 2000500]


def test_numbers_with_several_units_are_refused(tmp_path):
    for text in ("a,b\n12%,2\n0.5,7\n", "a,b\n$5,2\n€7,3\n"):
        with pytest.raises(DataError, match=r"`a` of .* has numbers with"):
            values(tmp_path, text)


def test_rows_without_a_value_say_nothing_of_the_unit(tmp_path):
    found = reading(tmp_path, "a,b\n" + ",1\n0,1\n" * 3 + "12%,2\n" * 3)
    assert np.concatenate([block["a"] for block in found.blocks(2)]).tolist()[-3:] == [12, 12, 12]


def test_what_the_spec_says_of_a_file_holds(tmp_path):
    assert values(tmp_path, "1,2\n3,4\n", header=False) == {"column_1": [1, 3], "column_2": [2, 4]}
    assert values(tmp_path, "1,2\n3,4\n", header=("x", "y")) == {"x": [1, 3], "y": [2, 4]}
    assert values(tmp_path, "é#b\n1#2\n", delimiter="#", encoding="cp1252") == {"é": [1], "b": [2]}
    assert values(tmp_path, "é,b\n1,2\n", encoding="utf-16") == {"é": [1], "b": [2]}
    found = reading(tmp_path, "a,b\n?,-\n-999,x\n3,y\n", na=("?", "-", "-999")).read(["b"])
    assert np.isnan(found["a"][:2]).all()
    assert found["b"].tolist() == ["", "x", "y"]
    with pytest.raises(DataError, match=r"`header` names 1 columns, and the first line of .* has 2"):
        values(tmp_path, "1,2\n3,4\n", header=("x",))


def test_names_that_the_file_has_too_are_no_row(tmp_path):
    with pytest.raises(DataError, match=r"the first line of `rows.csv` has the names of the columns"):
        values(tmp_path, "x,Y\n3,4\n", header=("x", "y"))


MARKS = st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (".", "'"), (".", " ")])


def written(number, decimal, thousands):
    text = f"{number:,.2f}" if thousands else f"{number:.2f}"
    return text.translate({ord(","): thousands, ord("."): decimal})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(-1e7, 1e7).map(lambda number: round(number, 2)), min_size=1, max_size=30),
    MARKS,
    st.sampled_from(",;\t|"),
    st.sampled_from(["", "$", "€", "%"]),
)
def test_what_is_written_is_read(tmp_path, numbers, marks, separator, unit):
    cells = [f"{'' if unit == '%' else unit}{written(number, *marks)}{unit * (unit == '%')}" for number in numbers]
    rows = "".join(f'"{cell}"{separator}x{place}\n' for place, cell in enumerate(cells))
    found = reading(tmp_path, f"a{separator}b\n{rows}")
    assert found.read(())["a"].tolist() == numbers
    assert next(iter(found.blocks(1000)))["a"].tolist() == numbers
    assert numbers_in_dress([row[0] for row in found.rows()], found.signs)[0].tolist() == numbers


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2024-01-31", "2024-02-01"], "ISO8601"),
        (["01/05/2016 2:30 PM", "03/25/2016 1:00 AM"], "%m/%d/%Y %I:%M %p"),
        (["Jan 5 2024", "Feb 6 2024"], "%b %d %Y"),
        (["5 May 2024", "6 May 2024"], "%d %b %Y"),
        (["2024Q1", "2024Q2"], "quarter"),
        (["2024-W05", "2024-W06"], "week"),
        (["31.12.2016", "01.01.2017"], "%d.%m.%Y"),
    ],
)
def test_dates_are_read_in_the_forms_that_people_use(texts, form):
    found = np.array(texts, object)
    assert date_form("when", found) == form
    days = to_times("when", found)
    assert (np.diff(days) > np.timedelta64(0, "s")).all()
    assert (to_times("when", found, forms=(form,)) == days).all()


def test_numbers_are_dates_where_all_of_them_can_be():
    days = np.array([20240130.0, 20240131, 20240201])
    assert to_times("when", days).astype("datetime64[D]").astype(str).tolist() == [
        "2024-01-30",
        "2024-01-31",
        "2024-02-01",
    ]
    counted = np.array([20240130.0, 20240131, 20240132])
    assert to_times("when", counted).tolist() == counted.tolist()
    assert to_times("when", days, dated=False).tolist() == days.tolist()
    assert str(to_times("when", np.array([202401.0, 202402]), forms=("%Y%m",))[1])[:7] == "2024-02"
    assert DATE_FORMS[0] == "ISO8601"
    assert PLAIN.decimal == "."


def test_a_form_of_times_settles_what_comes_first(tmp_path):
    rows = "".join(f"01/02/{1960 + place},{place}\n" for place in range(60))
    (tmp_path / "s.csv").write_text("when,level\n" + rows)
    spec = """\
dlspec: 1
data: {series: s.csv, time: %s, target: level, window: {length: 3}}
model: [flatten, output]
train: {epochs: 1}
"""
    (tmp_path / "asked.yaml").write_text(spec % "when")
    with pytest.raises(DataError, match="may begin with the day or with the month") as error:
        dlspec.run(tmp_path / "asked.yaml", out=tmp_path / "run")
    assert 'time: {column: when, format: "%d/%m/%Y"}' in error.value.diagnostics[0].help
    (tmp_path / "said.yaml").write_text(spec % '{column: when, format: "%m/%d/%Y"}')
    run = dlspec.run(tmp_path / "said.yaml", out=tmp_path / "run")
    assert str(run.predictions["time"].iloc[-1]).startswith("2019-01-02")
    (tmp_path / "new.csv").write_text("when,level\n01/02/2021,1\n01/02/2022,2\n01/02/2023,3\n")
    dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["level+1"].notna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("dataset: iris, decimal: ','", "`decimal` is of files of rows"),
        ("table: a.csv, decimal: ',', thousands: ','", "`decimal` and `thousands` are the same character"),
        ("table: a.csv, encoding: klingon", "there is no encoding `klingon`"),
        ("table: a.csv, delimiter: '::'", "`delimiter` is one character"),
        ("table: a.csv, header: 3", "`header` lists the names of all columns"),
        ("table: a.csv, header: [a, a]", "`header` names a column twice"),
        ("table: a.csv, na: {a: b}", "`na` lists words that stand for a missing value"),
        ("series: a.csv, window: {length: 3}, time: {column: a, format: '%d'}", "`format` has no year"),
    ],
)
def test_keys_about_files_are_checked(said, message):
    with pytest.raises(SpecError, match=message):
        dlspec.load(f"dlspec: 1\ndata: {{{said}}}\nmodel: [output]\n")


def test_a_doubt_is_an_error_of_the_spec_and_an_assumption_a_warning(tmp_path):
    (tmp_path / "doubt.csv").write_text('a,y\n"1,234",2\n"2,345",7\n' * 20)
    (tmp_path / "sure.csv").write_text('a,y\n"1,234",2.5\n"2,345",7\n' * 20)
    found = {}
    for name in ("doubt", "sure"):
        (tmp_path / f"{name}.yaml").write_text(
            f"dlspec: 1\ndata: {{table: {name}.csv, target: y}}\nmodel: [dense: 2, output]\n"
        )
        found[name] = [(d.code, d.severity.value) for d in dlspec.validate(tmp_path / f"{name}.yaml")]
    assert found == {"doubt": [("ambiguous-number", "error")], "sure": [("thousands-assumed", "warning")]}
