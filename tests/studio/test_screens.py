"""The screens Data, Runs, Try and Take away in a real browser."""

import math
import zipfile

import numpy as np
import pytest

from tests.commands import dlspec
from tests.studio.servers import needs_browser, opened

pytestmark = needs_browser
DIGITS = """\
dlspec: 1
name: {name}
seed: 3
data: {{dataset: digits, scale: min_max}}
model: [flatten, dense: {{units: {units}, activation: relu}}, output]
train: {{epochs: 12, batch_size: 64}}
"""
HOMES = "size,rooms,city,price\n" + "".join(
    f"{30 + i % 70},{1 + i % 5},{('Seoul', 'Busan', 'Daegu')[i % 3]},{3 * (30 + i % 70) + 10 * (i % 3) + i % 7}\n"
    for i in range(300)
)


@pytest.fixture(scope="package")
def trained(studio):
    """Two runs of digits in the folder of the studio."""
    for name, units in (("narrow", 12), ("wide", 64)):
        file = studio.folder / f"{name}.yaml"
        file.write_text(DIGITS.format(name=name, units=units))
        done = dlspec("run", file.name, "--quiet", cwd=studio.folder)
        assert done.returncode == 0, done.stderr
    return studio


def show(tab, screen):
    tab.page.get_by_text("No mistakes").first.wait_for(state="attached")
    tab.page.locator(f"[data-screen={screen}]").click()


def drop(tab, name, text):
    """Drops a file onto the screen Data."""
    given = tab.page.evaluate_handle(
        """([name, text]) => {
            const dropped = new DataTransfer()
            dropped.items.add(new File([text], name))
            return dropped
        }""",
        [name, text],
    )
    tab.page.locator(".drop").dispatch_event("drop", {"dataTransfer": given})


def test_a_dropped_table_becomes_a_spec_whose_columns_are_shown_and_changed(tab, studio):
    show(tab, "data")
    drop(tab, "homes.csv", HOMES)
    rooms = tab.page.get_by_label("Type of rooms")
    rooms.wait_for()
    assert (studio.folder / "homes.csv").read_text() == HOMES
    assert "table: homes.csv" in tab.text
    assert tab.page.get_by_text("300 rows").is_visible()
    assert rooms.input_value() == "numeric"
    assert tab.page.get_by_role("img", name="validation: 45").is_visible()
    rooms.select_option("category")
    tab.page.get_by_text("features: {size: numeric, rooms: category, city: category}").wait_for()
    assert "features: {size: numeric, rooms: category, city: category}" in tab.text
    tab.page.get_by_label("Type of city").select_option("")
    tab.page.locator(".line", has_text="{size: numeric, rooms: category}").wait_for()
    tab.page.get_by_label("Type of size").select_option("time")
    tab.page.locator(".trouble").wait_for()  # it is refused, with the reason, and nothing is changed
    assert ["422" in complaint for complaint in tab.complaints] == [True]
    tab.complaints.clear()
    assert "{size: numeric, rooms: category}" in tab.text
    tab.page.get_by_role("button", name="On to the spec").click()
    tab.page.locator("[data-layer=bent]").wait_for()
    assert tab.violations() == []


@pytest.mark.slow
def test_a_dropped_table_is_trained_to_its_verdict(tab, studio):
    show(tab, "data")
    drop(tab, "flats.csv", HOMES)
    tab.page.get_by_label("Type of rooms").wait_for()
    tab.page.get_by_role("button", name="On to the spec").click()
    tab.page.get_by_text("No mistakes").first.wait_for()
    tab.page.get_by_role("button", name="Train").click()
    run = studio.wait_for_run("flats/001", "finished")
    show(tab, "watch")
    tab.page.locator("[data-outcome]").wait_for(timeout=60_000)
    assert tab.page.locator(f"[data-outcome={run['verdict']}]").is_visible()


def test_classes_that_are_drawn_become_a_folder(tab, studio):
    show(tab, "data")
    tab.page.get_by_role("button", name="Draw, photograph or speak classes").click()
    pad = tab.page.get_by_role("application")
    for label, keys in (("one", "ArrowDown"), ("dash", "ArrowRight")):
        number = 1 if label == "one" else 2
        tab.page.get_by_label(f"Name of class {number}").fill(label)
        for _ in range(6):
            pad.focus()
            for _ in range(8):
                tab.page.keyboard.press(f"Shift+{keys}")
            tab.page.get_by_role("button", name=f"Keep as {label}").click()
            tab.page.get_by_text("draw here").wait_for()
    kept = sorted(path.relative_to(studio.folder).as_posix() for path in studio.folder.rglob("my drawings/*/*.png"))
    assert len(kept) == 12
    assert kept[0] == "my drawings/dash/0001.png"
    tab.page.get_by_role("button", name="Use this folder").click()
    tab.page.get_by_label("sample", exact=False).first.wait_for(state="attached")
    tab.page.get_by_text("12 rows").wait_for()
    assert "images" in tab.text


def test_two_runs_are_compared_by_what_differs(tab, trained):
    show(tab, "runs")
    for name in ("narrow/001", "wide/001"):
        tab.page.get_by_label(f"Compare {name}").check()
    tab.page.get_by_role("button", name="Compare", exact=True).click()
    tab.page.get_by_role("heading", name="Side by side").wait_for()
    differs = tab.page.get_by_role("region", name="What differs").get_by_role("row")
    rows = {row.get_by_role("rowheader").inner_text(): row.inner_text() for row in differs.all()[1:]}
    assert set(rows) == {"name", "model.1.dense.units"}
    assert rows["model.1.dense.units"].split()[-2:] == ["12", "64"]
    shown = tab.page.get_by_role("region", name="Metrics on the test part").inner_text()
    value = next(run["value"] for run in trained.ask("/api/runs")["runs"] if run["name"] == "wide/001")
    assert f"{value:.4g}" in shown
    assert tab.violations() == []


@pytest.mark.slow  # it loads TensorFlow
def test_a_digit_that_is_drawn_is_recognised(tab, trained):
    show(tab, "try")
    tab.page.get_by_label("Run").select_option("wide/001")
    pad = tab.page.get_by_role("application")
    pad.wait_for(timeout=60_000)
    box = pad.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def at(turn):
        return middle[0] + 50 * math.cos(turn), middle[1] + 85 * math.sin(turn)

    tab.page.mouse.move(*at(0))
    tab.page.mouse.down()
    for step in range(1, 41):
        tab.page.mouse.move(*at(2 * math.pi * step / 40))
    tab.page.mouse.up()
    tab.page.locator("[data-answer='0']").wait_for()
    assert tab.page.get_by_role("img", name="where it looks").is_visible()
    assert tab.page.get_by_role("img", name="Units of dense_1").is_visible()
    assert tab.violations() == []
    tab.page.get_by_role("button", name="Another of the test part").click()
    tab.page.get_by_text("The truth is").wait_for()


@pytest.mark.slow
def test_an_export_is_downloaded_and_gives_the_same(tab, trained, tmp_path):
    show(tab, "take")
    tab.page.get_by_label("Run").select_option("narrow/001")
    with tab.page.context.expect_page(), tab.page.expect_download(timeout=120_000) as saved:
        tab.page.locator("[data-take=onnx]").get_by_role("button").click()
    saved.value.save_as(tmp_path / "model.zip")
    tab.page.get_by_text("compared on").wait_for()
    zipfile.ZipFile(tmp_path / "model.zip").extractall(tmp_path)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(tmp_path / "narrow.onnx"))
    samples = np.load(trained.folder / "runs/narrow/001/samples.npz")
    given = session.get_inputs()[0]
    raw = next(samples[name] for name in samples.files if samples[name].ndim == 3)
    found = session.run(None, {given.name: raw.astype("float64" if "double" in given.type else "float32")})[0]
    import pandas as pd

    said = pd.read_csv(trained.folder / "runs/narrow/001/predictions.csv")["network"].to_numpy()[samples["places"]]
    assert (found.argmax(axis=1) == said).all()


@pytest.mark.slow
def test_an_archive_opens_elsewhere(trained, tmp_path):
    (trained.folder / "flat.csv").write_text(HOMES)
    text = trained.ask("/api/data/init", data="flat.csv", language="en")["text"]
    file = trained.folder / "flat.yaml"
    file.write_text(text.replace("epochs: ", "epochs: 2  # "))
    done = dlspec("run", file.name, "--quiet", cwd=trained.folder)
    assert done.returncode == 0, done.stderr
    found = trained.ask("/api/take/make", run="flat/001", what="archive")
    with trained.client() as client:
        content = client.get(found["address"]).content
    (tmp_path / "all.zip").write_bytes(content)
    zipfile.ZipFile(tmp_path / "all.zip").extractall(tmp_path / "there")
    for path in trained.folder.glob("flat.*"):
        path.unlink()
    import dlspec as package
    from dlspec.runs.job import data_of

    run = package.open_run(tmp_path / "there" / "runs" / "flat" / "001")
    assert data_of(run).fingerprint == run.data.fingerprint
    assert package.validate(tmp_path / "there" / "flat.yaml") == []


def test_screens_fit_a_phone_in_korean_and_dark(browser, trained):
    settings = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "locale": "ko-KR"}
    with opened(browser, trained, **settings) as tab:
        for screen in ("data", "runs", "take"):
            tab.page.locator(f"[data-screen={screen}]").click()
            tab.page.wait_for_timeout(300)
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390, screen
            assert tab.violations() == [], screen
        assert tab.complaints == []
