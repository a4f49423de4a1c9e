"""A run judged by a file: on its own test part it comes to what was measured; on other data it says what differs."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from tests.browser import measured, needs_browser
from tests.commands import dlspec_here
from tests.conftest import TINY

NETWORK = "model: [flatten, {dense: {units: 8, activation: relu}}, output]\ntrain: {epochs: 2}\n"


def run_of(folder, data, network=NETWORK):
    (folder / "spec.yaml").write_text(f"dlspec: 1\nname: judged\ndata: {data}\n{network}")
    return dlspec.run(folder / "spec.yaml", out=folder / "run")


def alike(found, run):
    """The figures are those that the run measured on its test part."""
    assert found.metrics.test == pytest.approx(dict(run.metrics.test), rel=1e-4)
    for name, scores in run.metrics.baselines.items():
        assert found.metrics.baselines[name] == pytest.approx(dict(scores), rel=1e-4), name
    assert found.metrics.verdict.outcome == run.metrics.verdict.outcome
    assert found.metrics.verdict.against == run.metrics.verdict.against


@pytest.mark.parametrize("name", TINY)
def test_the_test_part_in_a_file_is_judged_as_in_the_run(tiny_run, name, tmp_path):
    run = dlspec.open_run(tiny_run(name).folder)
    columns = run.spec.data.dataset.load(run.spec.seed)
    rows = run.predictions["row"].to_numpy()
    if name == "digits":
        file = tmp_path / "test.npz"
        np.savez(file, x=columns["image"][rows], y=columns["digit"][rows].astype(int))
    else:
        if name == "series":  # two timesteps ahead, the first forecast of a part is of its second row
            rows = np.arange(rows[0] - 1, rows[-1] + 1)
        file = tmp_path / "test.csv"
        pd.DataFrame({key: values[rows] for key, values in columns.items()}).to_csv(file, index=False)
    found = dlspec.evaluate(run, file)
    alike(found, run)
    assert found.judged == len(run.predictions)
    assert {*found.metrics.test_intervals} == {*run.metrics.test_intervals}
    assert list(found.predictions.columns) == list(run.predictions.columns)
    if name == "series":
        assert all(each.chance is None for each in found.differences)


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """A table of numbers, words and text, with a class that follows from them."""
    folder, random = tmp_path_factory.mktemp("shops"), np.random.default_rng(0)
    size, kind = random.normal(size=900), random.choice(["old", "new", "own"], 900)
    frame = pd.DataFrame({
        "size": size.round(4), "kind": kind, "age": random.integers(1, 60, 900),
        "pays": np.where(size + (kind == "own") + 0.3 * random.normal(size=900) > 0.3, "yes", "no"),
    })  # fmt: skip
    frame[:600].to_csv(folder / "shops.csv", index=False)
    network = NETWORK.replace("epochs: 2", "epochs: 25, optimizer: {adam: 0.01}")
    return folder, run_of(folder, "{table: shops.csv, target: pays}", network), frame


def test_other_data_are_judged_and_what_differs_is_said(shops, tmp_path):
    _, run, frame = shops
    new = frame[600:].copy()
    new["size"] += 0.8
    new["kind"] = new["kind"].where(np.arange(300) % 10 > 0, "rented")
    new = new.astype(object)
    new.iloc[3, 3] = "maybe"
    new.iloc[4, 3] = None
    new.iloc[5, 2] = "n/k"
    new.to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",")
    found = dlspec.evaluate(run, tmp_path / "new.csv")
    assert (found.rows, found.judged) == (300, 297)
    said = " ".join(found.metrics.notes)
    assert "1 of 300 rows, without the truth" in said
    assert "`maybe` (1)" in said
    assert '"n/k" in row 6' in said
    of = {each.column: each for each in found.differences}
    assert of["size"].drifted
    assert of["size"].chance < 0.001
    assert "outside the range" in of["size"].sentence
    assert of["kind"].unknown == 30
    assert not of["age"].drifted
    truth = new["pays"][[i for i in range(600, 900) if i not in (603, 604, 605)]]
    assert list(found.predictions["truth"]) == list(truth)
    assert found.metrics.test["accuracy"] == pytest.approx(
        (found.predictions["truth"] == found.predictions["network"]).mean()
    )
    low, high = found.metrics.test_intervals["accuracy"]
    assert low < found.metrics.test["accuracy"] < high
    predicted = tmp_path / "predicted.csv"
    with predicted.open("wb") as out:
        dlspec.predict(run, tmp_path / "new.csv", out)
    again = pd.read_csv(predicted, sep=";")["predicted pays"].drop([3, 4, 5])
    assert list(again) == list(found.predictions["network"])


def test_rows_that_were_trained_on_are_counted(shops):
    folder, run, frame = shops
    frame[500:700].to_csv(folder / "both.csv", index=False)
    (note,) = [note for note in dlspec.evaluate(run, folder / "both.csv").metrics.notes if "training part" in note]
    assert 50 < int(note.split()[0]) < 100
    frame[600:].to_csv(folder / "fresh.csv", index=False)
    assert dlspec.evaluate(run, folder / "fresh.csv").metrics.notes == ()
    one = frame[600:].copy()
    seen = []
    for row in range(20):  # of twenty rows of the run some were trained on, and each alone is told
        one.iloc[7] = frame.iloc[row]
        one.to_csv(folder / "one.csv", index=False)
        seen += [note for note in dlspec.evaluate(run, folder / "one.csv").metrics.notes if "training part" in note]
    assert 5 < len(seen) < 20
    assert all(note.startswith("1 of 300 rows") for note in seen)


def test_without_the_data_of_the_run_that_is_said(shops, tmp_path):
    import shutil

    folder, _, frame = shops
    shutil.copytree(folder / "run", tmp_path / "run")
    frame[600:].to_csv(tmp_path / "new.csv", index=False)
    alone = dlspec.evaluate(tmp_path / "run", tmp_path / "new.csv")
    assert any("cannot be told" in note for note in alone.metrics.notes)
    for name in ("baselines.json", "baselines.npz"):  # as an older run
        (tmp_path / "run" / name).unlink()
    older = dlspec.evaluate(tmp_path / "run", tmp_path / "new.csv")
    assert older.metrics.verdict.outcome == "alone"
    assert any(note.startswith("There is no baseline") for note in older.metrics.notes)
    shutil.copy(folder / "shops.csv", tmp_path / "shops.csv")
    again = dlspec.evaluate(tmp_path / "run", tmp_path / "new.csv")
    assert any("fitted again" in note for note in again.metrics.notes)
    assert again.metrics.baselines["linear"] == pytest.approx(dict(alone.metrics.baselines["linear"]))


def test_the_command_prints_and_draws(shops, tmp_path):
    _, run, frame = shops
    frame[600:].to_csv(tmp_path / "new.csv", index=False)
    page, table = tmp_path / "new.html", tmp_path / "new_predictions.csv"
    words = ["evaluate", str(run.folder), str(tmp_path / "new.csv")]
    done = dlspec_here(*words, "--report", str(page), "--predictions", str(table), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "300 of 300 rows: pays" in done.stdout
    assert run.metrics.verdict.against in done.stdout
    assert len(pd.read_csv(table)) == 300
    html = page.read_text(encoding="utf-8")
    for text in ("What is different about these data", "best on these data", "What was taken for what"):
        assert text in html
    again = dlspec_here(*words, "--report", str(page), cwd=tmp_path)
    assert again.returncode == 3
    assert "is there already" in again.stderr
    figures = json.loads(dlspec_here(*words, "--json", cwd=tmp_path).stdout)
    assert figures["judged"] == 300
    assert {each["column"] for each in figures["differences"]} == {"size", "kind", "age", "pays"}


@needs_browser
def test_the_page_fits_wide_and_narrow(shops, tmp_path):
    from dlspec.views.report import render_evaluation

    folder, run, frame = shops
    frame[600:].to_csv(folder / "page.csv", index=False)
    html = render_evaluation(dlspec.evaluate(run, folder / "page.csv"))
    for width in (1200, 500):
        overflow, drawn = measured(html, tmp_path, width)
        assert overflow <= 0
        assert drawn


def test_forecasts_look_back_to_the_data_of_the_run_where_these_go_on(tmp_path):
    random = np.random.default_rng(1)
    days = pd.date_range("2021-01-01", periods=200)
    frame = pd.concat(
        pd.DataFrame({"day": days, "shop": shop, "sold": np.sin(np.arange(200) / 5) + 0.1 * random.normal(size=200)})
        for shop in ("a", "b")
    )
    frame[frame["day"] < days[150]].to_csv(tmp_path / "sold.csv", index=False)
    run = run_of(
        tmp_path, "{series: sold.csv, time: day, group: shop, target: sold, predict: difference, window: {length: 7}}"
    )
    later = frame[frame["day"] >= days[150]]
    later.to_csv(tmp_path / "later.csv", index=False)
    found = dlspec.evaluate(run, tmp_path / "later.csv")
    assert found.judged == 100
    assert {*found.metrics.by_series} == {"a", "b"}
    assert found.predictions["time"].iloc[0] == "2021-05-31T00:00:00"
    own = frame.reset_index(drop=True)
    truth = own[own["day"] >= days[150]]["sold"].to_numpy()
    assert np.allclose(np.sort(found.predictions["truth"]), np.sort(truth))
    before = own["sold"].to_numpy()[own.index[own["day"] >= days[150]] - 1]
    assert np.allclose(np.sort(found.predictions["persistence"]), np.sort(before))
    odd = later.assign(remark="x", sold=later["sold"].astype(object))
    odd.iloc[20, 2], odd.iloc[70, 2] = "oops", None  # with a column more, a hole, and what is no number
    odd["day"] = odd["day"].dt.strftime("%d.%m.%Y")
    odd.to_csv(tmp_path / "odd.csv", index=False)
    holes = dlspec.evaluate(run, tmp_path / "odd.csv")
    assert holes.judged == 100 - 2 * (1 + 8)  # each takes the windows that would see it
    assert any('the text "oops" in row 21' in note for note in holes.metrics.notes)
    assert any(note.startswith("Not judged: 18 of 100 rows") for note in holes.metrics.notes)
    gap = frame[frame["day"] >= days[160]]
    gap.iloc[::-1].to_csv(tmp_path / "gap.csv", index=False)  # the newest first, and not where the run ends
    apart = dlspec.evaluate(run, tmp_path / "gap.csv")
    assert apart.judged == 2 * (40 - 8)
    assert any("does not go on" in note for note in apart.metrics.notes)
    later.drop(columns="day").to_csv(tmp_path / "no_times.csv", index=False)
    timeless = dlspec.evaluate(run, tmp_path / "no_times.csv")
    assert timeless.judged == 2 * (50 - 8)
    assert any("no column of times" in note for note in timeless.metrics.notes)
    frame.to_csv(tmp_path / "all.csv", index=False)
    seen = dlspec.evaluate(run, tmp_path / "all.csv")
    assert any("forecasts are of times that the network was trained on" in note for note in seen.metrics.notes)


@pytest.mark.slow
def test_labels_texts_and_inputs_are_judged_too(tmp_path):
    words = ["red", "blue", "soft", "hard"]
    random = np.random.default_rng(2)
    picked = [[word for word in words if random.random() < 0.5] for _ in range(240)]
    frame = pd.DataFrame({"text": [f"it is {' and '.join(own)}" for own in picked],
                          "tags": [" ".join(own) for own in picked]})  # fmt: skip
    frame[:160].to_csv(tmp_path / "tags.csv", index=False)
    frame[160:].to_csv(tmp_path / "new.csv", index=False)
    run = run_of(tmp_path, "{table: tags.csv, target: {tags: {tags: ' '}}, features: {text: {text: {words: 20}}}}")
    found = dlspec.evaluate(run, tmp_path / "new.csv")
    assert found.judged == 80
    assert {*found.metrics.by_target} == {*run.metrics.by_target}
    x = random.normal(size=(300, 6)) @ random.normal(size=(6, 6)) + 5
    np.savez(tmp_path / "x.npz", x=x[:200])
    np.savez(tmp_path / "more.npz", x=x[200:])
    (tmp_path / "inputs").mkdir()
    np.savez(tmp_path / "inputs" / "x.npz", x=x[:200])
    coder = run_of(tmp_path / "inputs", "{arrays: x.npz, target: input}", "model: [{dense: 3}, output]\n")
    rows = coder.predictions["row"].to_numpy()
    np.savez(tmp_path / "own.npz", x=x[rows])
    alike(dlspec.evaluate(coder, tmp_path / "own.npz"), coder)
    assert dlspec.evaluate(coder, tmp_path / "more.npz").judged == 100


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("size,kind,age\n1,own,3\n", "missing-column", "pays"),
        ("kind,age,pays\nown,3,yes\n", "missing-column", "size"),
        ("size,kind,age,pays\n", "no-rows", "no rows"),
        ("size,kind,age,pays\n1,own,3,\n", "no-rows", "truth"),
        ("size,kind,age,pays\n1,own,3,YES\n", "unknown-label", "there are `YES`, and in training `no` and `yes`"),
        ("size,kind,age,pays\nx,own,3,yes\n", "no-rows", '"x" in row 1'),
    ],
)
def test_what_cannot_be_judged_is_refused(shops, tmp_path, text, code, said):
    _, run, _ = shops
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        dlspec.evaluate(run, tmp_path / "new.csv")
    assert [problem.code for problem in caught.value.diagnostics] == [code]
    assert said in str(caught.value)


def test_groups_and_classes_that_are_written_as_numbers(tmp_path):
    random = np.random.default_rng(4)
    frame = pd.DataFrame({"who": np.repeat(np.arange(40), 6), "x": random.normal(size=240).round(5)})
    frame["sick"] = (frame["x"] > 0).astype(int)
    frame[:180].to_csv(tmp_path / "a.csv", index=False)
    run = run_of(tmp_path, "{table: a.csv, target: {sick: category}, features: [x], split: {group: who}}")
    frame.assign(sick=frame["sick"].astype(float)).to_csv(tmp_path / "floats.csv", index=False)
    found = dlspec.evaluate(run, tmp_path / "floats.csv")
    assert found.judged == 240
    (note,) = found.metrics.notes
    assert "stand in the training part" in note
    assert found.metrics.verdict.pieces == 40
    assert all(each.chance is None for each in found.differences)  # groups are no independent rows
    frame[180:].drop(columns="who").to_csv(tmp_path / "alone.csv", index=False)
    assert any("no column `who`" in note for note in dlspec.evaluate(run, tmp_path / "alone.csv").metrics.notes)


@pytest.mark.slow
def test_a_number_that_is_predicted_is_compared_too(tmp_path):
    random = np.random.default_rng(5)
    frame = pd.DataFrame({"x": random.normal(size=500)})
    frame["y"] = 2 * frame["x"] + random.normal(size=500)
    frame[:300].to_csv(tmp_path / "a.csv", index=False)
    run = run_of(tmp_path, "{table: a.csv, target: y}")
    for shift, drifted in ((0, False), (3, True)):
        frame[300:].assign(y=frame["y"] + shift).to_csv(tmp_path / f"{shift}.csv", index=False)
        of = {each.column: each for each in dlspec.evaluate(run, tmp_path / f"{shift}.csv").differences}
        assert (of["y"].drifted, of["x"].drifted) == (drifted, False)


def test_a_file_that_is_not_there_and_a_run_that_is_not_finished(shops, tmp_path):
    _, run, _ = shops
    with pytest.raises(DataError, match="no file"):
        dlspec.evaluate(run, tmp_path / "gone.csv")
    with pytest.raises(DataError):
        dlspec.evaluate(tmp_path, tmp_path / "gone.csv")
