"""Metrics.

Of numbers, `truth` and `guess` are (samples,) or (samples, values). Of classes, `truth` are their numbers, (samples,),
and `probabilities` (samples, classes); of labels, of which a sample may have any number, both are (samples, labels).
"""

import numpy as np

# --- errors of numbers


def mae(truth, guess):
    """Mean absolute error."""
    return float(np.abs(truth - guess).mean())


def mse(truth, guess):
    """Mean squared error."""
    return float(((truth - guess) ** 2).mean())


def rmse(truth, guess):
    """Root mean squared error."""
    return float(((truth - guess) ** 2).mean() ** 0.5)


def mase(truth, guess, naive_error):
    """Mean absolute scaled error: errors divided by the mean change from one timestep to the next in the training part
    (Hyndman and Koehler, 2006)."""
    if not np.all(naive_error):
        return float("inf")
    return float((np.abs(truth - guess) / naive_error).mean())


def mape(truth, guess):
    """Mean absolute percentage error, as a share of 1."""
    return float((np.abs(truth - guess) / np.abs(truth).clip(1e-7)).mean())


def smape(truth, guess):
    """Symmetric mean absolute percentage error, from 0 to 2 (Makridakis, 1993)."""
    return float((2 * np.abs(truth - guess) / (np.abs(truth) + np.abs(guess)).clip(1e-12)).mean())


def msle(truth, guess):
    """Mean squared difference of log(1 + value); NaN where a true value is negative."""
    if (truth < 0).any():
        return float("nan")
    return float(((np.log1p(truth) - np.log1p(guess.clip(0))) ** 2).mean())


def log_cosh(truth, guess):
    """Mean logarithm of the hyperbolic cosine of the error."""
    error = np.abs(truth - guess)
    return float((error + np.log1p(np.exp(-2 * error)) - np.log(2)).mean())


def poisson(truth, guess):
    """Negative log-likelihood of counts: mean guess - truth log(guess); NaN where one of them is negative."""
    if (truth < 0).any() or (guess <= 0).any():
        return float("nan")
    return float((guess - truth * np.log(guess)).mean())


def squared_error(truth, guess):
    """Squared error summed over the values of a sample, and its mean over samples."""
    return float(((truth - guess) ** 2).sum(axis=1, dtype="float64").mean())


# --- how well numbers agree


def r2(truth, guess):
    """Share of the variance that is explained; NaN where there is none."""
    spread = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - guess) ** 2).sum() / spread) if spread else float("nan")


def adjusted_r2(truth, guess, num_regressors):
    """Share of the variance that is explained, adjusted for so many features (Theil, 1961)."""
    left = len(truth) - num_regressors - 1
    return 1 - (1 - r2(truth, guess)) * (len(truth) - 1) / left if left > 0 else r2(truth, guess)


def pearson_correlation(truth, guess):
    """How straight the line between truth and guess is (Pearson, 1895); NaN where one of them is constant."""
    x, y = truth - truth.mean(), guess - guess.mean()
    spread = ((x**2).sum() * (y**2).sum()) ** 0.5
    return float((x * y).sum() / spread) if spread else float("nan")


def concordance_correlation(truth, guess):
    """2 cov / (var + var + (mean - mean)^2) (Lin, 1989); NaN where both are constant and the same."""
    spread = truth.var() + guess.var() + (truth.mean() - guess.mean()) ** 2
    shared = ((truth - truth.mean()) * (guess - guess.mean())).mean()
    return float(2 * shared / spread) if spread else float("nan")


def mean_of_columns(metric, truth, guess, **settings):
    """A metric of each of several numbers, and the mean of these."""
    return float(np.mean([metric(*column, **settings) for column in zip(truth.T, guess.T, strict=True)]))


# --- probabilities of classes


def accuracy(truth, probabilities):
    """Share of samples whose most probable class is the true one."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def binary_accuracy(truth, probabilities, threshold=0.5):
    """Of two classes, share of samples on the right side of a probability of `threshold` for the second one."""
    return float(((probabilities[:, 1] > threshold) == (truth == 1)).mean())


def balanced_accuracy(truth, probabilities):
    """Mean over the classes of the share of each that is found (Brodersen et al., 2010)."""
    right = probabilities.argmax(axis=1) == truth
    return float(np.mean([right[truth == label].mean() for label in np.unique(truth)]))


def top_k_accuracy(truth, probabilities, k=5):
    """Share of samples whose true class is among the `k` most probable."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(((probabilities > given[:, np.newaxis]).sum(axis=1) < k).mean())


def log_loss(truth, probabilities):
    """Mean negative logarithm of the probability given to the true class."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


def perplexity(truth, probabilities):
    """Among how many classes that are equally likely the choice is as hard: e to the power of the log loss."""
    given = probabilities[np.arange(len(truth)), truth]
    return float(np.exp(float(-np.log(np.clip(given, 1e-12, 1)).mean())))


def cosine_similarity(truth, probabilities):
    """Mean cosine between the probabilities and the true class as a vector."""
    given = probabilities[np.arange(len(truth)), truth]
    return float((given / (probabilities**2).sum(axis=1) ** 0.5).mean())


def hinge(truth, probabilities):
    """Of two classes, mean of 1 - truth x probability where that is above zero, the truth being -1 or 1."""
    return float((1 - (2 * truth - 1) * probabilities[:, 1]).clip(0).mean())


def squared_hinge(truth, probabilities):
    """Of two classes, mean square of what `hinge` adds up."""
    return float(((1 - (2 * truth - 1) * probabilities[:, 1]).clip(0) ** 2).mean())


def categorical_hinge(truth, probabilities):
    """Mean of the largest wrong probability less the right one, plus one."""
    rows, wrong = np.arange(len(truth)), probabilities.copy()
    wrong[rows, truth] = 0
    return float((wrong.max(axis=1) - probabilities[rows, truth] + 1).clip(0).mean())


# --- probabilities of labels


def accuracy_of_labels(truth, probabilities):
    """Share of samples that have just those labels which are more probable than not."""
    return float(((probabilities > 0.5) == truth.astype(bool)).all(axis=1).mean())


def binary_accuracy_of_labels(truth, probabilities, threshold=0.5):
    """Share of labels that are said rightly to be there or not."""
    return float(((probabilities > threshold) == (truth == 1)).mean())


def log_loss_of_labels(truth, probabilities):
    """Mean negative logarithm of the probability that a label is there, or of that it is not."""
    given = np.where(truth.astype(bool), probabilities, 1 - probabilities)
    return float(-np.log(np.clip(given, 1e-12, 1)).mean())


# --- right and wrong decisions


def looked_for(truth, probabilities, class_id=None):
    """Whether each class that is looked for is there, and its probability, both (samples, classes looked for).

    Of two classes the second one is looked for, of more, and of labels, each of them, unless `class_id` names one.
    """
    classes = probabilities.shape[1]
    there = truth.astype(bool) if truth.ndim > 1 else truth[:, np.newaxis] == np.arange(classes)
    if class_id is None:
        wanted = [1] if classes == 2 and truth.ndim == 1 else list(range(classes))
    else:
        wanted = [class_id]
    return there[:, wanted], probabilities[:, wanted]


def decisions(truth, probabilities, thresholds=None, class_id=None, top_k=None):
    """Whether each class that is looked for is there, and whether it is predicted: where its probability is more than
    `thresholds`, a half if not given, or where it is among the `top_k` most probable."""
    there, probability = looked_for(truth, probabilities, class_id)
    if top_k is None:
        return there, probability > (0.5 if thresholds is None else thresholds)
    among = np.zeros(probabilities.shape, bool)
    np.put_along_axis(among, np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k], True, axis=1)
    predicted = looked_for(truth, among, class_id)[1]
    return there, predicted if thresholds is None else predicted & (probability > thresholds)


def true_positives(truth, probabilities, thresholds=None):
    """How often a class is predicted that is there."""
    there, predicted = decisions(truth, probabilities, thresholds)
    return float((there & predicted).sum())


def false_positives(truth, probabilities, thresholds=None):
    """How often a class is predicted that is not there."""
    there, predicted = decisions(truth, probabilities, thresholds)
    return float((~there & predicted).sum())


def false_negatives(truth, probabilities, thresholds=None):
    """How often a class is there and not predicted."""
    there, predicted = decisions(truth, probabilities, thresholds)
    return float((there & ~predicted).sum())


def true_negatives(truth, probabilities, thresholds=None):
    """How often a class is neither there nor predicted."""
    there, predicted = decisions(truth, probabilities, thresholds)
    return float((~there & ~predicted).sum())


def precision(truth, probabilities, thresholds=None, class_id=None, top_k=None):
    """Of what is predicted, the share that is there."""
    there, predicted = decisions(truth, probabilities, thresholds, class_id, top_k)
    return float((there & predicted).sum() / max(predicted.sum(), 1))


def recall(truth, probabilities, thresholds=None, class_id=None, top_k=None):
    """Of what is there, the share that is predicted."""
    there, predicted = decisions(truth, probabilities, thresholds, class_id, top_k)
    return float((there & predicted).sum() / max(there.sum(), 1))


def fbeta_score(truth, probabilities, beta=1.0, average=None, threshold=None):
    """The harmonic mean of precision and recall, recall counting `beta` times as much (van Rijsbergen, 1979).

    The most probable class is predicted, or with `threshold` every class of a larger probability, as of labels always.
    Of two classes it is the value of the second one, else the mean over the classes, unless `average` says how.
    """
    classes, labels = np.arange(probabilities.shape[1]), truth.ndim > 1
    there = truth.astype(bool) if labels else truth[:, np.newaxis] == classes
    if labels or threshold is not None:
        predicted = probabilities > (0.5 if threshold is None else threshold)
    else:
        predicted = probabilities.argmax(axis=1)[:, np.newaxis] == classes
    if len(classes) == 2 and average is None and not labels:
        there, predicted = there[:, 1:], predicted[:, 1:]
    axis = None if average == "micro" else 0
    whole = beta**2 * there.sum(axis=axis) + predicted.sum(axis=axis)
    values = (1 + beta**2) * (there & predicted).sum(axis=axis) / np.maximum(whole, 1e-12)
    return float(np.average(values, weights=there.sum(axis=0) if average == "weighted" else None))


def f1_score(truth, probabilities, average=None, threshold=None):
    """The harmonic mean of precision and recall (van Rijsbergen, 1979)."""
    return fbeta_score(truth, probabilities, 1.0, average, threshold)


# --- overlap of classes


def mean_overlap(truth, predicted, classes):
    """Mean over classes of overlap / union of the samples of a class and those predicted to be of it (Jaccard, 1912);
    classes that are nowhere do not count."""
    values = []
    for label in classes:
        there, found = truth == label, predicted == label
        if (there | found).any():
            values.append((there & found).sum() / (there | found).sum())
    return float(sum(values) / len(values)) if values else 0.0


def iou(truth, probabilities, target_class_ids, ignore_class=None):
    """Overlap of some classes; samples of `ignore_class` do not count."""
    counted = truth != ignore_class if ignore_class is not None else slice(None)
    return mean_overlap(truth[counted], probabilities.argmax(axis=1)[counted], target_class_ids)


def mean_iou(truth, probabilities, ignore_class=None):
    """Overlap of all classes; samples of `ignore_class` do not count."""
    return iou(truth, probabilities, range(probabilities.shape[1]), ignore_class)


def binary_iou(truth, probabilities, threshold=0.5, target_class_ids=(0, 1)):
    """Overlap of two classes, the second being predicted from a probability of `threshold` on."""
    return mean_overlap(truth, probabilities[:, 1] >= threshold, target_class_ids)


# --- curves


def by_keras(metric, truth, probabilities, class_id=None):
    """A metric of Keras of the classes that are looked for."""
    there, probability = looked_for(truth, probabilities, class_id)
    metric.update_state(there.astype("float32"), probability.astype("float32"))
    return float(metric.result())


# --- how they are shown


def print_table(scores, columns):
    """Prints a row for each guess and a column for each metric.

    Args:
        scores: who guesses -> metric -> its value.
        columns: metric -> what stands above it, and the format of its values.
    """
    table = [["test part", *(heading for heading, _ in columns.values())]]
    for who, found in scores.items():
        table.append([who, *(f"{found[metric]:{form}}" for metric, (_, form) in columns.items())])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for who, *values in table:
        shown = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
        print(who.ljust(widths[0]), *shown, sep="  ")
