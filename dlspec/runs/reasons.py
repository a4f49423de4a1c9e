"""Why a row is predicted as it is: what each column does to the answer, as Shapley values that are estimated by
sampling (Štrumbelj and Kononenko, 2014)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import floor, log10
from time import monotonic
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.runs.distributions import MOST_WORDS, OTHERS
from dlspec.runs.records.data import DataRecord, FeatureRecord
from dlspec.runs.row_predictor import Taken, free_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

BACKGROUND = 32
"""Rows that stand for the training part, each with an order in which the columns of a row take the place of its own."""
MOST_COLUMNS = 200
AT_ONCE = 2**17
"""Rows that the network is asked for at a time."""
BATCH = 2**13
SAID_EVERY = 15.0
"""Seconds."""
LONGEST_WORD = 40


@dataclass
class Reasons:
    """Puts beside each prediction the columns that moved it most.

    A column moves it by what the network puts out more once the value of the row stands in place of that of a
    background row, on average over background rows and orders of the columns (antithetic: each order is also taken
    backwards). The effects of a row are together its prediction less the mean prediction of the background rows.

    Args:
        model: the trained `keras.Model`, raw columns in.
        number: how many columns are named.
        background: column -> its values in the background rows, (rows,); what is not here is left as it is.
        orders: of the columns of `background`, for each background row.
        say: is told how far it is.
    """

    data: DataRecord
    model: Any
    number: int
    background: Mapping[str, Array]
    orders: Array
    say: Callable[[str], None]
    done: int = 0
    said: float = field(default_factory=monotonic)

    @classmethod
    def of(cls, data: DataRecord, model: Any, seed: int, number: int, say: Callable[[str], None]) -> Reasons:
        """From what the run folder says of the values of the training part.

        Raises:
            DataError: the run is of no table, predicts labels, or has too many columns.
        """
        from dlspec.data.preparation import generator

        _check(data, model, number)
        random = generator(seed, "reasons")
        drawn = {feature.name: _drawn(feature, data, random) for feature in data.features}
        background = {name: values for name, values in drawn.items() if values is not None}
        if not background:
            message = "the values of no column can be drawn, since all are texts without a hole"
            raise DataError.of("no-reasons", message, help="leave the reasons out")
        return cls(data, model, number, background, _orders(len(background), random), say)

    def beside(self, found: pd.DataFrame, given: Taken, outputs: Array) -> pd.DataFrame:
        """The predictions, and behind them the reasons of each; of several numbers, those of each."""
        import numpy as np

        found, target = found.copy(), self.data.target
        effects, _ = self.effects(given.values, outputs)
        if target.kind == "class":
            shares = self._as_shares(outputs)
            best = np.nan_to_num(shares, nan=-1.0).argmax(axis=1)
            each = {"why": effects[np.arange(len(effects)), :, best]}
        else:
            names = [f"{value} why" for value in target.values] or ["why"]
            each = {name: effects[:, :, i] for i, name in enumerate(names)}
        for name, of_rows in each.items():
            found[free_name(name, found.columns)] = self._in_words(given, of_rows)
        return found

    def effects(self, values: Any, outputs: Array) -> tuple[Array, Array]:
        """What each column of `background` does, (rows, columns, units), and the mean prediction of the background
        rows, (rows, units), in which columns that are left out have the values of the row.

        Args:
            values: rows as the model takes them.
            outputs: what it puts out for them.
        """
        import numpy as np

        columns, ends = self._columns(values), self._as_shares(outputs)
        effects = np.zeros((len(ends), len(self.background), ends.shape[1]))
        base = np.zeros(ends.shape)
        size = max(1, AT_ONCE // self.orders.size)
        for first in range(0, len(ends), size):
            part = slice(first, first + size)
            steps = self._steps({name: column[part] for name, column in columns.items()}, ends[part])
            base[part] = steps[:, :, 0].mean(axis=1)
            for row, order in enumerate(self.orders):
                effects[part, order] += np.diff(steps[:, row], axis=1) / BACKGROUND
            self._progress(len(ends[part]))
        return effects, base

    def _steps(self, columns: Mapping[str, Array], ends: Array) -> Array:
        """Predictions, (rows, background rows, 1 + columns, units), with as many columns of the row in place as the
        order says come first: none, one, two, ... all."""
        import numpy as np

        from dlspec.training.values import predict

        rows, (background, known) = len(ends), self.orders.shape
        rank = np.argsort(self.orders, axis=1)
        mixed = {}
        for name, own in columns.items():
            shape = (rows, background, known)
            if name in self.background:
                place = list(self.background).index(name)
                there = (rank[:, [place]] < np.arange(known))[None]
                cells = np.where(there, own[:, None, None], self.background[name][None, :, None].astype(own.dtype))
            else:
                cells = np.broadcast_to(own[:, None, None], shape)
            mixed[name] = cells.reshape(-1)
        found = self._as_shares(predict(self.model, self._as_given(mixed), BATCH))
        found = found.reshape(rows, background, known, -1)
        whole = np.broadcast_to(ends[:, None, None], (rows, background, 1, ends.shape[1]))
        return np.concatenate([found, whole], axis=2)

    def _columns(self, values: Any) -> dict[str, Array]:
        """Feature -> its values, (rows,), in the type that the model takes."""
        features = self.data.features
        if isinstance(values, Mapping):
            return {feature.name: values[feature.input or feature.name][:, 0] for feature in features}
        return {feature.name: values[:, i] for i, feature in enumerate(features)}

    def _as_given(self, columns: Mapping[str, Array]) -> Any:
        """Columns as the model takes them; see `_columns`."""
        import numpy as np

        if self.data.encoded:
            return {feature.input or feature.name: columns[feature.name][:, None] for feature in self.data.features}
        return np.stack([columns[feature.name] for feature in self.data.features], axis=1)

    def _as_shares(self, outputs: Array) -> Array:
        """Outputs, or of classes the probability of each, (rows, units), in 64 bits."""
        from dlspec.data.preparation import class_shares

        wide = outputs.astype("float64")
        if self.data.target.mixture:
            from dlspec.evaluation.mixtures import mean_of

            return mean_of(wide)
        if self.data.target.levels:
            return wide[..., self.data.target.levels.index(0.5)]
        return class_shares(wide) if self.data.target.kind == "class" else wide

    def _in_words(self, given: Taken, effects: Array) -> Array:
        """The largest effects of each row, (rows, columns), in words; None where the network puts out no number."""
        import numpy as np

        columns, raw = self._columns(given.values), {feature.name: feature.raw for feature in self.data.features}
        names = list(self.background)
        texts = np.full(len(effects), None, object)
        for row, own in enumerate(effects):
            if not np.isfinite(own).all():
                continue
            parts = []
            for i in np.argsort(-np.abs(own), kind="stable")[: self.number]:
                word = f"={str(columns[names[i]][row])[:LONGEST_WORD]}" if raw[names[i]] == "word" else ""
                parts.append(f"{names[i]}{word} {signed(own[i])}")
            texts[row] = "; ".join(parts)
        return texts

    def _progress(self, rows: int) -> None:
        self.done += rows
        if monotonic() - self.said > SAID_EVERY:
            self.said = monotonic()
            self.say(f"reasons of {self.done:,} rows so far")

    def notes(self) -> list[str]:
        """What the reasons are, and what is not in them."""
        of = "the probability of the predicted class" if self.data.target.kind == "class" else "the prediction"
        found = [
            f"`why` has what columns add to {of}, compared with {BACKGROUND} rows drawn as the training part is, each "
            "column by itself, as if columns had nothing to do with each other (Shapley values, by sampling)"
        ]
        features = {feature.name: feature for feature in self.data.features}
        left_out = [name for name in features if name not in self.background]
        if left_out:
            found.append(f"{one_of(left_out)}: not in `why`, since no other value can be drawn for it")
        texts = [name for name in self.background if features[name].raw == "text"]
        if texts:
            found.append(f"{one_of(texts)}: compared with an empty text")
        cut = [name for name in self.background if OTHERS in (features[name].shares or {})]
        if cut:
            found.append(f"{one_of(cut)}: compared with the {MOST_WORDS} most frequent words")
        return found


def signed(effect: float) -> str:
    """Three digits that count, with the sign."""
    if effect and not 1e-4 <= abs(effect) < 1e15:
        return f"{effect:+.2e}"
    return f"{effect:+.{max(0, 2 - floor(log10(abs(effect))))}f}" if effect else "+0"


def _check(data: DataRecord, model: Any, number: int) -> None:
    """Raises DataError where there are no reasons."""
    features = data.features
    if number < 1:
        raise DataError.of("no-reasons", f"{number} columns cannot be named", help="name at least one")
    table = data.encoded or (model.input_shape == (None, len(features)) and data.timesteps is None)
    if not table or data.target.kind not in ("number", "class"):
        what = "a series" if data.timesteps is not None else "no columns with names"
        if table:
            what = "several labels" if data.target.kind == "labels" else "what gives back its input"
        message = f"the run is of {what}; reasons are of a table whose target is a number or a class"
        raise DataError.of("no-reasons", message, help="leave the reasons out")
    if len(features) > MOST_COLUMNS:
        message = f"the network sees {len(features):,} columns, and reasons are of {MOST_COLUMNS} at most"
        raise DataError.of("no-reasons", message, help="train with fewer `features`, or leave the reasons out")
    unsaid = [feature.name for feature in features if not (feature.quantiles or feature.shares)]
    if unsaid:
        message = f"the run folder does not say how the values of {one_of(unsaid)} lie"
        raise DataError.of("no-reasons", message, help="run the spec again with this version of dlspec")


def _drawn(feature: FeatureRecord, data: DataRecord, random: np.random.Generator) -> Array | None:
    """Values of a column for the background rows, evenly from all that training had, in a drawn order (Latin hypercube:
    McKay et al., 1979); None: none can be drawn."""
    import numpy as np

    if feature.raw == "text":
        return np.full(BACKGROUND, "", object) if feature.holes else None
    at = random.permutation((np.arange(BACKGROUND) + 0.5) / BACKGROUND)
    missing = feature.missing / data.rows if feature.holes and data.rows else 0.0
    there = at >= missing
    at = np.clip((at - missing) / (1 - missing), 0, 1) if missing < 1 else at
    if feature.raw == "word":
        shares = {word: share for word, share in (feature.shares or {}).items() if word != OTHERS}
        ends = np.cumsum([*shares.values()])
        words = np.array([*shares], object)[np.minimum(np.searchsorted(ends / ends[-1], at), len(shares) - 1)]
        return np.where(there, words, data.missing_word)
    known = np.array(feature.quantiles)
    values = np.interp(at * (len(known) - 1), np.arange(len(known)), known)
    if (known == np.round(known)).all():
        values = np.round(values)
    return np.where(there, values, np.nan)


def _orders(columns: int, random: np.random.Generator) -> Array:
    """Orders of columns, (background rows, columns), every other one that before it backwards."""
    import numpy as np

    drawn = np.stack([random.permutation(columns) for _ in range(BACKGROUND // 2)])
    return np.stack([drawn, drawn[:, ::-1]], axis=1).reshape(BACKGROUND, columns)
