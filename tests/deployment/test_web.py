"""The exported page, opened as a file in a browser."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.deployment.records import read_receipt
from dlspec.deployment.web.page import network_inside, page_of
from tests.browser import needs_browser, opened
from tests.conftest import ROOT
from tests.deployment.networks import SPECS_BY_NAME, write_data

pytest.importorskip("dlspec_web", reason="`packages/dlspec-web` is not installed")
LIGHT_WHEEL = 1_600_000
"""Bytes; the runtime alone has 3.7 million."""
EVERY_DAY = ("table", "given_back", "series")
STATE, ANSWER = "document.documentElement.dataset.state", "document.documentElement.dataset.answer"
FIELD = "document.querySelector('[data-column={}]')"


@pytest.fixture(scope="module")
def page(network, tmp_path_factory):
    """The page of a network, written once."""
    home, known = tmp_path_factory.mktemp("pages"), {}

    def written(name):
        if name not in known:
            known[name] = dlspec.export(network(name), out=home / f"{name}.html")
        return known[name]

    return written


def fill(tab, column, text):
    """Types into a field, over what stands there."""
    tab.evaluate(f"{FIELD.format(column)}.focus(), {FIELD.format(column)}.select()")
    tab.send("Input.insertText", text=text)


def answer_after(tab, act):
    """The outputs that the page shows once something was done."""
    tab.evaluate(f"delete {ANSWER}")
    act()
    return np.array(json.loads(tab.wait_for(ANSWER)))


@pytest.mark.everyday("series")
@needs_browser
@pytest.mark.parametrize(
    "name", [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow) for name in SPECS_BY_NAME]
)
def test_a_page_computes_on_a_phone_what_was_measured(page, tmp_path, name):
    file = page(name)
    rows = json.loads(file.with_name(f"{file.name}.rows.json").read_text(encoding="utf-8"))
    with opened(f"{file.as_uri()}#row=2", tmp_path, width=390) as tab:
        tab.wait_for(STATE)
        assert tab.evaluate(STATE) == "right", tab.evaluate("document.getElementById('state').textContent")
        assert tab.evaluate("document.documentElement.dataset.checked") == "5"
        assert float(tab.evaluate("document.documentElement.dataset.difference")) < 2e-6
        found = json.loads(tab.wait_for(ANSWER))
        expected = np.array(rows["outputs"][1]).ravel()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
        assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert tab.evaluate("document.getElementById('answer').textContent").strip()
        assert tab.errors == []
        assert [address for address in tab.requests if not address.startswith((file.as_uri(), "data:"))] == []


@needs_browser
def test_typing_into_the_form_answers_as_the_run_predicts(network, page, tmp_path):
    run, file = network("table"), page("table")
    row = {"age": 31.5, "rooms": 3, "ward": "wäst", "town": "town 2", "garden": "no", "sold": "2020-05-06T07:00:00"}
    row["said"] = "The OLD, très dog's!"
    with opened(file.as_uri(), tmp_path) as tab:
        tab.wait_for(ANSWER)
        for column in ("age", "rooms", "said"):
            fill(tab, column, str(row[column]))
        for column in ("ward", "town", "garden", "sold"):
            said = f"({FIELD.format(column)}.value = {json.dumps(row[column])})"
            told = f"{FIELD.format(column)}.dispatchEvent(new Event('input', {{bubbles: true}}))"
            found = answer_after(tab, lambda said=said, told=told: tab.evaluate(f"{said}, {told}"))
        expected = run.predict(pd.DataFrame([row]))
        assert found[0] == pytest.approx(float(expected["price"].iloc[0]), rel=1e-5)
        assert tab.evaluate("document.querySelectorAll('#warnings li').length") == 0

        other = answer_after(tab, lambda: fill(tab, "age", "300"))
        with pytest.warns(UserWarning, match="`age` lies far outside"):
            expected = run.predict(pd.DataFrame([{**row, "age": 300}]))
        assert other[0] == pytest.approx(float(expected["price"].iloc[0]), rel=1e-5)
        assert other[0] != pytest.approx(found[0], rel=1e-3)
        assert "age: 300 lies outside" in tab.evaluate("document.getElementById('warnings').textContent")

        missing = answer_after(tab, lambda: fill(tab, "age", ""))
        expected = run.predict(pd.DataFrame([{**row, "age": np.nan}]))
        assert missing[0] == pytest.approx(float(expected["price"].iloc[0]), rel=1e-5)

        fill(tab, "rooms", "")
        tab.wait_for("document.getElementById('answer').textContent.includes('A value is needed for rooms')")
        assert tab.evaluate(ANSWER) is None


@needs_browser
@pytest.mark.parametrize(
    "name", ["table", *(pytest.param(name, marks=pytest.mark.slow) for name in ("sequence", "labels"))]
)
def test_rows_of_a_csv_file_are_predicted_as_the_run_predicts_them(network, page, tmp_path, name):
    run, file = network(name), page(name)
    write_data(tmp_path)
    frame = pd.read_csv(tmp_path / "table.csv").head(60)
    frame = frame[[feature.name for feature in run.data.features]]
    if "said" in frame:
        frame.loc[3, "said"] = 'a "quoted", <b>word</b>'
    text = frame.to_csv(index=False).replace("town 2", "no such town", 1)
    with opened(file.as_uri(), tmp_path) as tab:
        tab.wait_for("!document.getElementById('many').hidden")
        tab.evaluate(
            "(() => { const given = new DataTransfer(); URL.createObjectURL = (blob) => (window.saved = blob, '#');"
            f"given.items.add(new File([{json.dumps(text)}], 'rows.csv'));"
            "const input = document.querySelector('#rows input[type=file]'); input.files = given.files;"
            "input.dispatchEvent(new Event('change')) })()"
        )
        tab.wait_for("!!document.querySelector('#rows a')")
        said = tab.evaluate("document.querySelector('#rows [role=status]').textContent")
        assert said.startswith("rows.csv: 60 predictions")
        assert ("1 row with values outside" in said) == (name == "table")
        assert tab.evaluate("document.querySelector('#rows b')") is None
        saved = tab.evaluate("saved.text()")
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*`no such town`", UserWarning)
        predicted = run.predict(pd.read_csv(tmp_path / "rows.csv"))
    expected = pd.read_csv(io.StringIO(predicted.to_csv(index=False)))
    found = pd.read_csv(io.StringIO(saved))
    assert list(found) == [*frame, *expected]
    pd.testing.assert_frame_equal(found[list(expected)], expected, rtol=1e-5, atol=1e-6)
    if "said" in frame:
        assert found["said"][3] == frame["said"][3]


@needs_browser
def test_a_page_says_that_it_computes_other_values(page, tmp_path):
    """The first output that is expected is another one in this page."""
    file = page("table")
    text = file.read_text(encoding="utf-8")
    changed = tmp_path / "changed.html"
    changed.write_text(re.sub(r'"outputs": \[\[[-\d.e]+', '"outputs": [[1234.5', text, count=1), encoding="utf-8")
    with opened(changed.as_uri(), tmp_path) as tab:
        assert tab.wait_for(STATE) == "wrong"
        assert "other values" in tab.evaluate("document.getElementById('state').textContent")


@needs_browser
def test_names_and_words_out_of_the_data_are_text(page, tmp_path):
    text = page("table").read_text(encoding="utf-8")
    facts = json.loads(re.search(r'<script type="application/json" id="facts">(.*?)</script>', text, re.DOTALL)[1])
    bad = "</script><img src=x onerror=\"document.title='run'\"><!--{{ model }}"
    facts |= {"name": bad, "description": bad}
    facts["signature"]["outputs"] |= {"values": [bad], "units": [bad]}
    for column in facts["signature"]["inputs"]:
        column |= {"column": column["column"] + bad, "unit": bad, "words": [bad], "from": bad, "to": bad}
    own = tmp_path / "bad.html"
    own.write_text(page_of(network_inside(text), facts), encoding="utf-8")
    with opened(own.as_uri(), tmp_path) as tab:
        tab.wait_for(ANSWER)
        fill_all = "[...document.querySelectorAll('#form input, #form select')].forEach((e) => (e.value = 3))"
        tab.evaluate(
            f"{fill_all}, document.querySelector('#form input').dispatchEvent(new Event('input', {{bubbles: true}}))"
        )
        assert tab.evaluate("document.querySelectorAll('img').length") == 0
        assert tab.evaluate("document.title") == bad
        assert tab.evaluate("document.getElementById('description').textContent") == bad
        assert tab.evaluate("document.querySelectorAll('script').length") == 3  # the network's are taken out
        assert tab.errors == []


@needs_browser
def test_what_is_drawn_is_answered(page, tmp_path):
    with opened(page("given_back").as_uri(), tmp_path) as tab:
        first = json.loads(tab.wait_for(ANSWER))
        tab.evaluate("document.querySelector('canvas.picture').scrollIntoView()")
        x, y, size = tab.evaluate(
            "(() => { const box = document.querySelector('canvas.picture').getBoundingClientRect();"
            "return [box.left, box.top, box.width] })()"
        )
        for kind, at in (("mousePressed", 0.2), ("mouseMoved", 0.8), ("mouseReleased", 0.8)):
            place = {"x": x + at * size, "y": y + at * size, "button": "left", "buttons": 1, "clickCount": 1}
            tab.send("Input.dispatchMouseEvent", type=kind, **place)
        tab.wait_for(f"{ANSWER} && {ANSWER} !== {json.dumps(json.dumps(first))}")
        assert len(json.loads(tab.evaluate(ANSWER))) == len(first) == 64
        assert tab.evaluate("document.querySelectorAll('#answer canvas').length") == 2
        assert tab.errors == []


SOUNDS = """
dlspec: 1
name: sounds
data: {audio: {path: sounds, rate: 4000}}
model: [{reshape: [400, 1]}, {conv1d: {filters: 4, kernel_size: 9, strides: 4}}, {global_max_pooling1d: {}}, output]
train: {epochs: 1}
"""
PICTURES = """
dlspec: 1
name: pictures
data: {images: {path: pictures, size: [8, 6], fit: pad}}
model: [{conv2d: {filters: 3, kernel_size: 3}}, flatten, output]
train: {epochs: 1}
"""


def open_file(tab, file, kind):
    """Chooses a file where the form asks for one."""
    data = base64.b64encode(file.read_bytes()).decode()
    tab.evaluate(
        f"(() => {{ const data = Uint8Array.from(atob('{data}'), (c) => c.charCodeAt(0));"
        "const given = new DataTransfer();"
        f"given.items.add(new File([data], '{file.name}', {{type: '{kind}'}}));"
        "const input = document.querySelector('#form input[type=file]'); input.files = given.files;"
        "input.dispatchEvent(new Event('change')) })()"
    )


def write_files(folder):
    """Sounds and pictures in a folder for each class, two thirds of which are trained on."""
    from PIL import Image
    from scipy.io import wavfile

    random = np.random.default_rng(0)
    for name in ("low", "high"):
        for kind in ("sounds", "pictures"):
            (folder / kind / name).mkdir(parents=True)
        for number in range(12):
            sound = np.sin(np.arange(400) * random.uniform(0.1, 0.4) * (1 + (name == "high")))
            wavfile.write(folder / "sounds" / name / f"{number}.wav", 4000, (2e4 * sound).astype("int16"))
            picture = random.integers(0, 128, (20, 30, 3)) + 127 * (name == "high")
            Image.fromarray(picture.astype("uint8")).save(folder / "pictures" / name / f"{number}.png")


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize(("spec", "suffix", "kind"), [(SOUNDS, "wav", "audio/wav"), (PICTURES, "png", "image/png")])
def test_a_file_is_opened_as_in_training(tmp_path, spec, suffix, kind):
    write_files(tmp_path)
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    run = dlspec.run(tmp_path / "spec.yaml", out=tmp_path / "run")
    page = dlspec.export(run, out=tmp_path / "page.html")
    (folder,) = [path for path in (tmp_path / "sounds", tmp_path / "pictures") if list(path.rglob(f"*.{suffix}"))]
    with opened(page.as_uri(), tmp_path) as tab:
        tab.wait_for(ANSWER)
        for file in (folder / "low" / f"3.{suffix}", folder / "high" / f"5.{suffix}"):
            found = answer_after(tab, lambda file=file: open_file(tab, file, kind))
            dlspec.predict(run, file, tmp_path / f"{file.stem}.csv")
            shares = pd.read_csv(tmp_path / f"{file.stem}.csv")
            expected = shares["label=low"].iloc[0]
            assert found[0] == pytest.approx(expected, abs=5e-3)
        if suffix == "wav":
            from scipy.io import wavfile

            wavfile.write(tmp_path / "fast.wav", 8000, np.zeros(400, "int16"))
            open_file(tab, tmp_path / "fast.wav", kind)
            tab.wait_for("document.getElementById('form').textContent.includes('8000 samples a second, and 4000')")
        assert tab.errors == []


def test_a_page_is_one_small_file_and_its_policy_lets_no_request_out(page):
    file = page("table")
    text = file.read_text(encoding="utf-8")
    assert file.stat().st_size < 6_500_000
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"unsafe-inline|'unsafe-eval'|https?:|connect-src|\*", policy)
    assert not re.search(r"<(link|img|iframe|script src)\b", text)
    receipt = read_receipt(file)
    assert receipt["runtime"].endswith("the page checks itself in the browser")
    assert receipt["files"]["table.html"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert network_inside(text)[:1] == b"\x08"  # the field `ir_version` of ONNX


def test_the_runtime_is_the_one_that_was_packed(monkeypatch):
    import gzip

    import dlspec_web

    assert hashlib.sha256(gzip.decompress(dlspec_web.module())).hexdigest() == dlspec_web.UNPACKED
    assert dlspec_web.VERSION.encode() in dlspec_web.script()
    assert "MIT License" in dlspec_web.license()
    monkeypatch.setitem(dlspec_web.HASHES, dlspec_web.SCRIPT, "0" * 64)
    with pytest.raises(dlspec_web.Damaged, match=re.escape(dlspec_web.SCRIPT)):
        dlspec_web.script()


def test_without_the_runtime_the_extra_is_named(network, tmp_path, monkeypatch):
    from dlspec.runtime import packages

    there = packages.is_there
    monkeypatch.setattr(packages, "is_there", lambda name: name != "dlspec_web" and there(name))
    with pytest.raises(dlspec.DataError) as caught:
        dlspec.export(network("table"), out=tmp_path / "page.html")
    assert 'pip install "dlspec[web]"' in caught.value.diagnostics[0].help
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_light_wheel_has_no_runtime_of_browsers(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "dlspec", source / "dlspec", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "packages", source / "packages")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "-w", tmp_path]
    subprocess.run([*command, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dlspec/deployment/web/main.mjs" in names
    assert "dlspec/model/unfolding/structures/resnet50.json" in names
    assert not [name for name in names if "wasm" in name or name.startswith("dlspec_web")]
    assert wheel.stat().st_size < LIGHT_WHEEL, wheel.stat().st_size


@needs_browser
def test_a_file_of_several_series_is_read_as_the_run_reads_it(page, network, tmp_path):
    """Every second row of the series that the last row is of, as the window says."""
    run = network("spaced")
    file = run.folder.parent / "series.csv"
    expected = run.predict(pd.read_csv(file))["high+1"].iloc[-1]
    with opened(page("spaced").as_uri(), tmp_path) as tab:
        tab.wait_for(ANSWER)
        found = answer_after(tab, lambda: open_file(tab, file, "text/csv"))
        assert found[0] == pytest.approx(expected, rel=1e-6)
        mixed = pd.read_csv(file).iloc[[77, 78, 79, 80, 81]]
        text = json.dumps(mixed.to_csv(index=False))
        tab.evaluate(
            f"(() => {{ const area = document.querySelector('#form textarea'); area.value = {text};"
            "area.dispatchEvent(new Event('input', {bubbles: true})) })()"
        )
        tab.wait_for("document.getElementById('answer').textContent.includes('several site: a, b')")
        assert tab.errors == []
