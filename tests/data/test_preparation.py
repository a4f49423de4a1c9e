"""Splits, scales and windows: nothing of a later part reaches an earlier one."""

import numpy as np
import pandas as pd
import pytest

from dlspec.api import load
from dlspec.data.features import Affine, fit_affine
from dlspec.data.preparation import draw_evenly, generator, prepare, stratified_order, to_times
from dlspec.data.source_of import source_of
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.spec.signature import read_signature
from dlspec.training.values import predict
from tests.conftest import TINY_DIGITS, TINY_SERIES, TINY_TABLE
from tests.trained import Training


def prepared(text: str, change=None, **overrides):
    spec = load(text, overrides=overrides)
    source = source_of(spec.data)
    signature, _ = read_signature(spec, source.describe())
    columns = source.load(spec.seed)
    if change:
        change(columns)
    return prepare(spec.data, spec.seed, signature, columns)


def test_windows_hold_consecutive_rows_and_the_target_behind_them():
    data = prepared(TINY_SERIES)
    x = data.columns["x"]
    for part in (data.train, data.validation, data.test):
        for i in (0, len(part) // 2, len(part) - 1):
            row = part.rows[i]
            last = row - 2  # the horizon
            assert part.truth[i] == x[row]
            assert part.last[i] == x[last]
            assert np.array_equal(part.raw[i][:, 0], x[last - 8 : last + 1])  # eight changes take nine rows


def test_what_windows_predict_does_not_cross_the_split():
    data = prepared(TINY_SERIES)
    ends = [(0, 182), (182, 221), (221, 260)]
    for part, (first, end) in zip((data.train, data.validation, data.test), ends, strict=True):
        seen_before = 0 if first else 8  # what is seen may, up to the last row before the part
        assert part.rows[0] - 2 == first + seen_before - bool(first)
        assert part.rows[-1] == end - 1


def test_no_value_of_the_test_part_reaches_training():
    untouched = prepared(TINY_SERIES)

    def spoil(columns):
        columns["x"][221:] = columns["x"][221:] * 50 + 7

    spoilt = prepared(TINY_SERIES, spoil)
    for part in ("train", "validation"):
        assert np.array_equal(getattr(untouched, part).inputs, getattr(spoilt, part).inputs)
        assert np.array_equal(getattr(untouched, part).targets, getattr(spoilt, part).targets)
    assert not np.array_equal(untouched.test.inputs, spoilt.test.inputs)


@pytest.mark.parametrize("text", [TINY_TABLE, TINY_DIGITS], ids=["table", "digits"])
def test_the_scale_of_samples_is_fitted_on_the_training_part(text):
    untouched = prepared(text)

    def spoil(columns):
        for values in columns.values():
            if values.dtype.kind == "f":
                values[untouched.test.rows] *= 100

    spoilt = prepared(text, spoil)
    assert np.array_equal(untouched.train.inputs, spoilt.train.inputs)
    assert np.array_equal(untouched.train.targets, spoilt.train.targets)


@pytest.mark.parametrize(
    ("how", "middle", "spread"),
    [
        ("standard", lambda x: x.mean((0, 1)), lambda x: x.std((0, 1))),
        ("min_max", lambda x: x.min((0, 1)), lambda x: np.ptp(x, axis=(0, 1))),
        ("robust", lambda x: np.median(x, (0, 1)), lambda x: np.subtract(*np.quantile(x, [0.75, 0.25], (0, 1)))),
    ],
)
def test_channels_of_arrays_have_scales_of_their_own_fitted_on_the_training_part(tmp_path, how, middle, spread):
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 9, 3)) * [1, 100, 0.01] + [0, 1000, -5]
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, 0, 2] > -5).astype(int))
    data = f"arrays: {tmp_path}/a.npz, target: y, scale: {how}, scale_by: channel"
    text = f"dlspec: 1\ndata: {{{data}}}\nmodel: [flatten, output]"
    data = prepared(text)
    seen = x[data.train.rows]
    expected = (x[data.test.rows] - middle(seen)) / spread(seen)
    np.testing.assert_allclose(np.asarray(data.test.inputs), expected, rtol=1e-4, atol=1e-5)
    together = np.asarray(prepared(text.replace(", scale_by: channel", "")).train.inputs)
    assert together[..., 2].std() < 0.01 * together[..., 1].std()  # what one scale for all hides


@pytest.mark.parametrize("change", ["level", "difference", "return"])
def test_what_the_network_puts_out_leads_back_to_the_level(change):
    data = prepared(TINY_SERIES, **{"data.predict": change})
    for part in (data.train, data.test):
        assert data.to_units(part.targets, part) == pytest.approx(part.truth, rel=1e-5)


def test_inputs_are_the_scaled_changes():
    data = prepared(TINY_SERIES, **{"data.predict": "return"})
    returns = np.diff(np.log(data.columns["x"]))
    mean, deviation = returns[:181].mean(), returns[:181].std()
    row = data.test.rows[5] - 2
    expected = (returns[row - 8 : row] - mean) / deviation
    assert data.test.inputs[5][:, 0] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_every_class_has_its_share_of_every_part_and_of_the_labels():
    data = prepared(TINY_DIGITS)
    assert len(data.train) == 60
    assert set(np.bincount(data.train.truth)) <= {5, 6, 7}
    counts = np.bincount(data.test.truth)
    assert counts.max() - counts.min() <= 3
    rows = [data.train.rows, data.validation.rows, data.test.rows]
    assert len(np.unique(np.concatenate(rows))) == sum(map(len, rows))
    assert len(data.unlabeled) + sum(map(len, rows)) == 1797


def test_the_draw_depends_on_the_seed():
    assert np.array_equal(prepared(TINY_DIGITS).test.rows, prepared(TINY_DIGITS).test.rows)
    assert not np.array_equal(prepared(TINY_DIGITS).test.rows, prepared(TINY_DIGITS, seed=4).test.rows)


def test_limit_keeps_that_many_training_samples():
    assert len(prepared(TINY_SERIES, **{"data.limit": 50}).train) == 50
    assert len(prepared(TINY_TABLE, **{"data.limit": 50}).train) == 50


@pytest.mark.parametrize("count", [1, 7, 100])
@pytest.mark.parametrize("share", [0.0, 0.15, 0.5, 0.99])
def test_draw_evenly_draws_the_share(count, share):
    order = stratified_order(generator(1, "x"), None, count)
    assert draw_evenly(order, share).sum() == int(count * share + 1e-9)


def test_a_constant_column_is_not_divided_by_zero():
    scaled = fit_affine(np.full((5, 1), 3.0), "standard")(np.full((5, 1), 3.0))
    assert np.array_equal(scaled, np.zeros((5, 1)))


CSV = "date,price,volume\n" + "".join(f"2024-01-{d:02d},{100 + d},{d}\n" for d in range(1, 31))
SERIES = """\
dlspec: 1
data: {series: prices.csv, target: price, window: {length: 3}}
model: [{lstm: 4}, output]
"""


def from_file(write_spec, text: str, **overrides):
    write_spec(text, "prices.csv")
    return prepared(str(write_spec(SERIES)), **overrides)


def test_a_series_is_read_from_a_file_beside_the_spec(write_spec):
    data = from_file(write_spec, CSV)
    assert [c.name for c in data.signature.features] == ["price", "volume"]
    assert data.signature.time == "date"
    assert data.train.raw.shape[1:] == (3, 2)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (CSV.replace("105,", "n/a?,"), "not-a-number", 'text "n/a?" in row 5'),
        (CSV.replace("105,", ","), "missing-value", "lacks a value in row 5"),
        (CSV.replace("2024-01-07", "2024-01-05"), "time-not-increasing", "from row 6"),
        (CSV.replace("2024-01-07", "January"), "not-a-time", '"January" in row 7'),
        ("date,price\n", "no-rows", "no rows"),
        (CSV[:86], "too-few-rows", "takes 4"),
        (CSV.replace("date,price,volume", "date,price,price"), "repeated-column", "two columns named `price`"),
    ],
)
def test_bad_files_are_errors_with_the_row(write_spec, text, code, said):
    with pytest.raises(DataError) as caught:
        from_file(write_spec, text)
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert said in problem.message
    assert problem.span.line == 2


@pytest.mark.parametrize(
    ("form", "step", "clear"),
    [
        ("%d/%m/%Y", 1, True),
        ("%m/%d/%Y", 1, True),
        ("%d.%m.%Y", 1, True),
        ("%Y/%m/%d", 1, True),
        ("%d.%m.%Y %H:%M", 1, True),
        ("%d/%m/%Y", 0, False),
    ],
)
def test_dates_of_other_forms_are_read_where_only_one_reading_is_in_order(form, step, clear):
    days = pd.date_range("2024-01-03", periods=30) if step else pd.DatetimeIndex(["2024-01-02", "2024-02-03"])
    written = np.array([day.strftime(form) for day in days], object)
    if clear:
        assert (to_times("date", written) == days.to_numpy("datetime64[us]")).all()
    else:
        with pytest.raises(DataError, match="may begin with the day or with the month"):
            to_times("date", written)


def test_returns_need_values_above_zero(write_spec):
    with pytest.raises(DataError) as caught:
        from_file(write_spec, CSV.replace(",5\n", ",0\n", 1), **{"data.predict": "return"})
    (problem,) = caught.value.diagnostics
    assert (problem.code, "row 5" in problem.message) == ("not-positive", True)


def test_more_labels_than_there_are_is_an_error():
    with pytest.raises(SpecError) as caught:
        prepared(TINY_DIGITS, **{"data.labels": 5000})
    assert caught.value.diagnostics[0].code == "labels-out-of-range"


def test_small_changes_of_a_large_level_are_not_lost_in_the_saved_model():
    import keras

    from dlspec.model.build import with_preprocessing

    training = Training(TINY_SERIES, lambda columns: columns["x"].__iadd__(1e6))
    inputs = keras.Input((8, 1))
    network = keras.Model(inputs, inputs[:, -1, :], name="last_change_network")
    model = with_preprocessing(network, training.data)
    test, steps = training.data.test, training.data.preprocessing
    change = np.diff(test.raw[:, :, 0], axis=1)[:, -1:]
    expected = test.last + steps.target.back(Affine(steps.inputs.scale, steps.inputs.offset)(change))[:, 0]
    predicted = predict(model, test.raw)[:, 0]
    assert abs(predicted - expected).max() < 1e-6
