"""The page: everything that was asked for is in it, it needs nothing from elsewhere, and a browser shows it."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import dlspec
from tests.browser import measured, needs_browser
from tests.conftest import TINY

FIGURES = {
    "series": ["Forecasts against truth", "What is left over", "Does it know which way?", "Loss",
               "What pretraining kept", "Activations after pretraining", "The series and its split"],
    "digits": ["What was taken for what", "Its surest mistakes", "Loss", "What pretraining kept",
               "First-layer filters after pretraining", "First-layer filters at the end",
               "Activations after pretraining", "Some of the training samples", "Samples of each class"],
    "spirals": ["The decision boundary", "How the layers bend the plane", "What was taken for what", "Loss",
                "Samples of each class"],
    "table": ["Predicted against true", "What is left over", "Loss"],
}  # fmt: skip


class Reader(HTMLParser):
    """Collects headings, text and what the page would load."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.loads += [
            value
            for key, value in values.items()
            if key in ("src", "href", "xlink:href") and value and not value.startswith(("#", "data:"))
        ]
        self.open += [] if tag in self.VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] == "h3":
            self.headings.append(data)
        self.text += data


def read(run) -> Reader:
    reader = Reader()
    reader.feed((run.folder / "report.html").read_text(encoding="utf-8"))
    assert not reader.open
    return reader


@pytest.mark.parametrize("name", TINY)
def test_the_page_has_every_figure_and_loads_nothing(tiny_run, name):
    run = tiny_run(name)
    page = read(run)
    assert page.loads == []
    assert page.headings[1:] == FIGURES[name]
    assert run.metrics.verdict.sentence.replace("`", "") in page.text
    assert "learning_rate" in page.text, "the resolved spec"
    for layer in ("input", "output"):
        assert layer in page.text
    for baseline in run.metrics.baselines:
        assert baseline in page.text


def test_inner_names_of_figures_do_not_collide(tiny_run):
    html = (tiny_run("series").folder / "report.html").read_text(encoding="utf-8")
    clips = re.findall(r'<clipPath id="([^"]+)"', html)
    assert len(clips) == len(set(clips))


def test_text_from_a_spec_cannot_become_markup(tmp_path):
    import dlspec

    text = TINY["table"].replace("name: tiny_table", 'name: t\ndescription: "<script>alert(1)</script>"')
    run = dlspec.run(dlspec.load(text, overrides={"train.epochs": 1}), out=tmp_path / "run")
    html = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.everyday("digits")
@needs_browser
@pytest.mark.parametrize("name", TINY)
def test_a_browser_shows_it_without_overflow(tiny_run, name, tmp_path):
    """The page measures itself in a real browser, wide and narrow: nothing sticks out to the right."""
    html = (tiny_run(name).folder / "report.html").read_text(encoding="utf-8")
    for width in (1200, 500):
        overflow, drawn = measured(html, tmp_path, width)
        assert overflow <= 0, f"{overflow} pixels too wide at {width}"
        assert drawn


@pytest.mark.parametrize(
    ("last", "line"), [("[dense: {units: 6, activation: tanh}]", True), ("[skip: [dense: 6]]", False)]
)
def test_a_line_is_spoken_of_where_one_is_drawn(last, line, tmp_path):
    layers = f"[dense: {{units: 6, activation: tanh}}, {last[1:-1]}, output]"
    text = f"dlspec: 1\ndata: {{dataset: {{spirals: {{samples: 120}}}}}}\nmodel: {layers}\ntrain: {{epochs: 1}}\n"
    page = dlspec.run(text, out=tmp_path / "run").report.read_text(encoding="utf-8")
    assert "How the layers bend the plane" in page
    assert ("which is drawn across the last one" in page) == line


@pytest.mark.slow
def test_a_report_is_drawn_the_same_without_the_data_file(tmp_path):
    rows = "".join(f"{i},{np.sin(i / 5):.4f}\n" for i in range(120))
    (tmp_path / "wave.csv").write_text(",t,y\n" + "".join(f"{i},{row}\n" for i, row in enumerate(rows.split())))
    (tmp_path / "wave.yaml").write_text(
        "dlspec: 1\ndata: {series: wave.csv, time: t, target: y, window: {length: 5}}\n"
        "model: [{lstm: 3}, output]\ntrain: {epochs: 1}\n"
    )
    finished = dlspec.run(tmp_path / "wave.yaml", out=tmp_path / "run")
    assert finished.data.raw_columns == ("y",), "the index that pandas writes is no feature"
    before = finished.report.read_text()
    assert str(tmp_path) not in before
    (tmp_path / "wave.csv").unlink()
    dlspec.report(finished.folder)
    assert finished.report.read_text() == before


def test_an_array_of_two_values_is_a_plane_and_a_word_is_none(tmp_path):
    random = np.random.default_rng(0)
    points = random.normal(size=(80, 2))
    np.savez(tmp_path / "points.npz", x=points, y=(points[:, 0] > 0).astype(int))
    words = "\n".join(
        f"{word},{word if random.random() < 0.9 else 'red'}" for word in random.choice(["red", "blue"], 80)
    )
    (tmp_path / "words.csv").write_text(f"w,y\n{words}\n")
    rest = "model: [{dense: 3}, output]\ntrain: {epochs: 1}\n"
    for name, data, plane in (
        ("points", f"{{arrays: {tmp_path}/points.npz, target: y}}", True),
        ("words", f"{{table: {tmp_path}/words.csv, target: {{y: category}}, features: {{w: category}}}}", False),
    ):
        run = dlspec.run(dlspec.load(f"dlspec: 1\ndata: {data}\n{rest}"), out=tmp_path / name)
        page = run.report.read_text(encoding="utf-8")
        assert ("The decision boundary" in page) == plane
        assert ("x 1" in page) == plane
