"""`load_data` of tables and series, however their files are written: the same values, or it says that it reads none."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from tests.ejection.test_tables import MODEL, ROWS, drawn, people, separated
from tests.ejection.written import check_rows

CITY = "{category: {missing: mean}}"
FEATURES = f"\n  features: {{age: {{numeric: {{missing: median}}}}, income: numeric, city: {CITY}, joined: time}}"


def table(change=lambda row, place: row, mark=","):
    return separated([change(people(place), place) for place in range(ROWS)], mark)


def decimals(row, place):
    return {k: v.replace(".", ",") if k in ("income", "paid") else v for k, v in row.items()}


def money(row, place):
    return row | {"income": f"${float(row['income']) * 100:,.2f}", "paid": f"{row['paid']} €"}


def german(row, place):
    whole = f"{1000 * float(row['income']):,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    return decimals(row, place) | {"income": whole}


def renamed(**names):
    return lambda row, place: {names.get(key, key): value for key, value in row.items()}


def as_json_lines(objects):
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in objects)


def objects():
    for place in range(ROWS):
        row = people(place)
        found = {**row, "income": float(row["income"]), "paid": float(row["paid"]), "member": row["member"] == "yes"}
        found["age"] = int(row["age"]) if row["age"] else None
        found["city"] = row["city"] or None
        yield found


def frame():
    import pandas as pd

    found = pd.DataFrame(list(objects()))
    found["joined"] = pd.to_datetime(found["joined"])
    found["age"] = found["age"].astype("Int64")
    found["code"] = found["code"].astype("category")
    return found


def parquet():
    buffer = io.BytesIO()
    frame().to_parquet(buffer)
    return buffer.getvalue()


def rare_parquet():
    """Decimals, days, times with a zone, and whole numbers of which some are missing."""
    import decimal

    import pandas as pd

    found = frame()
    found["income"] = [decimal.Decimal(f"{value:.2f}") for value in found["income"]]
    found["joined"] = pd.to_datetime(found["joined"]).dt.tz_localize("Asia/Seoul")
    found["born"] = [day.date() for day in found["joined"]]
    found["city"] = pd.array([None if place % 5 == 2 else place % 3 for place in range(ROWS)], "Int64")
    buffer = io.BytesIO()
    found.to_parquet(buffer)
    return buffer.getvalue()


def workbook(sheets):
    import pandas as pd

    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as writer:
        for name, (values, row, column) in sheets.items():
            values.to_excel(writer, sheet_name=name, index=False, startrow=row, startcol=column)
    return buffer.getvalue()


def halves(mark=","):
    rows = [people(place) for place in range(ROWS)]
    return {"part-b.csv": separated(rows[20:], mark), "part-a.csv": separated(rows[:20], mark)}


PLAIN = "  table: t.csv\n  target: paid" + FEATURES
CASES = {
    "semicolons": ({"t.csv": table(mark=";")}, PLAIN),
    "tabs": ({"t.tsv": table(mark="\t")}, PLAIN.replace("t.csv", "t.tsv")),
    "bars": ({"t.csv": table(mark="|")}, PLAIN),
    "decimal comma": ({"t.csv": table(decimals, ";")}, PLAIN),
    "thousands and decimal comma": ({"t.csv": table(german, ";")}, PLAIN),
    "money": ({"t.csv": table(money)}, PLAIN),
    "cp1252": ({"t.csv": table().encode("cp1252")}, PLAIN + "\n  encoding: cp1252"),
    "utf-16": ({"t.csv": table().encode("utf-16")}, PLAIN),
    "byte order mark": ({"t.csv": table().encode("utf-8-sig")}, PLAIN),
    "gzip": ({"t.csv.gz": gzip.compress(table().encode())}, PLAIN.replace("t.csv", "t.csv.gz")),
    "other words for nothing": (
        {"t.csv": table(lambda row, place: row | {"age": row["age"] or "?", "city": row["city"] or "-"})},
        PLAIN + '\n  na: ["?", "-"]',
    ),
    "words for nothing that are words": (
        {"t.csv": table(lambda row, place: row | {"city": row["city"] or "NA"})},
        PLAIN,
    ),
    "blanks around words": (
        {"t.csv": table(lambda row, place: row | {"city": f" {row['city']} ", "age": f" {row['age']}"})},
        PLAIN,
    ),
    "whole numbers as words": (
        {"t.csv": table(lambda row, place: row | {"city": drawn(place, ("1", "1.0", "2.0", "x", "3"))})},
        PLAIN,
    ),
    "quoted line ends": (
        {"t.csv": table(lambda row, place: row | {"city": row["city"].replace(" ", "\n")})},
        PLAIN,
    ),
    "no header": (
        {"t.csv": table().split("\n", 1)[1]},
        "  table: t.csv\n  header: false\n  target: column_8\n"
        "  features: {column_2: numeric, column_3: {category: {missing: mean}}, column_5: time}",
    ),
    "given header": (
        {"t.csv": table().split("\n", 1)[1]},
        PLAIN + '\n  header: [age, income, "city", member, joined, said, code, paid, kind]',
    ),
    "blanks around names": ({"t.csv": table().replace("age,income", " age, income ", 1)}, PLAIN),
    "a column without a name": (
        {"t.csv": "\n".join(f"{i if i else ''},{line}" for i, line in enumerate(table().splitlines())) + "\n"},
        PLAIN,
    ),
    "odd names": (
        {"t.csv": table(renamed(age='say "hi"', income="class", city="größe/名 前", joined="words"))},
        "  table: t.csv\n  target: paid\n  features: {'say \"hi\"': {numeric: {missing: median}}, class: numeric, "
        "größe/名 前: {category: {missing: mean}}, words: time}",
    ),
    "names of what a script has": (
        {"t.csv": table(renamed(age="FITTED", income="target", city="inputs", joined="x"))},
        "  table: t.csv\n  target: paid\n  features: {FITTED: {numeric: {missing: median}}, target: numeric, "
        "inputs: {category: {missing: mean}}, x: time}",
    ),
    "names in letters that are wide": (
        {"t.csv": table(renamed(age="나이가 몇 살인지", income="한 달에 버는 돈이 얼마인지", city="사는 곳의 이름"))},
        "  table: t.csv\n  target: paid\n  features: {나이가 몇 살인지: {numeric: {missing: median, indicator: true}}, "
        "한 달에 버는 돈이 얼마인지: numeric, 사는 곳의 이름: {category: {missing: mean}}}",
    ),
    "backslashes": (
        {"t.csv": table(renamed(age="a\\b", city="c'd"))},
        '  table: t.csv\n  target: paid\n  features: {a\\b: {numeric: {missing: median}}, "c\'d": ' + CITY + "}",
    ),
    "day first": (
        {"t.csv": table(lambda row, place: row | {"joined": ".".join(reversed(row["joined"].split("-")))})},
        PLAIN,
    ),
    "month names": (
        {"t.csv": table(lambda row, place: row | {"joined": f"{1 + place % 28} Jan {2000 + place}"})},
        PLAIN,
    ),
    "compact dates": (
        {"t.csv": table(lambda row, place: row | {"joined": row["joined"].replace("-", "")})},
        PLAIN,
    ),
    "quarters": (
        {"t.csv": table(lambda row, place: row | {"joined": f"{2000 + place // 4}-Q{1 + place % 4}"})},
        PLAIN,
    ),
    "weeks": (
        {"t.csv": table(lambda row, place: row | {"joined": f"{2000 + place}-W{1 + place:02}"})},
        PLAIN,
    ),
    "clocks and zones": (
        {"t.csv": table(lambda row, place: row | {"joined": f"{row['joined']}T{place % 24:02}:30:00+09:00"})},
        PLAIN,
    ),
    "missing dates": (
        {"t.csv": table(lambda row, place: row | {"joined": "" if place % 11 == 3 else row["joined"]})},
        PLAIN + "\n  missing: mean",
    ),
    "spellings of true": (
        {
            "t.csv": table(
                lambda row, place: row | {"member": drawn(place, ("True", "FALSE", "true", "0", "1.0", "no"))}
            )
        },
        "  table: t.csv\n  target: paid\n  features: {member: boolean, income: numeric}",
    ),
    "classes of two numbers": (
        {"t.csv": table(lambda row, place: row | {"kind": drawn(place, ("0", "1", "1.0"))})},
        "  table: t.csv\n  target: kind\n  features: [income]",
    ),
    "large whole numbers": (
        {"t.csv": table(lambda row, place: row | {"income": f"{16_000_001 + 1_000_003 * place}"})},
        PLAIN,
    ),
    "large whole numbers alone": (
        {"t.csv": table(lambda row, place: row | {"income": f"{16_000_001 + 1_000_003 * place}"})},
        "  table: t.csv\n  target: paid\n  features: [income]",
    ),
    "rows without a target": (
        {"t.csv": table(lambda row, place: row | {"paid": "" if place % 7 == 2 else row["paid"]})},
        PLAIN + "\n  missing: drop",
    ),
    "labels that are unknown": (
        {"t.csv": table(lambda row, place: row | {"kind": "z" if place >= ROWS - 2 else row["kind"]})},
        "  table: t.csv\n  target: kind\n  features: [income]\n  split: {by: order}",
    ),
    "a list of files": (halves(), PLAIN.replace("t.csv", "[part-a.csv, part-b.csv]")),
    "a pattern": (halves(), PLAIN.replace("t.csv", '"part-*.csv"')),
    "a pattern in a folder": (
        {f"in/the/{name}": text for name, text in halves().items()},
        PLAIN.replace("t.csv", '"in/**/part-*.csv"'),
    ),
    "files that are written in two ways": (
        {"a.csv": table(), "b.csv": table(decimals, ";")},
        PLAIN.replace("t.csv", "[a.csv, b.csv]"),
    ),
    "files of parts": (
        {**halves(), "more.csv": table()},
        PLAIN.replace("t.csv", "more.csv") + "\n  split: {validation: part-a.csv, test: part-b.csv}",
    ),
    "json lines": ({"t.jsonl": as_json_lines(objects())}, PLAIN.replace("t.csv", "t.jsonl")),
    "a json array": ({"t.json": json.dumps(list(objects()))}, PLAIN.replace("t.csv", "t.json")),
    "json lines with yes and no": (
        {"t.jsonl": as_json_lines(objects())},
        "  table: t.jsonl\n  target: member\n  features: {code: category, income: numeric, said: text}",
    ),
    "json lines that leave things out": (
        {"t.jsonl": as_json_lines({k: v for k, v in entry.items() if v is not None} for entry in objects())},
        PLAIN.replace("t.csv", "t.jsonl"),
    ),
    "parquet": ({"t.parquet": parquet()}, PLAIN.replace("t.csv", "t.parquet")),
    "parquet of other types": (
        {"t.parquet": rare_parquet()},
        f"  table: t.parquet\n  target: paid\n  features: {{income: numeric, joined: time, born: time, city: {CITY}}}",
    ),
    "words for nothing in JSON": (
        {"t.jsonl": as_json_lines(objects()).replace('"Seoul"', '"?"').replace('"age": 33', '"age": -1')},
        PLAIN.replace("t.csv", "t.jsonl") + '\n  na: ["?", -1]',
    ),
    "words for nothing in a workbook": (
        {"t.xlsx": workbook({"people": (frame().replace("Seoul", "NA"), 0, 0)})},
        PLAIN.replace("t.csv", "t.xlsx"),
    ),
    "parquet with classes": (
        {"t.parquet": parquet()},
        "  table: t.parquet\n  target: member\n  features: {code: category, income: numeric, joined: time}",
    ),
    "a workbook": ({"t.xlsx": workbook({"people": (frame(), 0, 0)})}, PLAIN.replace("t.csv", "t.xlsx")),
    "a sheet of a workbook": (
        {"t.xlsx": workbook({"first": (frame()[:5], 0, 0), "people": (frame(), 0, 0)})},
        PLAIN.replace("t.csv", "t.xlsx") + "\n  sheet: people",
    ),
    "a sheet by its number": (
        {"t.xlsx": workbook({"first": (frame()[:5], 0, 0), "people": (frame(), 0, 0)})},
        PLAIN.replace("t.csv", "t.xlsx") + "\n  sheet: 2",
    ),
    "a sheet that begins further down": (
        {"t.xlsx": workbook({"people": (frame(), 3, 2)})},
        PLAIN.replace("t.csv", "t.xlsx"),
    ),
    "texts": (
        {"t.csv": table(lambda row, place: row | {"said": f"{row['said']}, says number {place}"})},
        "  text: t.csv\n  target: kind\n  features: {said: {text: {words: 10}}}",
    ),
}
READ_BY_DLSPEC: set[str] = set()
"""Of these, the rows are kept beside the script."""


@pytest.mark.everyday(20)
@pytest.mark.parametrize("name", CASES)
def test_tables_are_read_as_dlspec_reads_them(name, case_of):
    files, data = CASES[name]
    case = case_of(files, data, MODEL)
    assert case.fell_back == (name in READ_BY_DLSPEC), case.loading
    check_rows(case)
