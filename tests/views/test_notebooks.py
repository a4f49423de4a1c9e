"""What a notebook shows of specs, networks and runs, and that nothing in it touches the rest of the page."""

import re
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest

import dlspec
from dlspec.api import examine
from tests.conftest import TINY

EMPTY = {"br", "rect", "path"}
ODD = """\
dlspec: 1
name: odd
description: '<script>alert(1)</script> & co'
data: {dataset: iris}
model: [dense: 3, output]
"""


class Page(HTMLParser):
    """What HTML has in it; every tag that is opened must be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], set(), set(), []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def shown(value) -> Page:
    """What a notebook gets, which must keep to itself."""
    html = value._repr_html_()
    page = Page(html)
    assert not page.tags & {"script", "style", "link", "iframe", "img"}
    assert not {name for name in page.attributes if name in ("id", "class") or name.startswith("on")}
    assert not re.search(r"url\(|(?<!data-)background:(?!none)|(?:fill|color):(?:#fff|white|black|#000)", html)
    return page


def test_a_run_shows_its_verdict_and_the_metrics_beside_the_baselines(tiny_run):
    run = tiny_run("table")
    page = shown(run)
    metrics = run.metrics
    assert metrics.verdict.sentence.replace("`", "") in page.text
    assert {"finished", run.spec.name, *metrics.scores()} <= {*page.words}
    for name in metrics.test:
        assert metrics.shown()[name]["network"] in page.words
        assert metrics.shown_interval(name) in page.words


def test_a_run_that_is_not_finished_says_so(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("table").folder, folder)
    (folder / "metrics.json").unlink()
    (folder / "state.json").unlink()
    page = shown(dlspec.open_run(folder))
    assert "unfinished: it does not say why" in page.words
    assert "It has no results yet." in page.words
    run = dlspec.open_run(folder)
    shutil.rmtree(folder)
    assert "error[no-run]" in shown(run).text


def test_a_damaged_run_shows_what_is_wrong_and_no_traceback(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("table").folder, folder)
    (folder / "metrics.json").write_text("{", encoding="utf-8")
    assert "metrics.json" in shown(dlspec.open_run(folder)).text


def test_a_judged_run_shows_what_is_different_too(tiny_run, tmp_path):
    run = tiny_run("table")
    found = dlspec.evaluate(run, rows_of(run, tmp_path))
    page = shown(found)
    assert found.metrics.verdict.sentence.replace("`", "") in page.text
    assert {each.column for each in found.differences} <= {*page.words}
    assert "what is different about these data" in page.words


def rows_of(run, folder):
    """The rows that it was trained on, in a file."""
    pd.DataFrame(run.spec.data.dataset.load(run.spec.seed)).to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def test_a_spec_shows_every_default_and_everything_in_it_is_escaped():
    page = shown(dlspec.load(ODD))
    assert "<script>alert(1)</script> & co" in page.words
    assert "batch_size" in page.words


def test_a_spec_with_errors_is_shown_as_it_was_written_with_them():
    page = shown(examine(ODD.replace("dense: 3", "dense: -3")).spec)
    assert "error[out-of-range]" in page.text
    assert "^" in page.text
    assert "batch_size" not in page.words


@pytest.mark.parametrize("name", ["table", "series", "digits"])
def test_a_network_is_drawn_without_a_style_of_the_page(name):
    graph = dlspec.graph(TINY[name])
    page = shown(graph)
    assert {*graph.by_name} <= {*page.words}
    assert "svg" in page.tags


def test_a_comparison_and_a_difference_are_tables(tiny_run, tmp_path):
    run = tiny_run("table")
    comparison = dlspec.compare(run, shutil.copytree(run.folder, tmp_path / "again"))
    page = shown(comparison)
    assert all(sentence.replace("`", "") in page.text for sentence in comparison.sentences)
    difference = dlspec.diff(ODD, ODD.replace("dense: 3", "dense: 30"))
    page = shown(difference)
    assert difference.sentence in page.words
    assert "dense_1" in page.words
