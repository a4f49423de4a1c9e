"""Columns as a network sees them, in Keras's own layers, so that the model that is saved takes raw values."""

import math

import keras
import numpy as np
from keras import layers, ops


def scaled(x, center, scale):
    """(x - center) / scale in float64: with a large mean and a small spread, float32 would lose the difference."""
    center, scale = np.atleast_1d(center), np.atleast_1d(scale)
    return layers.Rescaling(1 / scale, -center / scale, dtype="float64")(x)


def in_units(x, center, scale):
    """The way back from a scaled number: x * scale + center, in float64."""
    return layers.Rescaling(np.atleast_1d(scale), np.atleast_1d(center), dtype="float64")(ops.cast(x, "float64"))


def encode_number(x, center=0.0, scale=1.0, fill=None, indicator=False):
    """A scaled number, (batch, 1) or, with an indicator of what is missing, (batch, 2).

    Args:
        fill: what stands in for a missing value.
    """
    known = x if fill is None else ops.where(ops.isnan(x), fill, x)
    number = ops.cast(scaled(known, center, scale), "float32")
    return ops.concatenate([number, ops.cast(ops.isnan(x), "float32")], axis=-1) if indicator else number


def encode_bins(x, edges, fill=None, indicator=False):
    """The bin that a number lies in, 1 in its place, (batch, bins); a number on an edge lies above it.

    Args:
        fill: what stands in for a missing value; None: it lies in no bin.
    """
    known = x if fill is None else ops.where(ops.isnan(x), fill, x)
    most = np.finfo("float64").max
    low, high = np.array([[-most, *edges]]), np.array([[*edges, most]])
    found = ops.cast(ops.logical_and(ops.greater_equal(known, low), ops.less(known, high)), "float32")
    return ops.concatenate([found, ops.cast(ops.isnan(x), "float32")], axis=-1) if indicator else found


def unused_word(vocabulary):
    """What stands for words that are not in the vocabulary, and is none of them."""
    word = "[UNK]"
    while word in vocabulary:
        word = f"[{word}]"
    return word


def encode_category(x, vocabulary):
    """1 in the place of the word, (batch, words); all are 0 for a word that is not in the vocabulary."""
    one_hot = layers.StringLookup(vocabulary=vocabulary, oov_token=unused_word(vocabulary), output_mode="one_hot")(x)
    return ops.cast(one_hot[..., 1:], "float32")  # the first is for words that are not in the vocabulary


def encode_code(x, vocabulary):
    """The number of a word for an embedding, (batch, 1): 0 of a missing one, 1 of one not in the vocabulary, then 2…"""
    codes = layers.StringLookup(vocabulary=vocabulary, oov_token=unused_word(vocabulary), mask_token="")(x)
    return ops.cast(codes, "float32")


def encode_truth(x, words):
    """1 for a word that means true, else 0, (batch, 1)."""
    return ops.max(encode_category(x, words), axis=-1, keepdims=True)


def encode_words(x, vocabulary, ngrams=1, mode="multi_hot", idf=None):
    """A number for each word of the vocabulary: whether, how often, or how tellingly it stands in a text.

    Args:
        idf: with mode `tf_idf`, the inverse document frequency of each word.
    """
    weights = {} if idf is None else {"idf_weights": idf}
    counted = layers.TextVectorization(ngrams=ngrams, output_mode=mode, vocabulary=vocabulary, **weights)(x)
    counted = ops.reshape(counted, (-1, 1 + len(vocabulary)))
    return ops.cast(counted[:, 1:], "float32")  # the first is for words that are not in the vocabulary


def encode_sequence(x, vocabulary, length, unit="words"):
    """The numbers of the first words, or characters, of a text for an embedding, (batch, length); 0 where it has
    ended.

    Args:
        unit: `words` without capitals and punctuation, `spaced` as they stand between spaces, or `characters`.
    """
    as_they_are = {"spaced": {"standardize": None}, "characters": {"standardize": None, "split": "character"}}
    numbers = layers.TextVectorization(
        output_mode="int", output_sequence_length=length, vocabulary=vocabulary, **as_they_are.get(unit, {})
    )(x)
    return ops.cast(numbers, "float32")


def calendar(seconds):
    """Year, month, day, … of seconds since 1970, counted from 0 but for the year; Monday is weekday 0.

    Years begin in March here, so that a leap day is the last one of its year (Howard Hinnant, `chrono`-compatible
    low-level date algorithms, 2014).
    """
    days = ops.floor(seconds / 86_400)
    since = days + 719_468  # since 1 March of the year 0
    era = ops.floor(since / 146_097)  # of 400 years
    in_era = since - era * 146_097
    leap_days = ops.floor(in_era / 1460) - ops.floor(in_era / 36_524) + ops.floor(in_era / 146_096)
    year = ops.floor((in_era - leap_days) / 365)
    in_year = in_era - (365 * year + ops.floor(year / 4) - ops.floor(year / 100))
    month = ops.floor((5 * in_year + 2) / 153)
    turned = ops.floor(month / 10)  # January and February
    civil = year + era * 400 + turned
    before = civil - 1
    first = 365 * before + ops.floor(before / 4) - ops.floor(before / 100) + ops.floor(before / 400) - 719_162
    return {
        "year": civil,
        "month": month + 2 - 12 * turned,
        "day": in_year - ops.floor((153 * month + 2) / 5),
        "day_of_year": days - first,
        "weekday": days + 3 - 7 * ops.floor((days + 3) / 7),
        "hour": (seconds - days * 86_400) / 3600,
    }


# Length of each cycle; the year is none.
CYCLES = {"month": 12, "day": 31, "day_of_year": 365.2425, "weekday": 7, "hour": 24}


def encode_time(seconds, parts, center=0.0, scale=1.0):
    """Parts of the calendar: the sine and cosine of each in its cycle, and the scaled year; 0 of a missing date.

    Args:
        seconds: since the beginning of 1970, float64.
        center, scale: of the year.
    """
    missing = ops.isnan(seconds)
    date = calendar(ops.where(missing, ops.zeros_like(seconds), seconds))
    found = []
    for part in parts:
        if part == "year":
            found.append((date["year"] - center) / scale)
        else:
            angle = date[part] * (2 * math.pi / CYCLES[part])
            found += [ops.sin(angle), ops.cos(angle)]
    known = [ops.where(missing, ops.zeros_like(values), values) for values in found]
    return ops.cast(ops.concatenate(known, axis=-1), "float32")


def without_layers(network, kinds):
    """The same network without layers of some classes, such as `RandomFlip`, which `model(x)` would apply, too."""

    def call(layer, *given, **more):
        kind = type(getattr(layer, "layer", layer)).__name__  # also below `TimeDistributed`
        return given[0] if kind in kinds else layer(*given, **more)

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


def outputs_of(model, x, batch_size=512):
    """What a model makes of all samples.

    Keras's `predict` would round them to float32 before the model sees them.
    """
    batches = range(0, len(x), batch_size)
    return np.concatenate([model.predict_on_batch(x[first : first + batch_size]) for first in batches])
