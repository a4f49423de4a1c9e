"""`load_data` of tables, however they are written, and every type of feature."""

from __future__ import annotations

import pytest

from tests.ejection.written import MODEL, check_preprocessing, check_rows

ROWS = 48


def drawn(row: int, words: tuple[str, ...]) -> str:
    return words[(7 * row + row // 5) % len(words)]


def people(row: int) -> dict[str, str]:
    """A row of a table, as it is written."""
    return {
        "age": "" if row % 9 == 4 else f"{20 + (13 * row) % 50}",
        "income": f"{1000 + 137.25 * row:.2f}",
        "city": drawn(row, ("Seoul", "New York", "Zürich", "")),
        "member": drawn(row, ("yes", "no")),
        "joined": f"20{10 + row % 14}-{1 + row % 12:02}-{1 + row % 28:02}",
        "said": drawn(row, ("good, really good", "bad", "not so good; bad", "so so", 'a "fine" one')),
        "code": f"{row % 5:03}",
        "paid": f"{0.5 * row + (row % 7):.1f}",
        "kind": drawn(row, ("a", "b", "c")),
    }


def separated(rows, mark=",", quote='"'):
    """Rows as text, values with the mark in quotes."""

    def cell(value):
        return f'"{value.replace(quote, quote * 2)}"' if any(sign in value for sign in f'{mark}"\n') else value

    lines = [mark.join(map(cell, rows[0])), *(mark.join(map(cell, row.values())) for row in rows)]
    return "\n".join(lines) + "\n"


TYPES = {
    "plain": "{income: numeric, age: numeric}",
    "missing": "{age: {numeric: {missing: median, indicator: true}}, income: numeric}",
    "filled": "{age: {numeric: {missing: -1, scale: robust}}, income: {numeric: {scale: min_max}}}",
    "unscaled": "{age: {numeric: {missing: mean, scale: none}}, city: category}",
    "bins": "{income: {numeric: {bins: 5}}, age: {numeric: {bins: 3, missing: mean, indicator: true}}}",
    "category": "{city: category, code: {category: {most: 3}}}",
    "codes": "{code: {category: {codes: true}}}",
    "embedding": "{city: {category: {embedding: 2}}, income: numeric, code: {category: {embedding: 3, most: 2}}}",
    "boolean": "{member: boolean, kind: {boolean: a}, income: numeric}",
    "text": "{said: text, income: numeric}",
    "tf_idf": "{said: {text: {words: 6, ngrams: 2, weights: tf_idf}}}",
    "counts": "{said: {text: {weights: count}}, city: category}",
    "sequence": "{said: {text: {words: 5, length: 4}}}",
    "spaced": "{said: {text: {words: 5, length: 4, tokens: spaced}}}",
    "time": "{joined: time}",
    "parts": "{joined: {time: [year, month, day, day_of_year, weekday, hour]}, city: category}",
}


@pytest.mark.everyday(6)
@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_feature(name, case_of):
    rows = [people(row) for row in range(ROWS)]
    model = MODEL
    if name in ("codes", "sequence", "spaced"):
        model = "model: [embedding: 3, flatten, dense: 4, output]\ntrain: {epochs: 1}\n"
    missing = "\n  missing: drop" if name == "plain" else ""
    if "city" in TYPES[name]:
        missing = "\n  missing: mean"
    case = case_of(
        {"t.csv": separated(rows)}, f"  table: t.csv\n  target: paid\n  features: {TYPES[name]}{missing}", model
    )
    assert not case.fell_back
    check_rows(case)
    check_preprocessing(case)


TARGETS = {
    "number": "paid",
    "numbers": "[paid, income]",
    "two_classes": "member",
    "classes": "kind",
    "digits": "{code: category}",
    "labels": "{member: boolean, other: boolean}",
    "tags": "{tags: tags}",
    "input": "input",
}


@pytest.mark.everyday(5)
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("typed", [False, True], ids=["numbers", "types"])
def test_every_target(name, typed, case_of):
    rows = [
        people(row)
        | {"size": f"{row * 0.25}", "other": "1" if row % 3 else "0", "tags": drawn(row, ("a, b", "b", "", "c,a"))}
        for row in range(ROWS)
    ]
    if typed and name == "input":
        pytest.skip("what a network gives back is numbers")
    features = "{size: numeric, city: category}" if typed else "[size, income]" if name != "numbers" else "[size]"
    data = f"  table: t.csv\n  target: {TARGETS[name]}\n  features: {features}\n  missing: mean"
    case = case_of({"t.csv": separated(rows)}, data)
    assert not case.fell_back
    check_rows(case)
    check_preprocessing(case)


@pytest.mark.everyday("12")
@pytest.mark.parametrize("columns", [12, 60])
def test_many_columns_are_treated_in_a_loop(columns, case_of):
    rows = [
        {f"n{place}": f"{(row * (place + 3)) % 17 + 0.5}" for place in range(columns)}
        | {f"w{place}": drawn(row + place, ("a", "b", "c")) for place in range(9)}
        | {"kind": f"k{row % columns}", "last": f"{row / 3:.3f}"}
        for row in range(4 * columns)
    ]
    case = case_of({"t.csv": separated(rows)}, "  table: t.csv\n  target: kind")
    assert not case.fell_back
    assert "for name in" in case.loading
    assert len(case.text.splitlines()) < 300
    check_rows(case)
    check_preprocessing(case)


def test_whole_numbers_that_float32_does_not_hold(case_of):
    rows = [people(row) | {"income": f"{16_000_001 + 1_000_003 * row}"} for row in range(ROWS)]
    features = "{income: numeric, city: {category: {missing: mean}}}"
    case = case_of({"t.csv": separated(rows)}, f"  table: t.csv\n  target: paid\n  features: {features}")
    assert '"int64"' in case.loading
    check_rows(case)
    check_preprocessing(case)


def test_columns_that_are_called_as_what_is_kept(case_of):
    names = {"age": "target", "income": "inputs", "city": "classes", "joined": "alike"}
    rows = [{names.get(key, key): value for key, value in people(row).items()} for row in range(ROWS)]
    features = (
        "{target: {numeric: {missing: mean}}, inputs: numeric, classes: {category: {missing: mean}}, alike: time}"
    )
    case = case_of({"t.csv": separated(rows)}, f"  table: t.csv\n  target: paid\n  features: {features}")
    check_rows(case)
    check_preprocessing(case)
