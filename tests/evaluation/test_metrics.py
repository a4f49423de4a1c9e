"""Metrics: each formula against Keras's class, or scikit-learn's function, on random data."""

import numpy as np
import pytest
import sklearn.metrics as reference

from dlspec.evaluation.metrics import METRICS

RANDOM = np.random.default_rng(7)
TRUTH = RANDOM.gamma(2.0, 3.0, 200)
GUESS = (TRUTH + RANDOM.normal(0.3, 1.0, 200)).clip(0.01)
LABELS = {count: RANDOM.integers(0, count, 300) for count in (2, 4, 7)}
LABELS[4][:100] = 2  # classes of different size


def shares(count):
    """Probabilities that know a little."""
    values = RANDOM.normal(size=(300, count)) + 1.2 * np.eye(count)[LABELS[count]]
    powers = np.exp(values)
    return powers / powers.sum(axis=1, keepdims=True)


SHARES = {count: shares(count) for count in (2, 4, 7)}


def ours(written, count=None):
    metric = METRICS.read(written)
    return metric.compute(TRUTH, GUESS) if count is None else metric.compute(LABELS[count], SHARES[count])


def keras_value(name, truth, guess, **arguments):
    import keras

    metric = getattr(keras.metrics, name)(**arguments)
    metric.update_state(truth.astype("float32"), guess.astype("float32"))
    return np.asarray(metric.result(), "float64")


def one_hot(count):
    return np.eye(count)[LABELS[count]]


def close(value):
    return pytest.approx(value, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("written", "keras_name"),
    [
        ("mae", "MeanAbsoluteError"),
        ("mse", "MeanSquaredError"),
        ("rmse", "RootMeanSquaredError"),
        ("msle", "MeanSquaredLogarithmicError"),
        ("log_cosh", "LogCoshError"),
        ("poisson", "Poisson"),
    ],
)
def test_errors_of_numbers_are_keras_own(written, keras_name):
    assert ours(written) == close(keras_value(keras_name, TRUTH[:, None], GUESS[:, None]))


def test_errors_in_percent_are_shares():
    expected = keras_value("MeanAbsolutePercentageError", TRUTH[:, None], GUESS[:, None]) / 100
    assert ours("mape") == close(expected)
    assert ours("mape") == close(reference.mean_absolute_percentage_error(TRUTH, GUESS))
    metric = METRICS.read("smape")
    assert metric.compute(np.array([2.0, 0.0]), np.array([4.0, 0.0])) == pytest.approx((2 * 2 / 6 + 0) / 2)


def test_agreement_is_keras_own():
    wide = (TRUTH[None], GUESS[None])  # Keras takes it over the last axis
    assert ours("pearson_correlation") == close(keras_value("PearsonCorrelation", *wide))
    assert ours("concordance_correlation") == close(keras_value("ConcordanceCorrelation", *wide))
    assert ours("r2") == close(keras_value("R2Score", TRUTH[:, None], GUESS[:, None]))
    adjusted = keras_value("R2Score", TRUTH[:, None], GUESS[:, None], num_regressors=5)
    assert ours({"r2": {"num_regressors": 5}}) == close(adjusted)


def test_a_target_that_can_be_negative_has_no_logarithmic_error():
    for name in ("msle", "poisson"):
        assert np.isnan(METRICS[name]().compute(np.array([-1.0, 2.0]), np.array([1.0, 2.0])))


@pytest.mark.parametrize("count", [2, 4])
def test_accuracies_are_keras_own(count):
    labels, probability = LABELS[count], SHARES[count]
    assert ours("accuracy", count) == close(keras_value("SparseCategoricalAccuracy", labels, probability))
    assert ours("accuracy", count) == close(keras_value("CategoricalAccuracy", one_hot(count), probability))
    assert ours("balanced_accuracy", count) == close(
        reference.balanced_accuracy_score(labels, probability.argmax(axis=1))
    )
    for k in (1, 2, 3):
        expected = keras_value("SparseTopKCategoricalAccuracy", labels, probability, k=k)
        assert ours({"top_k_accuracy": k}, count) == close(expected)


@pytest.mark.parametrize("count", [2, 4])
def test_losses_of_classes_are_keras_own(count):
    labels, probability = LABELS[count], SHARES[count]
    assert ours("log_loss", count) == close(keras_value("SparseCategoricalCrossentropy", labels, probability))
    assert ours("log_loss", count) == close(reference.log_loss(labels, probability))
    assert ours("perplexity", count) == close(np.exp(reference.log_loss(labels, probability)))
    assert ours("cosine_similarity", count) == close(keras_value("CosineSimilarity", one_hot(count), probability))
    assert ours("categorical_hinge", count) == close(keras_value("CategoricalHinge", one_hot(count), probability))


def test_metrics_of_two_classes_are_keras_own():
    labels, second = LABELS[2][:, None], SHARES[2][:, 1:]
    assert ours("log_loss", 2) == close(keras_value("BinaryCrossentropy", labels, second))
    assert ours("hinge", 2) == close(keras_value("Hinge", labels, second))
    assert ours("squared_hinge", 2) == close(keras_value("SquaredHinge", labels, second))
    for threshold in (0.3, 0.5):
        expected = keras_value("BinaryAccuracy", labels, second, threshold=threshold)
        assert ours({"binary_accuracy": threshold}, 2) == close(expected)
        for ids in ([0], [1], [0, 1]):
            expected = keras_value("BinaryIoU", labels, second, target_class_ids=ids, threshold=threshold)
            assert ours({"binary_iou": {"target_class_ids": ids, "threshold": threshold}}, 2) == close(expected)


COUNTS = ["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall"]
NAMES = dict(zip(COUNTS, ["true_positives", "false_positives", "true_negatives", "false_negatives"], strict=False))


@pytest.mark.parametrize("keras_name", COUNTS)
@pytest.mark.parametrize("threshold", [None, 0.3, 0.7])
def test_decisions_are_keras_own(keras_name, threshold):
    name = NAMES.get(keras_name, keras_name.lower())
    written = name if threshold is None else {name: threshold}
    two = keras_value(keras_name, LABELS[2][:, None], SHARES[2][:, 1:], thresholds=threshold)
    assert ours(written, 2) == close(two)
    assert ours(written, 4) == close(keras_value(keras_name, one_hot(4), SHARES[4], thresholds=threshold))


@pytest.mark.parametrize("keras_name", ["Precision", "Recall"])
@pytest.mark.parametrize(
    "arguments", [{"class_id": 2}, {"top_k": 1}, {"top_k": 2, "class_id": 0}, {"top_k": 2, "thresholds": 0.4}]
)
def test_precision_and_recall_of_one_class_or_of_the_most_probable_are_keras_own(keras_name, arguments):
    written = {keras_name.lower(): arguments}
    assert ours(written, 4) == close(keras_value(keras_name, one_hot(4), SHARES[4], **arguments))


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("threshold", [None, 0.3])
def test_f_scores_are_keras_own(average, threshold):
    arguments = {"average": average} | ({} if threshold is None else {"threshold": threshold})
    expected = keras_value("F1Score", one_hot(4), SHARES[4], **arguments)
    assert ours({"f1_score": arguments}, 4) == close(expected)
    for beta in (0.5, 2.0):
        expected = keras_value("FBetaScore", one_hot(4), SHARES[4], beta=beta, **arguments)
        assert ours({"fbeta_score": {"beta": beta, **arguments}}, 4) == close(expected)


def test_the_f_score_of_two_classes_is_the_second_ones():
    guess = SHARES[2].argmax(axis=1)
    assert ours("f1_score", 2) == close(reference.f1_score(LABELS[2], guess))
    assert ours({"f1_score": {"average": "macro"}}, 2) == close(reference.f1_score(LABELS[2], guess, average="macro"))
    guess = SHARES[4].argmax(axis=1)
    assert ours("f1_score", 4) == close(reference.f1_score(LABELS[4], guess, average="macro"))


def test_overlaps_are_keras_own():
    labels, guess = LABELS[4], SHARES[4].argmax(axis=1)
    assert ours("mean_iou", 4) == close(keras_value("MeanIoU", labels, guess, num_classes=4))
    for ignored in (0, 2):
        expected = keras_value("MeanIoU", labels, guess, num_classes=4, ignore_class=ignored)
        assert ours({"mean_iou": {"ignore_class": ignored}}, 4) == close(expected)
    expected = keras_value("IoU", labels, guess, num_classes=4, target_class_ids=[1, 3])
    assert ours({"iou": [1, 3]}, 4) == close(expected)
    expected = keras_value("OneHotIoU", one_hot(4), SHARES[4], num_classes=4, target_class_ids=[1, 3])
    assert ours({"iou": [1, 3]}, 4) == close(expected)


def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order():
    assert ours("auc", 2) == pytest.approx(reference.roc_auc_score(LABELS[2], SHARES[2][:, 1]), abs=2e-3)
    each = reference.roc_auc_score(one_hot(4), SHARES[4], average="macro")
    assert ours({"auc": {"multi_label": True}}, 4) == pytest.approx(each, abs=2e-3)
    precise = reference.average_precision_score(LABELS[2], SHARES[2][:, 1])
    assert ours({"auc": {"curve": "PR"}}, 2) == pytest.approx(precise, abs=2e-2)


@pytest.mark.parametrize("name", ["precision_at_recall", "recall_at_precision"])
@pytest.mark.parametrize("name_of_other", ["sensitivity_at_specificity", "specificity_at_sensitivity"])
def test_points_of_a_curve_lie_between_nothing_and_all(name, name_of_other):
    for written in ({name: 0.6}, {name_of_other: 0.6}, {name: {METRICS[name].primary(): 0.6, "class_id": 1}}):
        assert 0 < ours(written, 2) <= 1
        assert 0 < ours(written, 4) <= 1


def test_the_sensitivity_at_a_specificity_is_read_off_the_curve():
    false_alarms, found, _ = reference.roc_curve(LABELS[2], SHARES[2][:, 1])
    expected = found[false_alarms <= 0.2].max()
    assert ours({"sensitivity_at_specificity": 0.8}, 2) == pytest.approx(expected, abs=0.02)


def test_one_class_is_asked_for_by_its_number():
    there, probability = (LABELS[2] == 0), SHARES[2][:, 0]
    expected = reference.precision_score(there, probability > 0.5)
    assert ours({"precision": {"class_id": 0}}, 2) == close(expected)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("hinge", 3),
        ("binary_accuracy", 4),
        ("binary_iou", 3),
        ({"top_k_accuracy": 3}, 3),
        ({"precision": {"top_k": 2}}, 2),
        ({"recall": {"class_id": 3}}, 3),
        ({"auc": {"multi_label": True}}, 2),
        ({"auc": {"label_weights": [1.0]}}, 3),
        ({"auc": {"multi_label": True, "label_weights": [1.0]}}, 3),
        ({"iou": [0, 5]}, 3),
        ({"precision_at_recall": {"recall": 0.5, "class_id": 2}}, 2),
    ],
    ids=str,
)
def test_what_cannot_be_computed_of_so_many_classes_is_refused(written, classes):
    message, help = METRICS.read(written).refuses(classes)
    assert message
    assert not help.endswith(".")


def texts(random, count=60, places=5):
    """Classes of texts, 1 being their end and -1 what stands behind it."""
    found = random.integers(2, 4, (count, places))
    ends = random.integers(1, places, count)
    found[np.arange(count), ends] = 1
    return np.where(np.arange(places) <= ends[:, None], found, -1).astype("int32")


def both(written):
    """As what is predicted of texts: those that were written, and the likeliest items behind the true ones."""
    return np.stack([written, np.maximum(written, 1)], axis=-1)


def test_metrics_of_texts_by_hand():
    truth = np.array([[2, 3, 1, -1], [2, 1, -1, -1], [1, -1, -1, -1], [3, 3, 3, 1]])
    written = np.array([[2, 3, 1, -1], [2, 2, 1, -1], [1, -1, -1, -1], [3, 1, -1, -1]])
    forced = np.array([[2, 2, 1, -1], [2, 1, -1, -1], [3, -1, -1, -1], [3, 3, 1, 1]])
    guess = np.stack([written, forced], axis=-1)
    assert METRICS.read("exact_match").compute(truth, guess) == 0.5
    assert METRICS.read("edit_distance").compute(truth, guess) == 3 / 6  # one to take out, two to put in, of 6 items
    assert METRICS.read("teacher_forced_accuracy").compute(truth, guess) == 7 / 10
    none = np.stack([written, np.full_like(written, -1)], axis=-1)
    assert np.isnan(METRICS.read("teacher_forced_accuracy").compute(truth, none))


def test_every_metric_computes_a_number():
    for name in METRICS:
        for written in METRICS[name].examples:
            metric = METRICS.read(written)
            if metric.of == "tags":  # of whole texts: tests/evaluation/test_spans.py
                continue
            count = next((n for n in (4, 2, 7) if metric.of == "class" and not metric.refuses(n)), None)
            assert metric.of in ("number", "input", "sequence") or count
            naive = 1.0 if metric.only_series else None
            truth, guess = (TRUTH, GUESS) if count is None else (LABELS[count], SHARES[count])
            if metric.of == "input":
                truth, guess = TRUTH[:, None], GUESS[:, None]
            if metric.of == "sequence":
                truth, guess = texts(np.random.default_rng(0)), both(texts(np.random.default_rng(1)))
            value = metric.compute(truth, guess, naive)
            assert type(value) is float
            assert np.isfinite(value)
            assert metric.show(value) != "none"


def test_the_bounds_of_metrics_hold_and_are_reached():
    """A perfect guess reaches the better one; no guess goes beyond."""
    random = np.random.default_rng(0)
    truth, number = random.integers(0, 3, 60), random.normal(size=60)
    for name, kind in METRICS.load_all().items():
        low, high = kind.bounds
        for example in kind.examples if kind.of != "tags" else ():
            metric = METRICS.read(example)
            two = kind.of == "class" and metric.refuses(3) is not None
            classes = 2 if two else 3
            if kind.of == "class":
                of, guesses = truth % classes, [random.dirichlet(np.ones(classes), 60) for _ in range(5)]
                perfect = np.eye(classes)[of]
            elif kind.of == "number":
                of, guesses, perfect = number, [random.normal(size=60) for _ in range(5)], number
            elif kind.of == "sequence":
                of, guesses = texts(random), [both(texts(random)) for _ in range(5)]
                perfect = both(of)
            else:
                of = perfect = random.normal(size=(60, 4))
                guesses = [random.normal(size=(60, 4)) for _ in range(5)]
            values = [metric.compute(of, guess, 1.0) for guess in (*guesses, perfect)]
            assert all(low - 1e-9 <= value <= high + 1e-9 for value in values if np.isfinite(value)), name
            if np.isfinite(low) and np.isfinite(high) and kind.unit != "count":
                assert values[-1] == pytest.approx(high if kind.better == "higher" else low, abs=0.02), name
