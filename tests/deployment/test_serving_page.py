"""The form of a server in a real browser: every kind of network, what is typed, files, mistakes, and its policy."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.browser import needs_browser
from tests.deployment.pages import page
from tests.deployment.servers import serving

pytestmark = [needs_browser, pytest.mark.slow]

ANSWERED = "document.querySelector('#answer .big, #answer dl, #answer .bars')"


def text_of(shown, selector):
    return shown.run(f"document.querySelector({json.dumps(selector)}).innerText")


def fill(shown, **values):
    for column, value in values.items():
        script = f"document.querySelector('[data-column=' + CSS.escape({json.dumps(column)}) + ']').value = "
        shown.run(script + json.dumps(value))
    shown.run("document.querySelector('#answer').replaceChildren()")
    shown.run("document.querySelector('#form').requestSubmit()")
    shown.wait_for("document.querySelector('#answer').innerText")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1200, True)])
def test_a_form_fits_the_screen_and_asks_no_other_host(server, tmp_path, width, dark):
    for name in ("table", "pictures", "series"):
        with page(server(name).address, tmp_path / name, width, dark) as shown:
            shown.wait_for(ANSWERED)
            assert shown.run("document.documentElement.scrollWidth - innerWidth") <= 0
            assert shown.hosts == {f"127.0.0.1:{server(name).port}"}
            assert shown.complaints == []
            assert shown.run("getComputedStyle(document.body).backgroundColor") == (
                "rgb(20, 23, 27)" if dark else "rgb(245, 246, 248)"
            )


def test_a_table_has_a_field_for_each_column_and_says_what_is_odd(server, tmp_path):
    with page(server("table").address, tmp_path) as shown:
        shown.wait_for(ANSWERED)
        fields = shown.run("[...document.querySelectorAll('[data-column]')].map((each) => each.dataset.column)")
        assert {*fields} == {"age", "rooms", "ward", "town", "garden", "sold", "said"}
        assert "16 to 70.7; may be empty" in text_of(shown, "#fields")
        words = shown.run("document.querySelectorAll('datalist option').length")
        assert words == 6  # of the towns
        row = {"age": 41.5, "rooms": 3, "ward": "north", "town": "town 1", "garden": "true", "sold": "2020-05-04",
               "said": "the old dog's"}  # fmt: skip
        expected = server("table").predict(row).json()["predictions"][0]["price"]
        fill(shown, **{name: str(value) for name, value in row.items()})
        assert float(text_of(shown, "#answer .big").split()[-1]) == pytest.approx(expected, rel=1e-5)
        assert not shown.run("!!document.querySelector('#answer .warn')")
        fill(shown, age="300", town="<img src=x onerror=alert(1)>")
        warned = text_of(shown, "#answer")
        assert "16 to 70.7" in warned
        assert "<img src=x onerror=alert(1)>" in warned
        assert not shown.run("!!document.querySelector('#answer img')")
        fill(shown, rooms="", age="old")
        assert "write a number" in text_of(shown, "#answer")
        assert shown.run("[...document.querySelectorAll('[aria-invalid]')].map((each) => each.dataset.column)") == [
            *sorted(["age", "rooms"])
        ]
        assert shown.complaints == []


def test_a_file_of_rows_gives_a_table(server, network, tmp_path):
    rows = pd.read_csv(network("table").folder.parent / "table.csv").head(40)
    rows["said"] = rows["said"] + ', "and\nmore"'
    rows.to_csv(tmp_path / "rows.csv", index=False, sep=";")
    expected = network("table").predict(rows)["price"]
    with page(server("table").address, tmp_path) as shown:
        shown.wait_for(ANSWERED)
        shown.choose("#file", tmp_path / "rows.csv")
        shown.wait_for("document.querySelector('#table td')")
        found = shown.run("[...document.querySelectorAll('#table tr td:first-child')].map((cell) => cell.innerText)")
        assert [float(value) for value in found] == pytest.approx(expected.tolist(), rel=1e-4)
        heads = shown.run("[...document.querySelectorAll('#table th')].map((cell) => cell.innerText)")
        assert heads == ["predicted price", *rows.columns]
        rows.drop(columns="ward").to_csv(tmp_path / "short.csv", index=False)
        shown.choose("#file", tmp_path / "short.csv")
        shown.wait_for("document.querySelector('#table .bad')")
        assert "no column ward" in text_of(shown, "#table")
        assert shown.complaints == []


@pytest.mark.parametrize("name", ["series", "spaced"])
def test_a_file_of_a_series_gives_a_forecast_after_each_window(server, network, tmp_path, name):
    run = network(name)
    file = run.folder.parent / "series.csv"
    expected = run.predict(pd.read_csv(file))
    with page(server(name).address, tmp_path) as shown:
        shown.wait_for(ANSWERED)
        shown.choose("#file", file)
        shown.wait_for("document.querySelector('#table td')")
        found = shown.run("[...document.querySelectorAll('#table tr td:first-child')].map((cell) => cell.innerText)")
    assert [float(value) for value in found] == pytest.approx(expected["high+1"].tolist(), rel=1e-4)


def test_a_picture_of_the_networks_size_gives_what_its_pixels_do(server, exported, tmp_path):
    from PIL import Image

    rows = json.loads(exported("pictures").with_name("pictures.onnx.rows.json").read_text(encoding="utf-8"))
    Image.fromarray(np.array(rows["rows"][1]["raw"], "uint8")[..., 0]).save(tmp_path / "one.png")
    with page(server("pictures").address, tmp_path) as shown:
        shown.wait_for(ANSWERED)
        shown.choose("#file", tmp_path / "one.png")
        expected = [f"{100 * share:.1f}%" for share in rows["predictions"][1]["probabilities"].values()]
        shown.wait_for(f"document.querySelector('#answer').innerText.includes({json.dumps(expected[0])})")
        assert expected[1] in text_of(shown, "#answer")
        assert shown.run("document.querySelectorAll('#table canvas').length") == 1
        assert shown.complaints == []


def test_a_token_opens_the_form(exported, tmp_path):
    with serving(exported("numbers"), home=tmp_path, DLSPEC_TOKEN="secret-token") as server:
        with page(server.address, tmp_path / "one") as shown:
            shown.wait_for("document.querySelector('#unlock')?.hidden === false")
            assert "ward" not in shown.run("document.documentElement.outerHTML")
            shown.run("document.querySelector('#token').value = 'secret-token'")
            shown.run("document.querySelector('#unlock').requestSubmit()")
            shown.wait_for(ANSWERED)
        with page(f"{server.address}/#token=secret-token", tmp_path / "two") as shown:
            shown.wait_for(ANSWERED)
            assert "token" not in shown.run("location.href")
