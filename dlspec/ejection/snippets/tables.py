"""Columns of tables as arrays."""

import re

import numpy as np
import pandas as pd


def words(column):
    """Text without blanks around it, and \"\" where it is missing, (rows,)."""
    return column.fillna("").str.strip().to_numpy(object)


def as_word(value):
    """A value as one of several words: a whole number is the same with and without a fraction of zeros."""
    if pd.isna(value):
        return ""
    text = str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value).strip()
    return re.sub(r"^(-?(?:0|[1-9]\d*))\.0*$", r"\1", text)


def as_words(column):
    """Values of any kind as words, an empty one where a value is missing, (rows,)."""
    return np.array([as_word(value) for value in column], object)


def seconds(column, form="ISO8601"):
    """Dates as seconds since the beginning of 1970, NaN where one is missing, (rows,)."""
    dates = pd.to_datetime(column, format=form, utc=True)
    return ((dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).to_numpy("float64")


def quarters(column):
    """Quarters such as 2024-Q1 as seconds since the beginning of 1970, (rows,)."""
    parts = column.str.extract(r"(\d{4})[- ]?[Qq]([1-4])")
    months = pd.to_numeric(parts[1]) * 3 - 2
    return seconds(parts[0] + "-" + months.map("{:02.0f}".format, na_action="ignore"), "%Y-%m")


def weeks(column):
    """Weeks such as 2024-W07, or days of them such as 2024-W07-3, as seconds since the beginning of 1970, (rows,)."""
    parts = column.str.extract(r"(\d{4})-?W(\d\d)(?:-?([1-7]))?")
    return seconds(parts[0] + "-" + parts[1] + "-" + parts[2].fillna("1"), "%G-%V-%u")


def plain_numbers(column, decimal=".", thousands=""):
    """Numbers written with currencies, percents, brackets for minus or separators of thousands, (rows,) float64."""
    return np.array([plain_number(value, decimal, thousands) for value in column], "float64")


def plain_number(value, decimal, thousands):
    if not isinstance(value, str):
        return value
    text = re.sub(r"[\s$€£¥₩₹%'’]", "", value).translate(str.maketrans("−–dD", "--ee"))
    if text.startswith("("):
        text = f"-{text[1:-1]}"
    text = (text.replace(thousands, "") if thousands else text).replace(decimal, ".")
    return np.nan if text.lower().strip("+-") in ("", "na", "n/a", "null") else float(text)


def class_indices(labels, classes):
    """The place of each label among the classes, -1 where it is none of them, (rows,)."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(label, -1) for label in labels], "int64")


def has_labels(values, labels, separator):
    """Which labels stand in a value such as `action, comedy`, (rows, labels), 1 or 0."""
    found = [{part.strip() for part in value.split(separator)} for value in values]
    return np.array([[label in own for label in labels] for own in found], "uint8")


def between(column, method="linear"):
    """A column whose holes are filled on a line between the values around them."""
    return column.interpolate(method, limit_area="inside")


def short_holes(column, most):
    """Which values are missing with at most so many in a row, (rows,) bool."""
    hole = column.isna()
    return hole & (hole.groupby((~hole).cumsum()).transform("sum") <= most)
