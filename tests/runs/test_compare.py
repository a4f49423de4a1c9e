"""Finished runs side by side: what differs, and which is better by the rule of the verdict."""

import json
import re
import shutil
import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2, ttest_rel

import dlspec
from dlspec.evaluation.intervals import Dependence, interval_of_mean
from dlspec.evaluation.mcnemar import mcnemar
from dlspec.runs import start
from dlspec.runs.listener import Listener
from dlspec.runs.paired import pair
from dlspec.runs.side_by_side import differing_keys, short_names
from dlspec.training.progress import Stopped
from tests.browser import measured, needs_browser
from tests.commands import dlspec_here, modules_loaded_by
from tests.conftest import TINY

ROWS = 240
KINDS = {
    "number": "target: y, features: [a, b]",
    "mixed": "target: [y, z], features: [a, b]",
    "labels": "target: [rain, wind], features: [a, b]",
    "groups": "target: kind, features: [a, b], split: {group: patient}",
    "input": "target: input, features: [a, b, y]",
}
SERIES = (
    "dlspec: 1\nname: waves\ndata: {dataset: {mackey_glass: {samples: 400}}, predict: level, window: {length: 4}}\n"
    "model: [flatten, output]\ntrain: {epochs: 1}\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("compared")
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, ROWS))
    yes = lambda values: np.where(values, "yes", "no")  # noqa: E731
    pd.DataFrame(
        {
            "a": a, "b": b, "patient": np.arange(ROWS) // 3, "y": a + b + random.normal(size=ROWS) / 3,
            "z": 100 * a - b, "rain": yes(a > 0), "wind": yes(b > 0), "kind": yes(a + b > 0),
        }
    ).to_csv(home / "rows.csv", index=False)  # fmt: skip
    for name, data in KINDS.items():
        text = f"dlspec: 1\nname: {name}\ndata: {{table: rows.csv, {data}}}\nmodel: [dense: 4, output]\n"
        (home / f"{name}.yaml").write_text(f"{text}train: {{epochs: 1}}\n", encoding="utf-8")
    (home / "series.yaml").write_text(SERIES, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def trained(home):
    """Trains a spec, with other values in it, and draws no report."""

    def train(kind, folder, overrides):
        return start(dlspec.load(home / f"{kind}.yaml", overrides), out=folder, listener=None)

    return train


@pytest.fixture(scope="module")
def two(home, trained):
    """A run, and a second: of numbers one that was trained longer, else a copy that predicts what a baseline did."""
    runs = {}

    def get(kind):
        if kind not in runs:
            first = trained(kind, home / "runs" / f"{kind}_1", {})
            second = home / "runs" / f"{kind}_6"
            guessing = kind != "number"
            runs[kind] = first, guess_of(first, second) if guessing else trained(kind, second, {"train.epochs": 6})
        return runs[kind]

    return get


def guess_of(run, folder):
    """A copy of a run whose network predicts what the best baseline did."""
    best = run.metrics.verdict.against
    shutil.copytree(run.folder, folder)
    (folder / "SHA256SUMS").unlink()
    table = pd.read_csv(folder / "predictions.csv")
    for name in [name for name in table if name.partition(":")[0] == "network"]:
        table[name] = table[name.replace("network", best)]
    for name in [name for name in table if name.startswith("p(")]:
        table[name] = (table["network"] == name[2:-1]).astype(float)
    table.to_csv(folder / "predictions.csv", index=False)
    return dlspec.open_run(folder)


@pytest.fixture(scope="module")
def spirals(home, tiny_run):
    """The tiny run of spirals, and another with more units."""
    wider = dlspec.run(dlspec.load(TINY["spirals"], {"model.0.dense.units": 9}), out=home / "wider")
    return tiny_run("spirals"), wider


# --- the same rule as the verdict


@pytest.mark.everyday(2)
@pytest.mark.parametrize("kind", [*KINDS, "series"])
def test_a_run_against_a_guess_is_judged_as_the_verdict_judges_it(two, kind, tmp_path):
    """Over a copy whose network predicts what the best baseline did, a run gains what its verdict says."""
    run, other = two(kind)
    guess = guess_of(run, tmp_path / "guess") if kind == "number" else other
    (found,) = dlspec.compare(guess, run).found.pairs
    verdict = run.metrics.verdict
    assert found.verdict.gain == pytest.approx(verdict.gain, rel=1e-6)
    assert found.verdict.pieces == pytest.approx(verdict.pieces)
    assert found.verdict.gain_of == verdict.gain_of
    assert (found.verdict.gain_interval is None) == (verdict.gain_interval is None)
    if verdict.gain_interval is not None:  # its upper end allows for the choice of the baseline
        assert found.verdict.gain_interval[0] == pytest.approx(verdict.gain_interval[0], rel=1e-5)


def test_p_is_that_of_the_paired_t_test():
    random = np.random.default_rng(1)
    for shift in (0.0, 0.1, 0.5):
        values = random.normal(size=60) + shift
        found = interval_of_mean(values)
        assert found.p == pytest.approx(ttest_rel(values, np.zeros(60)).pvalue)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0), "it fits the interval"
    groups = np.repeat(np.arange(20), 3)
    means = values.reshape(20, 3).mean(axis=1)
    assert interval_of_mean(values, Dependence(groups)).p == pytest.approx(ttest_rel(means, np.zeros(20)).pvalue)
    assert interval_of_mean(values[:5]).p is None
    assert interval_of_mean(np.zeros(30)).p == 1


def test_mcnemar_is_exact_for_few_and_by_chi_squared_for_many():
    for first, second in ((0, 0), (1, 0), (3, 9), (12, 12), (24, 0)):
        wanted = binomtest(first, first + second).pvalue if first + second else 1.0
        assert mcnemar(first, second).p == pytest.approx(wanted)
        assert mcnemar(first, second).exact
    assert mcnemar(59, 6) == (59, 6, pytest.approx(chi2.sf((53 - 1) ** 2 / 65, 1)), False)
    assert mcnemar(30, 30).p == 1


# --- what is told


def test_two_runs_of_classes_are_compared(spirals):
    found = dlspec.compare(*spirals)
    (own,) = found.found.pairs
    one, other = (run.predictions for run in spirals)
    right = [table["network"] == table["truth"] for table in (one, other)]
    assert own.mcnemar[:2] == (int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum()))
    assert own.verdict.gain == pytest.approx(right[1].mean() - right[0].mean())
    assert [(key.name, key.values) for key in found.found.keys] == [("model.0.dense.units", (6, 9))]
    assert found.found.same_data
    assert "The same in all: data, test rows, seed, versions of libraries" in str(found)
    assert "McNemar's test by the binomial distribution" in str(found)
    for run in spirals:
        assert run.metrics.shown()["accuracy"]["majority"] in str(found)


@pytest.mark.parametrize("kind", [*KINDS, "series"])
def test_every_kind_of_target_has_figures_a_test_and_a_page(two, kind, tmp_path):
    found = dlspec.compare(*two(kind))
    (own,) = found.found.pairs
    assert own.verdict.outcome in ("better", "level", "worse", "too_few")
    assert own.samples == len(two(kind)[0].predictions)
    assert own.mcnemar is None
    if kind == "groups":
        assert own.verdict.pieces < own.samples
        assert "takes samples to be independent, and these belong to groups" in str(found)
    page = found.write_page(tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    json.dumps(found.as_json(), allow_nan=False)


def test_without_the_metric_of_the_verdict_its_losses_are_told(trained, tmp_path):
    one, other = (
        trained("number", tmp_path / str(epochs), {"evaluate.metrics": ["mae"], "train.epochs": epochs})
        for epochs in (1, 3)
    )
    (own,) = dlspec.compare(one, other).found.pairs
    errors = [((run.predictions["truth"] - run.predictions["network"]) ** 2).mean() for run in (other, one)]
    assert f"mean squared error {errors[0]:.3f}"[:-1] in own.verdict.sentence
    assert own.verdict.gain == pytest.approx(errors[1] - errors[0])


def test_rows_in_another_order_are_matched(two, tmp_path):
    first, second = two("number")
    shutil.copytree(second.folder, tmp_path / "run")
    (tmp_path / "run" / "SHA256SUMS").unlink()
    path = tmp_path / "run" / "predictions.csv"
    pd.read_csv(path).sample(frac=1, random_state=1).to_csv(path, index=False)
    straight, mixed = (dlspec.compare(first, run).found.pairs[0] for run in (second, tmp_path / "run"))
    assert mixed.verdict.gain == pytest.approx(straight.verdict.gain)
    assert mixed.p == pytest.approx(straight.p)


def test_three_runs_are_compared_with_the_first(two, trained, home):
    third = trained("number", home / "sub" / "third", {"train.epochs": 2, "data.features": ["a"]})
    found = dlspec.compare(*two("number"), third)
    assert found.found.names == ("runs/number_1", "runs/number_6", "sub/third")
    assert len(found.found.pairs) == 2
    assert all(own.p is not None for own in found.found.pairs)
    assert "2 runs are compared with `runs/number_1`" in str(found)
    assert "below 0.025" in str(found)
    assert {key.name: key.values for key in found.found.keys} == {
        "train.epochs": (1, 6, 2), "data.features": (["a", "b"], ["a", "b"], ["a"]),
    }  # fmt: skip


def test_other_test_rows_other_targets_and_other_data_are_told(two, trained, home):
    first, _ = two("number")
    other_seed = trained("number", home / "other_seed", {"seed": 1})
    (own,) = dlspec.compare(first, other_seed).found.pairs
    assert own.verdict is None
    assert own.why_not.startswith("their test rows differ (")
    assert "No test of `other_seed` against `runs/number_1`: their test rows differ" in str(
        dlspec.compare(first, other_seed)
    )
    (own,) = dlspec.compare(first, two("mixed")[0]).found.pairs
    assert own.why_not == "they predict different things"
    different = dlspec.compare(first, two("series")[1])
    assert not different.found.same_data
    assert "The runs are of different data: their figures cannot be compared." in str(different)
    assert "—" in str(different), "a metric that one of them lacks"


def test_older_runs_that_do_not_record_enough_say_so(two, tmp_path):
    for kind, change, words in (
        ("mixed", "data.json", "by what the errors of several targets are divided"),
        ("groups", "predictions.csv", "the groups of the test rows"),
    ):
        copies = []
        for number, run in enumerate(two(kind)):
            folder = tmp_path / f"{kind}{number}"
            shutil.copytree(run.folder, folder)
            (folder / "SHA256SUMS").unlink(missing_ok=True)
            path = folder / change
            if change == "data.json":
                values = json.loads(path.read_text())
                assert values["target"].pop("deviations")
                path.write_text(json.dumps(values), encoding="utf-8")
            else:
                pd.read_csv(path).drop(columns="group").to_csv(path, index=False)
            copies.append(folder)
        assert words in dlspec.compare(*copies).found.pairs[0].why_not


def test_inputs_that_are_seen_otherwise_are_not_compared(two):
    first, second = two("input")
    specs = [{"data": {"scale": scale}} for scale in ("standard", "min_max")]
    assert "made differently of the data" in pair(first, second, ("a", "b"), specs).why_not
    assert pair(first, second, ("a", "b"), specs[:1] * 2).verdict is not None


def test_keys_of_other_layers_are_told_by_type_and_number():
    dense = lambda units: {"dense": {"units": units, "kernel_initializer": {"glorot": {}}}}  # noqa: E731
    one = {"model": [dense(4), dense(5), "output"], "train": {"epochs": 1}}
    other = {"model": [dense(4), {"dropout": {"rate": 0.2}}, dense(6), "output"], "train": {"epochs": 1}}
    assert [(key.name, key.values) for key in differing_keys([one, other])] == [
        ("model.in order", (["dense", "dense", "output"], ["dense", "dropout", "dense", "output"])),
        ("model.dense[2].units", (5, 6)),
        ("model.dropout[1].rate", (None, 0.2)),
    ]
    assert list(differing_keys([one, one])) == []
    assert [key.name for key in differing_keys([{"a": True}, {"a": 1}])] == ["a"]


def test_names_are_the_ends_of_paths_that_differ(tmp_path):
    assert short_names([tmp_path / "a" / "001", tmp_path / "a" / "002"]) == ("001", "002")
    assert short_names([tmp_path / "a" / "001", tmp_path / "b" / "001"]) == ("a/001", "b/001")
    assert short_names([tmp_path / "a", tmp_path / "a" / "sub"]) == ("a", "a/sub")


def test_data_files_are_the_same_from_wherever_a_run_lies(two, trained, home):
    """In the resolved spec their paths are relative to the run folder."""
    first, _ = two("number")
    deep = trained("number", home / "deep" / "down" / "run", {"train.batch_size": 20})
    assert [key.name for key in dlspec.compare(first, deep).found.keys] == ["train.batch_size"]


# --- mistakes


class Stop(Listener):
    def epoch_ends(self, stage, row):
        raise KeyboardInterrupt


def test_what_cannot_be_compared_is_said(spirals, tmp_path, home):
    run = spirals[0].folder
    with pytest.raises(Stopped):
        dlspec.run(dlspec.load(TINY["spirals"]), out=tmp_path / "stopped", listener=Stop())
    shutil.copytree(run, tmp_path / "damaged")
    (tmp_path / "damaged" / "predictions.csv").write_text("row\n", encoding="utf-8")
    for other, code in (
        (run, "too-few-runs"), (tmp_path / "stopped", "unfinished-run"), (tmp_path / "damaged", "data-unreadable"),
        (tmp_path, "no-run"),
    ):  # fmt: skip
        done = dlspec_here("compare", run, other, cwd=tmp_path)
        assert (done.returncode, f"error[{code}]" in done.stderr) == (3, True), done.stderr
    assert dlspec_here("compare", run, cwd=tmp_path).returncode == 2
    with pytest.raises(dlspec.DataError, match="too-few-runs"):
        dlspec.compare(run)


# --- the command and the page


def test_the_command_prints_tables_sentences_and_json(spirals, tmp_path):
    folders = [run.folder for run in spirals]
    done = dlspec_here("compare", *folders, "--out", "compare.html", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "compare.html"
    for words in ("model.0.dense.units", "95% confidence", "McNemar's test", "test part: spiral"):
        assert words in done.stdout
    again = dlspec_here("compare", *folders, "--out", "compare.html", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (3, True)
    nowhere = dlspec_here("compare", *folders, "--out", "no/such/compare.html", cwd=tmp_path)
    assert (nowhere.returncode, "error[cannot-write]" in nowhere.stderr) == (3, True)
    found = json.loads(dlspec_here("compare", *folders, "--json", cwd=tmp_path).stdout)
    assert found == json.loads(json.dumps(dlspec.compare(*folders).as_json()))


def test_a_comparison_loads_no_framework(spirals):
    began = time.monotonic()
    loaded = modules_loaded_by("compare", *(run.folder for run in spirals))
    print(f"\n{time.monotonic() - began:.2f} s")
    assert "pandas" in loaded
    assert not loaded & {"matplotlib", "keras", "tensorflow", "jax", "torch", "sklearn"}


def test_the_page_is_strict_and_loads_nothing(spirals, tmp_path):
    page = dlspec.compare(*spirals).write_page(tmp_path / "c.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)|@import|url\((?!#)', page)
    assert "prefers-color-scheme: dark" in page


def test_nothing_of_a_run_is_mark_up(trained, tmp_path):
    folders = []
    for number in (1, 2):
        folder = tmp_path / f"<img src=x>{number}"
        trained("number", folder, {"train.epochs": number, "description": "<img src=y>" * number})
        folders.append(folder)
    page = dlspec.compare(*folders).write_page(tmp_path / "c.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "&lt;img src=x&gt;1" in page


@needs_browser
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_in_a_window(two, home, tmp_path, width):
    page = dlspec.compare(*two("number"), two("mixed")[0]).write_page(tmp_path / "c.html").read_text(encoding="utf-8")
    overflow, drawn = measured(page, tmp_path, width)
    assert overflow <= 0
    assert drawn
