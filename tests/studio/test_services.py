"""What is behind the screens Data, Try and Take away, without a browser: what it says, and what it refuses."""

import json
import zipfile

import httpx
import numpy as np
import pytest

from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.kept_pictures import from_quantized
from dlspec.studio.answering import answer
from dlspec.studio.drawing import as_known, resized
from dlspec.studio.looking import QUESTIONS, compare, formats

TABLE = """\
dlspec: 1
data:
  table: homes.csv  # where one lives
  target: price
model: [dense: 4, output]
train: {epochs: 1}
"""
HOMES = "size,rooms,city,price\n" + "".join(
    f"{30 + i % 70},{1 + i % 5},{('Seoul', 'Busan', 'Daegu')[i % 3]},{3 * (30 + i % 70) + i % 7}\n" for i in range(90)
)
SERIES = "dlspec: 1\ndata: {dataset: sine, window: {length: 8}}\nmodel: [lstm: 4, output]\ntrain: {epochs: 1}\n"


@pytest.fixture
def homes(tmp_path):
    (tmp_path / "homes.csv").write_text(HOMES)
    return str(tmp_path / "homes.yaml")


def ask(kind, **question):
    return answer(QUESTIONS, {"ask": kind, **question})


def test_columns_have_types_ranges_holes_and_histograms(homes):
    found = ask("data", text=TABLE, file=homes)
    json.dumps(found)
    columns = {column["name"]: column for column in found["columns"]}
    assert columns["size"]["values"] == "30 … 99"
    assert columns["city"]["type"] == "category"
    assert columns["price"]["role"] == "target"
    assert sum(columns["rooms"]["histogram"]) == 90
    assert columns["price"]["types"] == []
    assert columns["city"]["types"] == ["category", "numeric", "text", "time"]  # three words are no yes and no
    assert found["parts"]["counts"] == {"train": 64, "validation": 13, "test": 13, "unlabeled": 0}
    assert found["samples"]["heads"] == ["size", "rooms", "city", "price"]
    assert found["samples"]["cells"][0] == ["30", "1", "Seoul", "90"]


def test_the_split_of_a_series_is_a_line_in_time(tmp_path):
    found = ask("data", text=SERIES, file=str(tmp_path / "a.yaml"))
    order = [part for part, _ in found["parts"]["timeline"] if part != "unused"]
    assert order == ["train", "validation", "test"]
    assert sum(length for _, length in found["parts"]["timeline"]) == 120


def test_pictures_are_shown_with_what_they_are(tmp_path):
    text = "dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, output]\ntrain: {epochs: 1}\n"
    found = ask("data", text=text, file=str(tmp_path / "a.yaml"))
    (pictures,) = found["samples"]["arrays"]
    assert pictures["labels"][:10] == [str(digit) for digit in range(10)]
    from sklearn.datasets import load_digits

    known = load_digits().images[found["samples"]["rows"]]
    np.testing.assert_allclose(from_quantized(pictures["values"]), known, atol=16 / 255)


@pytest.mark.parametrize(
    ("column", "kind", "line"),
    [
        ("rooms", "category", "features: {size: numeric, rooms: category, city: category}"),
        ("city", None, "features: {size: numeric, rooms: numeric}"),
    ],
)
def test_a_type_is_changed_by_an_edit_that_leaves_the_rest(homes, column, kind, line):
    found = ask("retype", text=TABLE, file=homes, column=column, type=kind)
    assert found["line"] == line
    assert line in found["text"]
    assert [row for row in found["text"].splitlines() if row.strip() != line] == TABLE.splitlines()
    again = ask("retype", text=found["text"], file=homes, column="size", type=None)
    assert "size" not in again["line"]
    shown = {column["name"]: column["role"] for column in ask("data", text=again["text"], file=homes)["columns"]}
    assert shown["size"] == ""


def test_a_type_that_the_values_are_not_of_is_refused_with_the_reason(homes):
    assert "labels" in ask("retype", text=TABLE, file=homes, column="city", type="numeric")["error"]
    assert ask("retype", text=TABLE, file=homes, column="city", type="time")["error"]
    lone = TABLE.replace("  target: price\n", "  target: price\n  features: [size]\n")
    assert "no column" in ask("retype", text=lone, file=homes, column="size", type=None)["error"]


def test_questions_that_cannot_be_answered_say_why(homes, tmp_path):
    absent = TABLE.replace("homes.csv", "houses.csv")
    assert "houses.csv" in ask("data", text=absent, file=homes)["error"]
    with pytest.raises(DataError, match="no run folder"):
        compare({"folders": [str(tmp_path)], "names": ["a"]})
    with pytest.raises(SpecError):
        QUESTIONS["data"]({"text": TABLE.replace("dense", "dens"), "file": homes})


def test_every_format_is_offered_with_what_it_is_and_lacks():
    found = formats({})
    assert {"keras", "onnx", "litert"} <= {each["name"] for each in found["formats"]}
    assert all(each["about"] and not each["about"].endswith(" ") for each in found["formats"])
    assert found["names"][-2:] == ["python", "archive"]


def test_ink_becomes_a_picture_like_those_of_the_data():
    from sklearn.datasets import load_digits

    known = load_digits().images[:100]
    drawn = np.zeros((112, 112))
    drawn[10:40, 80:90] = 1.0  # a small bar in a corner
    found = as_known(drawn, known)
    assert found.shape == (8, 8)
    assert (found.min(), found.max()) == (0.0, 16.0)
    rows, columns = np.nonzero(found > 8)
    assert rows.min() <= 1
    assert rows.max() >= 6
    assert abs(columns.mean() - 3.5) <= 1
    dark = as_known(drawn, 255.0 - np.stack([known] * 3, axis=-1) * 15)
    assert dark.shape == (8, 8, 3)
    assert dark[0, 0, 0] == 255.0
    np.testing.assert_allclose(resized(np.eye(4), (2, 2)), [[0.5, 0.0], [0.0, 0.5]])
    np.testing.assert_array_equal(as_known(np.zeros((9, 9)), known), np.zeros((8, 8)))


def test_uploads_are_data_and_stay_in_the_folder(studio):
    def upload(name, content=b"a,b\n1,2\n", **headers):
        given = {"content-type": "application/octet-stream", **headers}
        with studio.client(**given) as client:
            return client.post("/api/uploads/data", params={"name": name}, content=content)

    assert upload("pair.csv").json() == {"path": "pair.csv", "bytes": 8}
    assert upload("pair.csv").json()["path"] == "pair.csv"  # the same again
    assert upload("pair.csv", b"a\n1\n").json()["path"] == "pair_2.csv"
    for name in ("../out.csv", "runs/x.csv", ".hidden.csv", "page.html", "code.py", "spec.yaml", ""):
        assert upload(name).status_code in (403, 422), name
    assert upload("more.csv", **{"content-type": "text/csv"}).status_code == 415
    assert httpx.post(f"{studio.home}/api/uploads/data?name=x.csv", content=b"1").status_code == 401


def test_samples_that_are_made_on_the_page_are_pictures_in_folders_of_classes(studio):
    def keep(**changes):
        given = {"folder": "shapes", "label": "disc", "kind": "png", "data": "iVBORw0KGgoAAAA=", **changes}
        with studio.client() as client:
            return client.post("/api/data/sample", json=given)

    assert keep().json() == {"count": 1}
    assert keep().json() == {"count": 2}
    assert (studio.folder / "shapes" / "disc" / "0002.png").read_bytes().startswith(b"\x89PNG")
    for changes in (
        {"label": "../up"}, {"folder": ".."}, {"folder": "runs"}, {"label": ".git"}, {"data": "PGh0bWw+"},
        {"kind": "svg"}, {"kind": "wav"},
    ):  # fmt: skip
        assert keep(**changes).status_code in (403, 422), changes
    assert keep(data="!").status_code == 400


def test_pictures_are_read_from_their_folder_alone(studio):
    folder = studio.folder / "runs" / "seen" / "001"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "0-plane-000001.json").write_text('{"kind": "plane"}')
    (folder / "state.json").write_text("{}")
    (studio.folder / "secret.json").write_text('{"a": 1}')
    (folder / "pictures" / "link.json").symlink_to(studio.folder / "secret.json")
    names = ["pictures/0-plane-000001.json", "pictures/gone.json", "pictures/link.json"]
    found = studio.ask("/api/pictures", run="seen/001", files=names)["pictures"]
    assert found == {names[0]: {"kind": "plane"}, names[1]: None, names[2]: None}
    with studio.client() as client:
        for name in ("state.json", "pictures/../state.json", "/etc/passwd", "pictures/a/b.json"):
            assert client.post("/api/pictures", json={"run": "seen/001", "files": [name]}).status_code == 400
        assert client.post("/api/pictures", json={"run": "../..", "files": []}).status_code == 403


def test_nothing_is_taken_from_a_run_that_is_not_finished(studio):
    folder = studio.folder / "runs" / "half" / "001"
    folder.mkdir(parents=True)
    with studio.client() as client:
        for what, status in (("onnx", 409), ("predictions", 404), ("../x", 409)):
            assert client.post("/api/take/make", json={"run": "half/001", "what": what}).status_code == status
        assert client.post("/api/try/ask", json={"run": "half/001"}).status_code == 400


def test_archives_hold_files_at_their_places(tmp_path):
    from dlspec.studio.taking import _write

    (tmp_path / "a.csv").write_text("1")
    _write(tmp_path / "all.zip", [(tmp_path / "a.csv", "data/a.csv")], {"README.txt": "x"})
    assert zipfile.ZipFile(tmp_path / "all.zip").namelist() == ["README.txt", "data/a.csv"]
