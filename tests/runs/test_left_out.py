"""What is left out of the data, filled in or not known is said and counted."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec

ROWS = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("left_out")
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "age": random.normal(40, 9, ROWS).round(1),
            "city": random.choice(["Ulm", "Bonn"], ROWS),
            "note": [f"a text of many words, number {place}" for place in range(ROWS)],
            "seen": pd.date_range("2024-01-01", periods=ROWS).astype(str),
            "mixed": [str(place) if place % 3 == 0 else f"x{place}" for place in range(ROWS)],
        }
    )
    rows["y"] = rows["age"] * 2
    rows.loc[::20, "age"] = np.nan
    rows.loc[5::40, "city"] = ""
    rows.loc[ROWS - 3 :, "city"] = "Kiel"
    rows.to_csv(folder / "rows.csv", index=False)
    return folder


def spec(folder, missing):
    file = folder / f"{missing}.yaml"
    file.write_text(
        f"dlspec: 1\ndata: {{table: rows.csv, target: y, missing: {missing}, split: {{by: order}}}}\n"
        "model: [output]\ntrain: {epochs: 1}\n"
    )
    return file


def test_plan_says_what_the_network_does_not_see(folder, monkeypatch, capsys):
    from dlspec.cli import main

    monkeypatch.setattr("sys.argv", ["dlspec", "plan", str(spec(folder, "median"))])
    with pytest.raises(SystemExit):
        main()
    shown = capsys.readouterr()
    assert "Not seen by the network:" in shown.out
    said = " ".join(shown.out.split())
    assert "`note`, `mixed` (it holds text, and is seen only where `features` names it)" in said
    assert "`seen` (it holds times" in said
    assert "numbers-among-words" in shown.err


def test_a_run_says_and_counts_it(folder):
    run = dlspec.run(spec(folder, "median"), out=folder / "filled")
    notes = " ".join(run.metrics.notes)
    assert "10 missing values of `age` were filled in with" in notes
    assert "Missing values of `city`, 5 of them, count as a word of their own." in notes
    assert "Not in the training part: 3 words of `city` in the other parts, which count as none." in notes
    assert "Not seen by the network: `note`, `mixed`" in notes
    data = json.loads((run.folder / "data.json").read_text())
    counted = {column["name"]: (column["missing"], column.get("unknown", 0)) for column in data["features"]}
    assert counted == {"age": (10, 0), "city": (5, 3)}
    assert set(data["not_seen"]) == {"note", "seen", "mixed"}


def test_rows_that_are_left_out_are_counted(folder):
    run = dlspec.run(spec(folder, "drop"), out=folder / "dropped")
    assert run.data.rows_left_out == 15
    assert "15 of 200 rows were left out, as they lack a value (`missing: drop`)." in run.metrics.notes


def test_numbers_behind_the_first_rows_are_told_of(tmp_path):
    """Words in the first rows, and numbers in all others: nothing that the first rows say is settled."""
    values = ["none"] * 300 + [str(place) for place in range(60)] * 15
    pd.DataFrame({"stay": values, "y": np.arange(len(values)) % 7}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.yaml").write_text("dlspec: 1\ndata: {table: t.csv, target: y}\nmodel: [output]\n")
    found = {problem.code: problem.message for problem in dlspec.validate(tmp_path / "s.yaml")}
    assert "98% of its different ones are numbers; `none` is none" in found["numbers-among-words"]
