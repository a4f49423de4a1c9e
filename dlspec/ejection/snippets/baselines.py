"""The simplest guesses."""

import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


def word_counts(numbers, words):
    """How often each of the most frequent words stands in a text, (samples, words - 2).

    Args:
        numbers: of the words, (samples, places); 0 is no word and 1 an unknown one.
    """
    return np.stack([np.bincount(row.astype(int), minlength=words)[2:words] for row in numbers])


# Of a ridge: none, and what shrinks all slopes to nothing.
STRENGTHS = [0.0, *(10.0**power for power in range(-10, 11))]


def ridge(inputs, targets):
    """Slopes, (features, targets), and levels, (targets,), of ridge regression (Hoerl and Kennard, 1970).

    Of all `STRENGTHS` that is taken which errs least on samples left out in turn: a sample that is left out errs by its
    error otherwise, divided by one minus its leverage (Allen, 1974).
    """
    inputs, targets = inputs.astype("float64"), targets.astype("float64")
    middle, level = inputs.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(inputs - middle, full_matrices=False)
    seen = values > max(inputs.shape) * np.finfo("float64").eps * values.max(initial=0)
    left, values, right = left[:, seen], values[seen], right[seen]
    along, least, best = left.T @ (targets - level), np.inf, np.zeros(len(values))
    for strength in STRENGTHS:
        kept = values**2 / (values**2 + strength)
        leverage = 1 / len(inputs) + left**2 @ kept
        if leverage.max() > 1 - 1e-6:  # it goes through samples, whatever they are
            continue
        off = (targets - level - left @ (kept[:, np.newaxis] * along)) / (1 - leverage)[:, np.newaxis]
        if (error := (off**2).mean()) < least:
            least, best = error, kept / values
    slopes = right.T @ (best[:, np.newaxis] * along)
    return slopes, level - middle @ slopes


# Of logistic regression, the strongest first: the variance that a slope may have.
PENALTIES = [10.0**power for power in range(-5, 4)]


def best_penalty(inputs, labels, in_order):
    """The penalty with the smallest log loss on every fifth sample, or, of samples in the order of time, on the last
    fifth. It is chosen by 2,000 samples at most, until two penalties in a row do worse."""
    places = np.unique(np.linspace(0, len(labels) - 1, 2000).astype(int))
    order = np.arange(len(places))
    held_out = order >= 0.8 * len(places) if in_order else order % 5 == 4
    fitted, judged = places[~held_out], places[held_out]
    known = np.unique(labels[fitted])
    judged = judged[np.isin(labels[judged], known)]
    if len(known) < 2 or not len(judged):
        return 1.0
    model = LogisticRegression(max_iter=300, warm_start=True)
    true_class, best, least, worse = np.searchsorted(known, labels[judged]), 1.0, np.inf, 0
    for penalty in PENALTIES:
        model.set_params(C=penalty).fit(inputs[fitted], labels[fitted])
        given = model.predict_proba(inputs[judged])[np.arange(len(judged)), true_class]
        loss = -np.log(np.clip(given, 1e-12, 1)).mean()
        best, least, worse = (penalty, loss, 0) if loss < least else (best, least, worse + 1)
        if worse == 2:
            break
    return best


def logistic(inputs, labels, others, classes, in_order=False):
    """The probability of each class by logistic regression, (samples of `others`, classes)."""
    inputs, others = inputs.astype("float64"), others.astype("float64")
    shares, seen = np.zeros((len(others), classes)), np.unique(labels)
    if len(seen) == 1:  # nothing to draw a line between
        shares[:, seen] = 1
        return shares
    threads = 1 if inputs.size < 10**7 else None  # of little work, threads that wait for each other take longer
    with threadpool_limits(threads, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # steps that were too few for the last digits, and rare classes
        penalty = best_penalty(inputs, labels, in_order)
        model = LogisticRegression(C=penalty, max_iter=2000).fit(inputs, labels)
    shares[:, seen] = model.predict_proba(others)
    return shares


def pca(inputs, others, components):
    """What the best linear code of so many numbers keeps of samples (Pearson, 1901)."""
    model = PCA(min(components, *inputs.shape), svd_solver="covariance_eigh").fit(inputs.astype("float64"))
    return model.inverse_transform(model.transform(others.astype("float64")))
