"""A run folder that was changed: whatever the change, it ends in a result or in a diagnostic that names the file."""

import csv
import io
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError, DiagnosticError
from dlspec.runs.checksums import write_checksums
from dlspec.runs.records.history import read_history, write_history
from dlspec.runs.run import STAYING
from dlspec.runtime.archives import CHECKSUM, with_checksum
from dlspec.training.progress import HistoryRow
from dlspec.views.report import write_report
from tests.commands import dlspec_here
from tests.runs.test_folds import IRIS

OTHER_VALUES = ("text", "", 7, -1, 1.5, None, [], {}, [1], {"a": 1}, True, "7", 10**30)
OTHER_CELLS = ("text", "", "-1", "nan", "inf", "1.5", "a,b")
FOLDED = IRIS + "evaluate: {compare: {without_pretraining: {seeds: 2}}}\n"


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """A run with everything that a folder may hold."""
    return dlspec.run(FOLDED, out=tmp_path_factory.mktemp("folded") / "run").folder


# --- changes


def places(values, path=()) -> Iterator[tuple]:
    """Every place of a JSON value."""
    if path:
        yield path
    if isinstance(values, dict | list):
        for key in values if isinstance(values, dict) else range(len(values)):
            yield from places(values[key], (*path, key))


def changed(values, path, change):
    """A copy in which `change(what holds the place, key)` was done."""
    copy = json.loads(json.dumps(values))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return json.dumps(copy)


def changes_of_json(path: Path) -> Iterator[tuple[str, str]]:
    values = json.loads(path.read_text(encoding="utf-8"))
    for place in places(values):
        yield f"without {place}", changed(values, place, lambda holder, key: holder.pop(key))
        for other in OTHER_VALUES:
            put = lambda holder, key, other=other: holder.__setitem__(key, other)  # noqa: E731
            yield f"{place} is {other!r}", changed(values, place, put)


def changes_of_csv(path: Path) -> Iterator[tuple[str, str]]:
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))

    def text(*lines):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(lines)
        return out.getvalue()

    for i, name in enumerate(header):
        yield f"without `{name}`", text(*([*line[:i], *line[i + 1 :]] for line in (header, *rows)))
        yield f"`{name}` called otherwise", text([*header[:i], "other", *header[i + 1 :]], *rows)
        for cell in OTHER_CELLS:
            first, *others = rows
            yield f"`{name}` is {cell!r} once", text(header, [*first[:i], cell, *first[i + 1 :]], *others)
    yield "no rows", text(header)
    yield "a cell too many", text(header, [*rows[0], "x"], *rows[1:])
    yield "an open quote", path.read_text(encoding="utf-8") + '"open'


def changes_of_arrays(path: Path) -> Iterator[tuple[str, bytes]]:
    with np.load(path) as file:
        arrays = dict(file)

    def packed(named):
        out = io.BytesIO()
        np.savez_compressed(out, **named)
        return out.getvalue()

    for name, values in arrays.items():
        yield f"without `{name}`", packed({other: found for other, found in arrays.items() if other != name})
        for how, other in (
            ("empty", values[:0] if values.ndim else values.reshape(1)),
            ("flat", values.ravel()[:3]),
            ("words", np.array(["a"] * max(1, values.size))),
            ("deeper", values[..., None]),
        ):
            yield f"`{name}` {how}", packed({**arrays, name: other})


def changes_of_bytes(path: Path, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    whole = path.read_bytes()
    yield "empty", b""
    yield "other bytes", bytes(range(256))
    for _ in range(3):
        place = chance.randrange(len(whole))
        yield f"cut at {place}", whole[:place]
        yield (
            f"byte {place} flipped",
            whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :],
        )


KINDS = {".json": changes_of_json, ".csv": changes_of_csv, ".npz": changes_of_arrays}


def all_changes(folder: Path, chance: random.Random, but=()) -> list[tuple[Path, str, bytes]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in ("SHA256SUMS", "report.html", "spec.yaml", *but):
            continue
        several = list(changes_of_bytes(path, chance))
        if path.suffix in KINDS:
            several += KINDS[path.suffix](path)
        found += [
            (path.relative_to(folder), what, new if isinstance(new, bytes) else new.encode()) for what, new in several
        ]
    return found


def read_all(folder):
    """Everything that a run has, without drawing."""
    run = dlspec.open_run(folder)
    small = run.spec, run.metrics, run.environment, run.data, run.history, run.graph
    return *small, run.predictions, run.pictures, run.baselines


def outcome(folder, use) -> str:
    """`fine`, or the code of what is reported; any other error is raised."""
    try:
        use(folder)
    except DiagnosticError as error:
        return error.diagnostics[0].code
    return "fine"


# --- they end in a diagnostic


def test_a_change_of_any_file_of_a_finished_run_is_reported(tiny_run, tmp_path):
    """Its checksum is another."""
    folder = tmp_path / "run"
    changes = all_changes(tiny_run("digits").folder, random.Random(1), but=("state.json", "events.jsonl"))
    for rel, what, new in random.Random(1).sample(changes, 60):
        shutil.copytree(tiny_run("digits").folder, folder)
        before = (folder / rel).read_bytes()
        (folder / rel).write_bytes(new)
        checked = rel.name not in ("pretrained.npz", "layers.npz", "model.keras", "model.txt") and rel.parent == Path()
        found = outcome(folder, read_all)
        assert found == ("data-unreadable" if checked and new != before else "fine"), (rel, what)
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("sums", ["none", "new"])
def test_where_checksums_say_nothing_every_value_is_looked_at(folded, tmp_path, sums):
    """A folder without checksums, or one whose checksums were made anew."""
    folder, chance = tmp_path / "run", random.Random(sums)
    texts = [change for change in all_changes(folded, chance) if change[0].suffix in (".json", ".csv")]
    outcomes = []
    shutil.copytree(folded, folder)
    (folder / "SHA256SUMS").unlink()
    for rel, _, new in chance.sample(texts, 250):
        whole = (folder / rel).read_bytes()
        (folder / rel).write_bytes(new)
        if sums == "new":
            write_checksums(folder)
        outcomes.append(outcome(folder, read_all))
        (folder / rel).write_bytes(whole)
    assert set(outcomes) <= {"data-unreadable", "fine"}
    assert outcomes.count("data-unreadable") > 100, "most changes are of what the records say"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "series", "table", "spirals", "folded"])
def test_a_report_of_a_changed_folder_is_drawn_or_says_what_is_wrong(tiny_run, folded, tmp_path, name):
    whole, chance = folded if name == "folded" else tiny_run(name).folder, random.Random(name)
    folder = tmp_path / "run"
    for rel, _, new in chance.sample(all_changes(whole, chance), 120):
        shutil.copytree(whole, folder)
        (folder / "SHA256SUMS").unlink()
        (folder / rel).write_bytes(new)
        assert outcome(folder, lambda folder: write_report(dlspec.open_run(folder))) in {
            "fine", "data-unreadable", "not-yaml", "unknown-key", "duplicate-key",
        } or rel.name == "resolved.yaml"  # fmt: skip
        shutil.rmtree(folder)


@pytest.mark.slow
def test_a_run_that_goes_on_in_a_changed_folder_says_what_is_wrong(folded, tmp_path):
    chance, folder = random.Random(3), tmp_path / "run"
    written_anew = ("metrics.json", "model.keras", "layers.npz", "predictions.csv")
    for rel, _, new in chance.sample(all_changes(folded, chance, but=written_anew), 60):
        shutil.copytree(folded, folder)
        for name in ("report.html", *written_anew):
            (folder / name).unlink()
        write_checksums(folder, STAYING)
        (folder / rel).write_bytes(new)
        outcome(folder, dlspec.resume)
        shutil.rmtree(folder)


def test_a_spec_that_was_changed_since_the_run_began_is_reported(folded, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(folded, folder)
    for name in ("metrics.json", "report.html"):
        (folder / name).unlink()
    path = folder / "resolved.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("epochs: 2", "epochs: 3"), encoding="utf-8")
    with pytest.raises(DataError, match=r"`.*resolved\.yaml` is damaged, or was changed"):
        dlspec.resume(folder)


def test_a_message_names_the_place_of_each_mistake(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("spirals").folder, folder)
    (folder / "SHA256SUMS").unlink()
    values = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    del values["target"]["kind"]
    values["features"][0]["min"] = "low"
    values["strange"] = 1
    (folder / "data.json").write_text(json.dumps(values), encoding="utf-8")
    done = dlspec_here("report", folder, cwd=tmp_path)
    assert done.returncode == 3
    assert "it has no `target.kind`" in done.stderr
    assert "at `features.0.min`: input should be a valid number, got 'low'" in done.stderr
    assert "`strange` is no key that this version of dlspec knows" in done.stderr
    assert "copy the run folder again" in done.stderr


def test_files_that_do_not_fit_each_other_are_reported_with_those_that_changed(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("spirals").folder, folder)
    with np.load(folder / "pictures.npz") as file:
        arrays = {name: values for name, values in dict(file).items() if name not in (CHECKSUM, "plane:lines")}
    np.savez_compressed(folder / "pictures.npz", **with_checksum(arrays))
    (folder / "SHA256SUMS").unlink()
    done = dlspec_here("report", folder, cwd=tmp_path)
    assert done.returncode == 3
    assert "do not fit each other; it has no `SHA256SUMS`" in done.stderr
    assert "KeyError: 'plane:lines'" in done.stderr


def test_a_fault_of_dlspec_is_not_laid_to_the_folder(tiny_run, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("spirals").folder, folder)

    def broken(run):
        raise KeyError("a fault")

    monkeypatch.setattr("dlspec.views.report.render", broken)
    with pytest.raises(KeyError, match="a fault"):
        dlspec.report(folder)


def test_rows_of_a_history_are_read_as_they_were_written(tmp_path):
    rows = [
        HistoryRow("pretrain:h", 1, 0.1 + 0.2, None, 0.5, {"explained": 0.25}),
        HistoryRow("fine_tune", 1, 1e-30, 2.5, 1.0),
    ]
    write_history(tmp_path / "history.csv", rows)
    assert read_history(tmp_path / "history.csv") == rows
    assert [row["explained"] for row in rows] == [0.25, None]
    assert rows[0]["loss"] == rows[0].loss


@pytest.mark.parametrize("label", ["01", "1e3", "true"])
def test_classes_are_read_as_they_are_called(tmp_path, label):
    """What a reader of tables takes for a number or a boolean."""
    rows = "".join(f"{i % 7},{label if i % 2 else 'other'}\n" for i in range(80))
    (tmp_path / "t.csv").write_text(f"x,kind\n{rows}", encoding="utf-8")
    text = (
        f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: {{kind: category}}}}\n"
        "model: [output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(text, out=tmp_path / "run")
    assert set(run.predictions["truth"]) == {label, "other"}
    assert run.data.target.classes == tuple(sorted([label, "other"]))
