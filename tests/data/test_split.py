"""How single samples are split: by groups, by a column, by files; and that nothing of the test part is learnt from."""

import json

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.language.diagnostics import Severity
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.job import find_oddities, load_data
from dlspec.training.values import as_array
from tests.conftest import TINY_DIGITS
from tests.trained import Training

PATIENTS = 60


def visits():
    """Several visits of each patient, of which some are ill; a column of parts besides."""
    random = np.random.default_rng(4)
    patient = np.repeat([f"p{i:02d}" for i in range(PATIENTS)], random.integers(1, 12, PATIENTS))
    frame = pd.DataFrame({"patient": patient, "age": random.normal(50, 10, len(patient)).round(1)})
    frame["weight"] = random.normal(70, 8, len(frame)).round(1)
    frame["ill"] = np.where(frame["age"] + random.normal(0, 5, len(frame)) > 57, "yes", "no")
    frame["part"] = random.choice(["train", "Training", "val", "test"], len(frame), p=[0.5, 0.2, 0.1, 0.2])
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


SPEC = """\
dlspec: 1
name: visits
data:
  table: visits.csv
  target: ill
  features: [age, weight]
  split: {}
model: [{dense: {units: 4, activation: tanh}}, output]
train: {epochs: 2}
"""


@pytest.fixture
def folder(tmp_path):
    visits().to_csv(tmp_path / "visits.csv", index=False)
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def spec_of(folder, split, **changes):
    overrides = {"data.split": split, **{f"data.{key}": value for key, value in changes.items()}}
    return dlspec.load(folder / "spec.yaml", overrides=overrides)


def data_of(folder, split, **changes):
    return load_data(spec_of(folder, split, **changes))


def parts_of(data):
    return {name: getattr(data, name).rows for name in ("train", "validation", "test")}


def problems(folder, split, **changes):
    with pytest.raises((SpecError, DataError)) as caught:
        data_of(folder, split, **changes)
    return caught.value.diagnostics


# --- drawn


def test_classes_keep_their_shares_unless_the_split_is_random(folder):
    ill = (visits()["ill"] == "yes").to_numpy()
    shares = {}
    for by in (None, "stratified", "random"):
        parts = parts_of(data_of(folder, {"by": by} if by else {}))
        shares[by] = [ill[rows].mean() for rows in parts.values()]
    assert shares[None] == shares["stratified"]
    assert shares["random"] != shares["stratified"]
    assert np.ptp(shares["stratified"]) < 0.04


def test_how_it_is_split_is_written_out(folder):
    assert spec_of(folder, {}).data.split.by == "stratified"
    assert "by: stratified" in dlspec.resolve(spec_of(folder, {}))
    assert spec_of(folder, {}, target="age", features="weight").data.split.by == "random"
    assert dlspec.load(
        "dlspec: 1\ndata: {dataset: goog, window: {length: 9}}\nmodel: [lstm: 2, output]\n"
    ).data.split.by


# --- groups


@pytest.mark.parametrize("by", ["stratified", "random"])
def test_no_group_stands_in_two_parts_and_shares_are_near(folder, by):
    frame = visits()
    for seed in range(5):
        spec = dlspec.load(folder / "spec.yaml", overrides={"data.split": {"group": "patient", "by": by}, "seed": seed})
        data = load_data(spec)
        parts = parts_of(data)
        assert sorted(np.concatenate(list(parts.values()))) == list(range(len(frame)))
        patients = [set(frame["patient"][rows]) for rows in parts.values()]
        assert sum(map(len, patients)) == PATIENTS
        for rows, share in zip(parts.values(), (0.7, 0.15, 0.15), strict=True):
            assert len(rows) / len(frame) == pytest.approx(share, abs=0.02)
        ill = [(frame["ill"][rows] == "yes").mean() for rows in parts.values()]
        if by == "stratified":
            assert np.ptp(ill) < 0.06


def test_groups_are_drawn_by_the_seed(folder):
    split = {"data.split": {"group": "patient"}}
    tests = [
        load_data(dlspec.load(folder / "spec.yaml", overrides={**split, "seed": seed})).test.rows for seed in (1, 1, 2)
    ]
    assert np.array_equal(tests[0], tests[1])
    assert not np.array_equal(tests[0], tests[2])


def test_groups_may_be_numbers_and_are_no_features_by_themselves(folder):
    frame = visits()
    frame["patient"] = frame["patient"].str[1:].astype(int)
    frame.to_csv(folder / "visits.csv", index=False)
    data = data_of(folder, {"group": "patient"}, features=None)
    assert [column.name for column in data.signature.features] == ["age", "weight", "part"]
    assert not set(frame["patient"][data.train.rows]) & set(frame["patient"][data.test.rows])


def test_few_groups_are_dealt_out_as_well_as_they_go(folder):
    frame = visits()
    frame["patient"] = frame["patient"].str[2].astype(int) % 3
    frame.to_csv(folder / "visits.csv", index=False)
    sizes = frame["patient"].value_counts()
    data = data_of(folder, {"group": "patient"})
    assert len(data.train) == sizes.max()  # the largest part is the largest group
    assert min(len(data.validation), len(data.test)) > 0
    (problem,) = problems(folder, {"group": "patient", "folds": 4})
    assert (problem.code, problem.message) == (
        "too-few-groups",
        "`patient` has 3 groups, which are too few for 4 folds",
    )


def test_a_group_that_is_missing_is_named_with_its_row(folder):
    frame = visits()
    frame.loc[16, "patient"] = None
    frame.to_csv(folder / "visits.csv", index=False)
    (problem,) = problems(folder, {"group": "patient"})
    assert problem.code == "missing-value"
    assert "lacks a value in row 17" in problem.message
    assert problem.span.in_file or "split" in str(problem.span)


# --- a column


def test_a_column_says_where_each_row_belongs(folder):
    frame = visits()
    parts = parts_of(data_of(folder, {"column": "part"}, features=None))
    assert np.array_equal(parts["train"], np.flatnonzero(frame["part"].isin(["train", "Training"])))
    assert np.array_equal(parts["validation"], np.flatnonzero(frame["part"] == "val"))
    assert np.array_equal(parts["test"], np.flatnonzero(frame["part"] == "test"))
    spec = spec_of(folder, {"column": "part"}, features=None)
    assert "part" not in spec.data.features
    assert (spec.data.split.validation, spec.data.split.test) == (None, None)


def test_rows_that_are_left_out_leave_the_others_where_they_are(folder):
    frame = visits()
    frame.loc[:9, "age"] = np.nan
    frame.to_csv(folder / "visits.csv", index=False)
    parts = parts_of(data_of(folder, {"column": "part"}, missing="drop"))
    assert np.array_equal(parts["test"], np.flatnonzero((frame["part"] == "test") & frame["age"].notna()))


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda f: f["part"].replace("test", "train"), "unknown-part", "no row of `part` says `test`"),
        (lambda f: f["part"].where(f.index != 6, "tset"), "unknown-part", "`part` has `tset` in row 7"),
        (lambda f: f["part"].where(f.index != 6, None), "missing-value", "lacks a value in row 7"),
        (lambda f: range(len(f)), "unknown-part", "which is no part"),
    ],
)
def test_a_column_of_other_words_is_an_error(folder, change, code, said):
    frame = visits()
    frame["part"] = change(frame)
    frame.to_csv(folder / "visits.csv", index=False)
    (problem,) = problems(folder, {"column": "part"})
    assert problem.code == code
    assert said in problem.message


def test_without_a_row_for_validation_there_is_nothing_to_stop_by(folder):
    frame = visits()
    frame["part"] = frame["part"].replace("val", "train")
    frame.to_csv(folder / "visits.csv", index=False)
    assert len(data_of(folder, {"column": "part"}).validation) == 0
    overrides = {"data.split": {"column": "part"}, "train.early_stopping": {"patience": 2}}
    found = dlspec.validate(folder / "spec.yaml", overrides)
    assert [problem.code for problem in found] == ["nothing-to-monitor"]


# --- files


def test_parts_may_stand_in_files_of_their_own(folder):
    frame = visits()
    frame.iloc[:40].to_csv(folder / "test_1.csv", index=False)
    frame.iloc[40:50].to_csv(folder / "test_2.csv", index=False)
    frame.iloc[50:90].to_csv(folder / "val.csv", index=False)
    frame.iloc[90:].to_csv(folder / "visits.csv", index=False)
    first, count = len(frame) - 90, len(frame)
    both = data_of(folder, {"validation": "val.csv", "test": "test_*.csv"})
    parts = parts_of(both)
    assert [len(rows) for rows in parts.values()] == [first, 40, 50]
    assert np.array_equal(both.columns["age"][parts["test"]], frame["age"][:50])
    assert np.array_equal(parts["validation"], np.arange(first, first + 40))
    share = parts_of(data_of(folder, {"validation": 0.1, "test": ["test_1.csv", "test_2.csv"]}))
    assert np.array_equal(share["test"], np.arange(count - 90, count - 40))
    assert len(share["validation"]) == int(0.1 * first)
    drawn = parts_of(data_of(folder, {"validation": "val.csv", "test": 20}))
    assert np.array_equal(drawn["validation"], np.arange(first, first + 40))
    assert len(drawn["test"]) == 20
    assert drawn["test"].max() < first
    ordered = parts_of(data_of(folder, {"validation": "val.csv", "test": 20, "by": "order"}))
    assert np.array_equal(ordered["test"], np.arange(first - 20, first))


@pytest.mark.parametrize(
    ("split", "code", "said"),
    [
        ({"test": "nowhere.csv"}, "data-not-found", "there is no file `nowhere.csv`"),
        ({"test": "other.csv"}, "files-differ", "`other.csv` has no column `weight`"),
        ({"test": "empty.csv"}, "no-rows", "`empty.csv` has a header and no rows"),
        ({"test": "v*.csv"}, "file-in-two-parts", "`visits.csv` is among the files of another part too"),
        ({"validation": "more.csv", "test": "./more.csv"}, "file-in-two-parts", "`./more.csv` is among"),
    ],
)
def test_a_file_of_a_part_is_checked(folder, split, code, said):
    (folder / "other.csv").write_text("patient,age,ill,part\np1,3,no,test\n", encoding="utf-8")
    visits().head(30).to_csv(folder / "more.csv", index=False)
    (folder / "empty.csv").write_text("patient,age,weight,ill,part\n", encoding="utf-8")
    (problem,) = problems(folder, split)
    assert problem.code == code
    assert said in problem.message


def test_a_group_in_files_of_two_parts_is_an_error(folder):
    frame = visits()
    frame.iloc[:40].to_csv(folder / "test.csv", index=False)
    frame.iloc[40:].to_csv(folder / "visits.csv", index=False)
    (problem,) = problems(folder, {"group": "patient", "test": "test.csv"})
    assert problem.code == "group-in-two-parts"
    apart = frame["patient"] < "p20"
    frame[apart].to_csv(folder / "test.csv", index=False)
    frame[~apart].to_csv(folder / "visits.csv", index=False)
    data = data_of(folder, {"group": "patient", "test": "test.csv"})
    assert len(data.test) == apart.sum()
    patients = data.columns["patient"]
    assert not set(patients[data.train.rows]) & set(patients[data.validation.rows])


def test_a_run_with_files_runs_again_from_its_folder(folder):
    frame = visits()
    frame.iloc[:40].to_csv(folder / "test.csv", index=False)
    frame.iloc[40:].to_csv(folder / "visits.csv", index=False)
    run = dlspec.run(spec_of(folder, {"test": "test.csv"}), out=folder / "runs" / "run")
    assert run.data.parts["test"] == 40
    again = load_data(dlspec.load(run.folder / "resolved.yaml"))
    assert again.fingerprint == run.data.fingerprint
    assert len(again.test) == 40


# --- wrong uses


@pytest.mark.parametrize(
    ("split", "codes"),
    [
        ({"column": "part", "test": 0.2}, ["wrong-split"]),
        ({"column": "part", "by": "order"}, ["wrong-split"]),
        ({"column": "part", "group": "patient"}, ["wrong-split"]),
        ({"column": "prat"}, ["unknown-column"]),
        ({"group": "patent"}, ["unknown-column"]),
        ({"group": "ill"}, ["wrong-split"]),
        ({"group": "patient", "by": "order"}, ["wrong-split"]),
        ({"by": "time"}, ["wrong-split"]),
        ({"walk_forward": {"folds": 3}}, ["only-for-series"]),
        ({"folds": 1}, ["out-of-range"]),
        ({"folds": 1000}, ["too-few-rows"]),
        ({"folds": 5, "test": 0.2}, ["wrong-split"]),
        ({"folds": 5, "test": "visits.csv"}, ["wrong-split", "file-in-two-parts"]),
        ({"folds": 5, "column": "part"}, ["wrong-split"]),
        ({"folds": 2, "validation": 0.5}, ["split-too-large"]),
        ({"validation": "20%"}, ["wrong-type"]),
        ({"validation": 0.5, "test": 0.5}, ["split-too-large"]),
    ],
)
def test_wrong_uses_are_found_before_anything_is_read(folder, split, codes):
    found = dlspec.validate(folder / "spec.yaml", {"data.split": split})
    assert [problem.code for problem in found] == codes


def test_what_else_is_told_before_anything_is_read(folder):
    spec = folder / "spec.yaml"
    codes = [p.code for p in dlspec.validate(spec, {"data.split": {"by": "stratified"}, "data.target": "age"})]
    assert "wrong-split" in codes
    warned = dlspec.validate(spec, {"data.split": {"group": "age"}})
    assert [(p.code, p.is_error) for p in warned] == [("split-among-features", False)]
    refused = dlspec.validate(spec, {"data.split": {"column": "part"}, "data.features": ["age", "part"]})
    assert [(p.code, p.is_error) for p in refused] == [("split-among-features", True)]
    assert [p.code for p in dlspec.validate(spec, {"data.group": "patient"})] == ["only-for-series"]
    text = "dlspec: 1\ndata: {dataset: digits, split: {test: rest.csv}}\nmodel: [flatten, output]\n"
    assert [p.code for p in dlspec.validate(text)] == ["wrong-split"]


# --- no leak


@pytest.mark.everyday(1)
@pytest.mark.parametrize("split", [{"group": "patient", "by": "random"}, {"column": "part"}], ids=["group", "column"])
def test_no_value_of_the_test_or_validation_part_reaches_the_weights(folder, split):
    """Every value of both parts is changed in the file, and the trained weights stay the same, bit for bit."""

    def trained(name):
        run = dlspec.run(spec_of(folder, split), out=folder / name)
        return run, [as_array(weight) for weight in run.model.weights]

    untouched, weights = trained("untouched")
    parts = parts_of(data_of(folder, split))
    held_out = np.concatenate([parts["validation"], parts["test"]])
    frame = visits()
    frame.loc[held_out, ["age", "weight"]] = frame.loc[held_out, ["age", "weight"]] * -30 + 1
    frame.loc[held_out, "ill"] = np.where(frame.loc[held_out, "ill"] == "yes", "no", "yes")
    frame.to_csv(folder / "visits.csv", index=False)
    spoilt, others = trained("spoilt")
    assert all(np.array_equal(a, b) for a, b in zip(weights, others, strict=True))
    assert spoilt.metrics.train == untouched.metrics.train
    assert spoilt.metrics.test != untouched.metrics.test


def test_every_class_has_a_label_when_there_are_as_many_labels():
    for seed in range(5):
        data = Training(TINY_DIGITS, **{"data.labels": 10, "seed": seed}).data
        assert sorted(data.train.truth) == list(range(10))


# --- dates


@pytest.fixture
def dated(tmp_path):
    days = pd.date_range("2026-01-01", periods=90)
    frame = pd.DataFrame({"day": days, "rain": np.arange(90) % 7, "sold": np.arange(90) % 5, "shop": list("abc") * 30})
    frame.to_csv(tmp_path / "sold.csv", index=False)

    def found(split, **data):
        given = {"table": "sold.csv", "target": "sold", "features": ["rain"], "split": split} | data
        (tmp_path / "s.yaml").write_text(f"dlspec: 1\ndata: {json.dumps(given)}\nmodel: [output]\n")
        return [problem for problem in dlspec.validate(tmp_path / "s.yaml") if problem.code == "dates-at-random"]

    return found


@pytest.mark.parametrize("split", [{}, {"validation": 0.2}, {"folds": 5}], ids=str)
@pytest.mark.parametrize("data", [{}, {"features": ["day", "rain"]}, {"target": {"sold": "category"}}], ids=str)
def test_dates_and_rows_drawn_at_random_are_a_warning(dated, split, data):
    (problem,) = dated(split, **data)
    assert problem.severity == Severity.WARNING
    assert problem.message.startswith("`day` holds dates, and rows are drawn at random")
    assert "`split: {by: order}`" in problem.help


def test_who_asks_for_chance_is_told_by_a_note(dated):
    (problem,) = dated({"by": "random"})
    assert problem.severity == Severity.NOTE
    assert problem.span.line == 2


@pytest.mark.parametrize(
    "split", [{"by": "order"}, {"group": "shop"}, {"column": "shop"}, {"test": "sold.csv"}], ids=str
)
def test_rows_that_are_not_drawn_one_by_one_need_no_warning(dated, split):
    assert dated(split) == []


def test_a_table_without_dates_needs_none(dated, tmp_path):
    pd.read_csv(tmp_path / "sold.csv").drop(columns="day").to_csv(tmp_path / "sold.csv", index=False)
    assert dated({}) == []


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d/%m/%Y"])
@pytest.mark.parametrize("days", [28, 12], ids=["clear", "day or month"])
def test_dates_that_only_their_values_tell_are_a_warning_of_the_data(tmp_path, form, days):
    dates = [day for day in pd.date_range("2026-01-01", periods=300) if day.day <= days]
    frame = pd.DataFrame(
        {"when": [day.strftime(form) for day in dates], "x": range(len(dates)), "y": np.sin(range(len(dates)))}
    )
    frame.loc[3, "when"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)

    def told(split):
        spec = dlspec.load(
            f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y, features: [x], split: {split}}}\nmodel: [output]\n"
        )
        return [
            problem.message for problem in find_oddities(spec, load_data(spec)) if problem.code == "dates-at-random"
        ]

    (message,) = told("{test: 0.2}")
    assert message.startswith("`when` holds dates")
    assert told("{by: order}") == told("{by: random}") == []
