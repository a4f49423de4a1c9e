"""Excel workbooks, JSON arrays, white space between values, and what says itself how it is written."""

import datetime as dt
import json
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

import dlspec
from dlspec.data.sources.formats import Dialect, format_of
from dlspec.data.sources.rows import TableFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml.encodings import encoding_of

ROWS = [
    (dt.datetime(2024, 1, 1) + dt.timedelta(days=i), i % 7 + 0.5, "ab"[i % 2], i if i % 9 else None) for i in range(60)
]
NAMES = ["day", "sold", "shop", "visitors"]


def book(path, sheets):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


def opened(path, **said):
    return format_of(path, path.name, dialect=Dialect(**said))


@pytest.mark.parametrize("above", [[], [[], [None]], [[None, None, None]]])
@pytest.mark.parametrize("beside", [[], [None, None]])
def test_a_sheet_is_read_from_where_its_names_stand(tmp_path, above, beside):
    rows = [*above, [*beside, *NAMES], *([*beside, *row] for row in ROWS)]
    file = opened(book(tmp_path / "b.xlsx", {"notes": [["made by hand"]], "data": rows}))
    assert file.header() == NAMES
    columns = file.read(["shop"])
    np.testing.assert_array_equal(columns["visitors"], [np.nan if i % 9 == 0 else i for i in range(60)])
    assert columns["shop"].tolist() == ["ab"[i % 2] for i in range(60)]
    assert columns["day"].astype("datetime64[D]").astype(str)[1] == "2024-01-02"
    assert next(file.rows()) == ["2024-01-01", "0.5", "a", ""]
    assert file.kinds() == {"day": "time"}


def test_of_several_sheets_one_is_named(tmp_path):
    path = book(tmp_path / "b.xlsx", {"one": [["a", "b"], [1, 2]], "two": [["c", "d"], [3, 4]]})
    with pytest.raises(DataError, match="2 sheets with rows: `one` and `two`"):
        opened(path).header()
    assert opened(path, sheet="two").header() == opened(path, sheet=2).header() == ["c", "d"]
    with pytest.raises(DataError, match="no sheet `three`"):
        opened(path, sheet="three").header()
    with pytest.raises(DataError, match="has 2 sheets, and `sheet` is 3"):
        opened(path, sheet=3).header()


def test_errors_of_formulas_and_words_for_nothing_are_missing(tmp_path):
    path = book(tmp_path / "b.xlsx", {"s": [["x", "y"], [1, 2], ["#N/A", 3], ["-", 4]]})
    np.testing.assert_array_equal(opened(path, na=("-",)).read([])["x"], [1, np.nan, np.nan])


@pytest.mark.parametrize("content", [b"", b"PK and then nothing", b"\xd0\xcf\x11\xe0 an old workbook"])
def test_what_is_no_workbook_is_said(tmp_path, content):
    (tmp_path / "b.xlsx").write_bytes(content)
    with pytest.raises(DataError) as error:
        TableFiles(("b.xlsx",), tmp_path).describe()
    assert error.value.diagnostics[0].code == "data-unreadable"


def test_a_workbook_that_is_no_workbook_inside(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(DataError, match="no whole Excel workbook"):
        opened(tmp_path / "b.xlsx").header()


# --- the others


def test_an_array_of_json_is_read_and_written_again(tmp_path):
    entries = [{"age": i, "city": "Ulm" if i % 2 else None, "size": i / 3} for i in range(40)]
    (tmp_path / "a.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    file = opened(tmp_path / "a.json")
    assert file.read([])["age"].tolist() == list(range(40))
    with (tmp_path / "out.json").open("wb") as out, file.extending(out, 25) as add:
        for part in file.blocks(25):
            add({"guess": part["age"] * 2})
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert found == [{**entry, "guess": 2.0 * i} for i, entry in enumerate(entries)]


BLANKS = {
    "aligned.dat": "  x    y   kind\n" + "".join(f"  {i:5.1f}   {i % 7}  {'ab'[i % 2]}  \n" for i in range(60)),
    "of_r.txt": '"x" "y" "kind"\n' + "".join(f'"row {i}" {i:.1f} {i % 7}   "{"ab"[i % 2]}"\n' for i in range(60)),
}


@pytest.mark.parametrize("name", BLANKS)
def test_white_space_separates_values(tmp_path, name):
    (tmp_path / name).write_text(BLANKS[name], encoding="utf-8")
    columns = opened(tmp_path / name).read(["kind"])
    assert list(columns) == ["x", "y", "kind"]
    assert columns["x"].tolist() == list(range(60))
    assert columns["kind"].tolist() == ["ab"[i % 2] for i in range(60)]
    assert [row[-1] for row in opened(tmp_path / name).rows()] == ["ab"[i % 2] for i in range(60)]


@pytest.mark.parametrize(
    "text",
    [
        "name\n" + "Ann Smith\nBob Jones\n" * 30,  # a column of text
        "first name\n" + "Ann Smith\nBob Jones\n" * 30,
        "said in words\n" + "well done\nnot bad at all\n" * 30,
    ],
)
def test_a_single_column_of_text_has_no_values_between_blanks(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert opened(tmp_path / "t.csv").header() == [text.split("\n")[0]]


def test_a_text_of_words_and_numbers_is_predicted_from(tmp_path):
    said = [f"on {i % 28 + 1} May {2000 + i % 20}" for i in range(80)]
    frame = pd.DataFrame({"on 1 May 2000": said, "kind": ["ab"[i % 3 == 0] for i in range(80)]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\nname: t\ndata: {table: t.csv, target: kind, features: {on 1 May 2000: {text: {words: 9}}}}\n"
        "model: [output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    frame[["on 1 May 2000"]].to_csv(tmp_path / "new.csv", index=False)
    dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found["kind"]) == list(run.predict(frame)["kind"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-32"])
def test_the_mark_at_the_beginning_says_the_encoding(tmp_path, encoding):
    (tmp_path / "t.csv").write_text("größe,art\n" + "1,ä\n2,ö\n" * 30, encoding=encoding)
    file = opened(tmp_path / "t.csv")
    assert file.read(["art"])["art"].tolist() == ["ä", "ö"] * 30
    with (tmp_path / "out.csv").open("wb") as out, file.extending(out, 50) as add:
        for part in file.blocks(50):
            add({"guess": part["größe"]})
    text = (tmp_path / "out.csv").read_bytes().decode(encoding)
    assert text.splitlines()[:2] == ["größe,art,guess", "1,ä,1.0"]
    assert "\ufeff" not in text


def test_a_first_line_of_values_is_warned_of(tmp_path):
    rows = "".join(f"{i / 7:.2f},{i % 5 + 0.5},{'abc'[i % 3]}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(rows, encoding="utf-8")
    codes = [code for code, _, _ in TableFiles(("t.csv",), tmp_path).describe().remarks]
    assert codes == ["no-header"]
    for head in ("1,2,c\n", "x,y,kind\n", "1990,1991,kind\n"):  # numbers that count columns or years are names
        (tmp_path / "named.csv").write_text(head + rows, encoding="utf-8")
        assert TableFiles(("named.csv",), tmp_path).describe().remarks == ()


TEXTS = {
    "cp949": [
        "번호,이름,지역\n1,김철수,서울\n",
        "번호,age\n1,2\n",
        "지역,면적(㎡)\n서울,3\n",
        "이름,값\n뷁씨,1\n김철수,2\n",
    ],
    "cp932": ["都市,値,種類\n東京,1,甲\n大阪,2,乙\n", "なまえ,ねだん\nりんご,3\nミカン,4\n"],
    "gb18030": ["城市,价格,类别\n北京,3,甲\n上海,4,乙\n广州,5,丙\n"],
    "cp1252": ["Größe;Höhe;Straße\n1,5;2;Müller\n", "année,prénom\n3,Éric\n", "name\nßä\nÄÖÜ\n", "preis €\n3\n"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
@pytest.mark.parametrize("times", [1, 40])
def test_an_encoding_is_told_by_its_letters(encoding, text, times):
    assert encoding_of((text * times).encode(encoding)) == encoding


# --- what `init` writes of it


KOREAN = "번호,나이,지역,구매여부\n" + "".join(
    f"{i},{20 + i % 40},{'서울' if i % 3 else '부산'},{'예' if i * 7 % 4 else '아니오'}\n" for i in range(150)
)
VALUES = "".join(f"{i % 9 + 0.5},{i % 7 + 0.25},{'xyz'[i % 3]}\n" for i in range(90))
THOUSANDS = "".join(f'"{i % 9 + 1},{100 + i}","{i % 5 + 1},{200 + i}",{"xy"[i % 2]}\n' for i in range(90))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("k.csv", KOREAN.encode("cp949"), ["encoding: cp949", "target: 구매여부", "번호 (counts the rows)"]),
        ("w.csv", KOREAN.replace(",", ";").encode("utf-16"), ["target: 구매여부"]),
        ("n.csv", VALUES.encode(), ["header: false", "target: column_3"]),
        ("t.csv", ("sold,price,kind\n" + THOUSANDS).encode(), ["thousands: ','", "so that 1,100 in sold is 1100"]),
    ],
)
def test_init_writes_how_a_file_is_to_be_read(tmp_path, monkeypatch, name, content, expected):
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    text = dlspec.init(name)
    assert [each for each in expected if each not in text] == []
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert [problem for problem in dlspec.validate(tmp_path / "s.yaml") if problem.is_error] == []


def test_init_names_the_sheet_and_runs(tmp_path, monkeypatch):
    book(tmp_path / "b.xlsx", {"sales": [NAMES, *ROWS], "more": [["a", "b"], [1, 2]]})
    monkeypatch.chdir(tmp_path)
    text = dlspec.init("b.xlsx")
    assert "sheet: sales" in text
    assert "or more" in text
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", {"train.epochs": 1}, out=tmp_path / "run")
    from dlspec.runs.predict import predict_file

    assert predict_file(run, tmp_path / "b.xlsx", tmp_path / "out.xlsx") == 60
    found = pd.read_excel(tmp_path / "out.xlsx")
    assert list(found.columns[:4]) == NAMES
    assert found.iloc[-1, -1] == pytest.approx(run.predict(pd.DataFrame(ROWS, columns=NAMES).ffill()).iloc[-1, 0])
