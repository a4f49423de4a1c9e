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


def evenly(samples, count):
    """So many of the samples, spread evenly."""
    return samples[np.linspace(0, len(samples) - 1, count).astype(int)]


# Penalties of ridge regression to try, from none to a very strong one.
STRENGTHS = [0.0, *(10.0**power for power in range(-10, 11))]


def ridge(inputs, targets):
    """Slopes, (values, targets), and intercepts, (targets,), of ridge regression (Hoerl and Kennard, 1970).

    Takes the one of `STRENGTHS` with the smallest leave-one-out error, which is the residual divided by one minus the
    leverage of the sample (Allen, 1974).
    """
    inputs, targets = inputs.astype("float64"), targets.astype("float64")
    middle, level = inputs.mean(axis=0), targets.mean(axis=0)
    left, values, right = np.linalg.svd(inputs - middle, full_matrices=False)
    vary = values > max(inputs.shape) * np.finfo("float64").eps * values.max(initial=0)
    left, values, right = left[:, vary], values[vary], right[vary]
    along = left.T @ (targets - level)
    smallest, inverse = np.inf, np.zeros(len(values))
    for strength in STRENGTHS:
        kept = values**2 / (values**2 + strength)
        leverage = 1 / len(inputs) + left**2 @ kept
        if leverage.max() > 1 - 1e-6:  # a line through every sample, wherever it lies
            continue
        errors = (targets - level - left @ (kept[:, np.newaxis] * along)) / (1 - leverage)[:, np.newaxis]
        if (error := (errors**2).mean()) < smallest:
            smallest, inverse = error, kept / values
    slopes = right.T @ (inverse[:, np.newaxis] * along)
    return slopes, level - middle @ slopes


# `C` of logistic regression, the inverse of its penalty: the strongest penalty first.
CS = [10.0**power for power in range(-5, 4)]


def best_c(inputs, labels, in_order):
    """The `C` with the smallest log loss on every fifth sample, or, of samples in the order of time, on the last fifth;
    chosen on at most 2,000 samples."""
    places = np.unique(np.linspace(0, len(labels) - 1, 2000).astype(int))
    order = np.arange(len(places))
    held_out = order >= 0.8 * len(places) if in_order else order % 5 == 4
    fitted, judged = places[~held_out], places[held_out]
    known = np.unique(labels[fitted])
    judged = judged[np.isin(labels[judged], known)]
    if len(known) < 2 or not len(judged):
        return 1.0
    model = LogisticRegression(max_iter=300, warm_start=True)
    true_class, best, smallest, worse = np.searchsorted(known, labels[judged]), 1.0, np.inf, 0
    for c in CS:
        model.set_params(C=c).fit(inputs[fitted], labels[fitted])
        given = model.predict_proba(inputs[judged])[np.arange(len(judged)), true_class]
        loss = -np.log(np.clip(given, 1e-12, 1)).mean()
        best, smallest, worse = (c, loss, 0) if loss < smallest else (best, smallest, worse + 1)
        if worse == 2:
            break
    return best


def logistic(inputs, labels, others, classes, in_order=False):
    """The probability of each class by logistic regression, (samples of `others`, classes); of a class that is not
    among the labels it is 0."""
    inputs, others, known = inputs.astype("float64"), others.astype("float64"), np.unique(labels)
    probabilities = np.zeros((len(others), classes))
    if len(known) == 1:
        probabilities[:, known] = 1
        return probabilities
    threads = 1 if inputs.size < 10**7 else None  # where there is little to do, several threads wait for each other
    with threadpool_limits(threads, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ConvergenceWarning, and warnings about classes with few samples
        c = best_c(inputs, labels, in_order)
        model = LogisticRegression(C=c, max_iter=2000).fit(inputs, labels)
    probabilities[:, known] = model.predict_proba(others)
    return probabilities


def pca(inputs, others, components):
    """What the best linear code of so many numbers keeps of samples (Pearson, 1901)."""
    model = PCA(min(components, *inputs.shape), svd_solver="covariance_eigh").fit(inputs.astype("float64"))
    return model.inverse_transform(model.transform(others.astype("float64")))
