"""Raw rows -> predictions in the target's own units, by the model of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from dlspec.data.even_steps import Policy, policy_of
from dlspec.data.forms import of_quantiles
from dlspec.data.section import DataSpec
from dlspec.data.sources.formats.dialect import undressed
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.runs.odd_values import OddValues
from dlspec.runs.records.data import DataRecord, FeatureRecord, TargetRecord
from dlspec.runs.tagged_words import TagsWritten, vocabulary_of
from dlspec.runs.unknown_words import WordsSeen

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.data.preparation.evening import Evened
    from dlspec.runs.written_texts import SourcesSeen

    First = int | np.ndarray


@dataclass(frozen=True)
class Taken:
    """What the model takes of rows.

    Args:
        values: numbers, (rows, columns) or (samples, ...), or an array for each input.
        index: of each, as the rows have it.
        groups: of several series, that which each row belongs to.
        times: of each row.
        evened: of a series that was brought to even steps, what became of its rows.
    """

    values: Any
    index: pd.Index[Any]
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    evened: Evened | None = None


class Beside(Protocol):
    """What is put beside predictions."""

    def beside(self, found: pd.DataFrame, given: Taken, outputs: np.ndarray) -> pd.DataFrame:
        """The predictions with more columns.

        Args:
            found: predictions as columns.
            given: what they were made of.
            outputs: of the model.
        """
        ...

    def notes(self) -> list[str]:
        """What a reader should know."""
        ...


@dataclass(frozen=True)
class NothingBeside:
    """Says why nothing stands beside predictions."""

    why: str

    def beside(self, found: pd.DataFrame, given: Taken, outputs: np.ndarray) -> pd.DataFrame:
        return found

    def notes(self) -> list[str]:
        return [self.why]


@dataclass(frozen=True)
class RowPredictor:
    """Reads rows as the model takes them, and names what comes out.

    Args:
        section: `data` of the spec.
        data: what the data looked like that it was trained on.
        model: the trained `keras.Model`, raw columns in.
        seen: counts the words that it cannot know.
        odd: counts values that lie far outside those of training, and rows that cannot be read.
        tolerant: whether rows that cannot be read have no prediction; else they raise DataError.
        besides: what is put beside the predictions, one after the other.
        others: of a network of several outputs, what predicts the others by the same rows.
        whole: of mixtures, whether weights, means and deviations are given, and not what is told of them.
    """

    section: DataSpec
    data: DataRecord
    model: Any
    seen: WordsSeen = field(default_factory=WordsSeen)
    odd: OddValues = field(default_factory=OddValues)
    tolerant: bool = False
    besides: tuple[Beside, ...] = ()
    others: tuple[RowPredictor, ...] = ()
    whole: bool = False

    def predict(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray, first: First = 0) -> pd.DataFrame:
        """See `Run.predict`.

        Args:
            first: which row of a file is the first, counted from 0, as messages say it, or those of all.
        """
        if self.data.target.tokens:
            return self._judged(rows)
        if self.data.target.aligned:
            return self._read_off(rows, first)
        if self.data.target.written:
            return self._written(rows, first)
        given = self.taken(rows, first)
        found = self.of_taken(given)
        for other in self.others:
            own = other.of_taken(given)
            found = found.join(own.rename(columns={name: free_name(name, found.columns) for name in own.columns}))
        if given.groups is not None:
            found.insert(0, str(self.data.group), given.groups)
        return found

    def of_taken(self, given: Taken) -> pd.DataFrame:
        """What this model, one of several outputs, predicts of what the model takes."""
        from dlspec.training.values import predict

        outputs = predict(self.model, given.values)
        if self.data.target.kind == "input":
            found = self.given_back(outputs, given.values, given.index)
        elif self.data.target.of_words:
            found = self._tagged(outputs, given)
        elif self.data.target.places and self.data.window is None:
            found = self._at_places(outputs, given.values, given.index)
        else:
            found = self._named(outputs, given.index)
        for what in self.besides:
            found = what.beside(found, given, outputs)
        return found

    def _judged(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray) -> pd.DataFrame:
        """How probable texts are, a row each."""
        import pandas as pd

        from dlspec.runs.language import judged_texts

        name = self.data.raw_columns[0]
        given = rows if isinstance(rows, pd.DataFrame | Mapping) else {name: rows}
        frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(given)
        self._check_columns(frame)
        return judged_texts(self.data, self.model, frame)

    def _written(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray, first: First) -> pd.DataFrame:
        """The text that is written of each row."""
        import numpy as np
        import pandas as pd

        from dlspec.runs.written_texts import texts_of, write_by_model

        target = self.data.target
        if isinstance(rows, np.ndarray):
            message = "the model takes each column by its name"
            raise DataError.of("wrong-shape", message, help="give rows with named columns")
        frame = (rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)).copy()
        self._check_columns(frame)
        frame[target.name] = ""  # nothing was written yet
        given = self.taken(frame, first)
        self._sources.count(given.values)
        known = self.data.target_of_run()
        return pd.DataFrame(
            {target.name: texts_of(write_by_model(self.model, given.values, known), target)}, given.index
        )

    def _read_off(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray, first: First) -> pd.DataFrame:
        """The text that is read off each row."""
        import pandas as pd

        from dlspec.evaluation.aligned import read
        from dlspec.runs.written_texts import texts_of
        from dlspec.training.values import predict

        given = self.taken(rows, first)
        self._sources.count(given.values)
        found = read(predict(self.model, given.values), self.data.target_of_run())
        return pd.DataFrame({self.data.target.name: texts_of(found, self.data.target)}, given.index)

    def taken(self, rows: pd.DataFrame | Mapping[str, Sequence[Any]] | np.ndarray, first: First = 0) -> Taken:
        """What the model takes of rows; see `predict`."""
        import numpy as np
        import pandas as pd

        if isinstance(rows, np.ndarray):
            if self.data.encoded:
                message = "the model takes each column by its name"
                raise DataError.of("wrong-shape", message, help="give rows with named columns")
            rows = self._as_taken(self.data.raw_columns[0], rows, self.model.input.dtype, first)
            given = Taken(rows, pd.RangeIndex(len(rows)))
        else:
            frame = rows if isinstance(rows, pd.DataFrame) else frame_of(rows)
            self._check_columns(frame)
            if self.data.encoded:
                if self.tolerant:
                    rows = self._readable(frame, first)
                    frame, first = frame.iloc[rows], first + rows
                return Taken(self.raw_columns(frame, first), frame.index)
            given = self._numbers(frame, first if isinstance(first, int) else int(first[0]))
        length = self.data.timesteps
        if length is not None and given.values.ndim == 2:
            given = self._windows(given, length)
        takes = (length, len(self.data.raw_columns)) if length is not None else tuple(self.model.input_shape[1:])
        if given.values.shape[1:] != takes:
            raise DataError.of("wrong-shape", f"a sample has the shape {takes}, got {given.values.shape[1:]}")
        return given

    def notes(self, rows: int) -> list[str]:
        """What a reader of the predictions of so many rows should know."""
        besides = [note for each in (self, *self.others) for what in each.besides for note in what.notes()]
        tags = [note for own in (self, *self.others) if own.data.target.of_words for note in own._tags.notes()]
        sources = self._sources.notes() if self.data.target.written else []
        return [*self.seen.notes(), *self.odd.notes(rows), *tags, *sources, *besides]

    @property
    def rows_needed(self) -> int:
        """How many rows a prediction takes."""
        window = self.section.window
        return window.span(self.data.timesteps) if window is not None and self.data.timesteps else 1

    def _check_columns(self, frame: pd.DataFrame) -> None:
        group = self.data.group
        needed = self.data.asked if group is None else (group, *self.data.asked)
        missing = [name for name in needed if name not in frame]
        if missing:
            message = f"the rows have no column {one_of(missing)}"
            raise DataError.of("missing-column", message, help=f"a prediction takes {one_of(needed)}")

    def _numbers(self, frame: pd.DataFrame, first: int) -> Taken:
        """The columns that the model takes, (rows, columns)."""
        import numpy as np

        from dlspec.data.preparation import even_out, to_numbers

        policy = policy_of(self.section)
        group = self.data.group
        if self.tolerant and not policy.changes_rows:
            frame, policy = self._with_holes(frame, first), Policy("drop", cut=True)
        elif policy.resample is not None and policy.missing == "error":  # no window has a step without a row
            policy = replace(policy, missing="drop", cut=True)
        try:
            groups, times = self._groups_and_times(frame, first, policy)
        except DataError as error:
            if not self.data.turned or error.diagnostics[0].code != "time-not-increasing":
                raise
            frame = frame[::-1]
            groups, times = self._groups_and_times(frame, 0, policy)
        numbers = {
            name: to_numbers(name, undressed(frame[name].to_numpy()), holes=policy.changes_rows, first=first)
            for name in self.data.raw_columns
        }
        dtype, evened, index = self.model.input.dtype, None, frame.index
        if policy.changes_rows:
            evened = even_out(numbers, times, groups, policy)
            numbers, times, groups, index = evened.columns, evened.times, evened.groups, frame.index[evened.origin]
        levels = (self.section.predict or "level") == "level"  # of changes the level says nothing
        for feature in self.data.features if levels else ():
            self.odd.look(feature, numbers[feature.name])
        columns = [self._as_taken(name, values, dtype, first) for name, values in numbers.items()]
        return Taken(np.stack(columns, axis=1), index, groups if group else None, times, evened)

    def _with_holes(self, frame: pd.DataFrame, first: int) -> pd.DataFrame:
        """Timesteps whose values cannot be read lack all of them."""
        from dlspec.data.preparation import to_numbers

        def read(name: str) -> Callable[[np.ndarray], object]:
            values = undressed(frame[name].to_numpy())
            return lambda rows: to_numbers(name, values[rows], first=first + rows)

        good = self.odd.readable(first, len(frame), {name: read(name) for name in self.data.raw_columns})
        if good.all():
            return frame
        found = frame.copy()
        for name in self.data.raw_columns:
            found[name] = found[name].where(good, None)
        return found

    def _groups_and_times(
        self, frame: pd.DataFrame, first: int, policy: Policy
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Of several series that of each row, and the time of each, where gaps, steps or repeats are to be seen."""
        from dlspec.data.preparation import date_form, to_times, to_words

        group, time, times = self.data.group, self.section.time_name, None
        groups = None if group is None else to_words(group, frame[group].to_numpy())
        needed = self.data.usual_step is not None or policy.changes_rows
        if needed and time is not None and time in frame:
            given, repeats = frame[time].to_numpy(), policy.allows_repeats
            form = date_form(time, given, groups, known=self.data.time_form, repeats=repeats)
            times = to_times(time, given, groups, first=first, forms=(form,), dated=self.data.dated, repeats=repeats)
        return groups, times

    def _windows(self, given: Taken, length: int) -> Taken:
        """Every window of rows, (windows, timesteps, columns), with the index of its last row; none across a gap."""
        from dlspec.data.preparation import windows_of_rows

        groups, times = given.groups, given.times
        window = self.section.window
        gap = window.gap if times is not None and window else "none"
        every = window.every if window is not None else 1
        alike = times is not None and (times.dtype.kind == "M") == self.data.dated
        usual_step = self.data.usual_step if alike else None
        evened = given.evened
        cut = None if evened is None else evened.cut
        values, last = windows_of_rows(given.values, length, groups, times, gap, usual_step, cut, every)
        if evened is not None:
            kept = evened.origin[last] >= 0  # a forecast from a step that no row lies in has no row to stand beside
            kept &= True if evened.unsure is None else ~evened.unsure[last]
            values, last = values[kept], last[kept]
        if not len(values):
            count = len(given.values)
            of = "" if groups is None else f" of one `{self.data.group}`"
            whole = " without a gap in time" if count >= self.rows_needed and times is not None else ""
            raise DataError.of(
                "too-few-rows", f"a prediction takes {self.rows_needed} rows{of} in order{whole}, got {count}"
            )
        return Taken(values, given.index[last], None if groups is None else groups[last])

    def _readable(self, frame: pd.DataFrame, first: First) -> np.ndarray:
        """The places of the rows of a table that can be read."""
        import numpy as np

        def read(feature: FeatureRecord) -> Callable[[np.ndarray], object]:
            return lambda rows: self._read(feature, frame.iloc[rows], first + rows)

        each = {feature.name: read(feature) for feature in self.data.features}
        return np.flatnonzero(self.odd.readable(first, len(frame), each))

    def _read(self, feature: FeatureRecord, frame: pd.DataFrame, first: First) -> np.ndarray:
        """A column as the model takes it, before its words are spelt."""
        from dlspec.data.preparation import DATE_FORMS, READERS

        name, raw = feature.name, feature.raw
        if feature.shape:
            return self._arrays(feature, frame[name].to_numpy(), first)
        forms = {"forms": (feature.form, DATE_FORMS[0])} if raw == "time" else {}
        given = frame[name].to_numpy()
        given = undressed(given) if raw == "number" else given
        read = READERS[raw](name, given, holes=feature.holes, first=first, **forms)
        if raw == "word":
            return read
        return self._as_taken(name, read, self.model.input[feature.input or name].dtype, first)

    def _arrays(self, feature: FeatureRecord, given: np.ndarray, first: First) -> np.ndarray:
        """Arrays as the model takes them, (rows, ...)."""
        import numpy as np

        for place, own in enumerate(given):
            if np.shape(own) != feature.shape:
                row = (first if isinstance(first, int) else int(first[place])) + (
                    place if isinstance(first, int) else 0
                )
                message = f"`{feature.name}` of row {row + 1:,} has the shape {np.shape(own)}"
                raise DataError.of("wrong-shape", message, help=f"the network takes {feature.shape}")
        values = np.stack([np.asarray(own) for own in given]) if len(given) else np.empty((0, *feature.shape))
        return self._as_taken(feature.name, values, self.model.input[feature.input or feature.name].dtype, first)

    def raw_columns(self, frame: pd.DataFrame, first: First = 0) -> dict[str, np.ndarray]:
        """What the model takes of rows, (rows, 1) for each column."""
        import numpy as np

        if self.data.target.tokens:
            from dlspec.runs.language import window_texts

            return {str(self.data.features[0].input): window_texts(self.data, frame)}
        found = {}
        for feature in self.data.features:
            read = self._read(feature, frame, first)
            if feature.shape:
                found[feature.input or feature.name] = read
                continue
            self.odd.look(feature, read)
            if feature.raw == "word":
                read = self.seen.spelt(feature, read)
                read = np.array([word or self.data.missing_word for word in read], object)
            found[feature.input or feature.name] = read[:, None]
        return found

    def _as_taken(self, name: str, values: np.ndarray, dtype: str, first: First) -> np.ndarray:
        """Values, (rows, ...), in the type that an input of the model has.

        Raises:
            DataError: it takes whole numbers, and some are not.
        """
        import numpy as np

        from dlspec.data.preparation import check_whole

        if dtype == "int64" and values.dtype.kind == "f":
            check_whole(name, values, first)
        return values.astype(object) if dtype == "string" else np.asarray(values, dtype)

    def _named(self, outputs: np.ndarray, index: pd.Index[Any]) -> pd.DataFrame:
        """Numbers or probabilities, (samples, units), as columns."""
        import numpy as np
        import pandas as pd

        from dlspec.data.preparation import class_shares

        target, window = self.data.target, self.data.window
        if target.places:  # a row has the answer at the last timestep of the window that ends in it
            outputs = outputs.reshape(len(outputs), target.places[0], -1)[:, -1]
        if target.labels:
            return pd.DataFrame(_labels(target, outputs), index=index)
        if target.kind == "number":
            ahead = f"+{window.horizon}" if window else ""
            values = target.values or (f"{target.name}{ahead}",)
            if target.mixture:
                return pd.DataFrame(_of_mixtures(values, target, outputs, whole=self.whole), index=index)
            if target.levels:
                return pd.DataFrame(_quantiles(values, target.levels, outputs), index=index)
            return pd.DataFrame(dict(zip(values, outputs.T, strict=True)), index=index)
        shares = class_shares(outputs)
        ahead = f"+{window.horizon}" if window and window.horizon else ""
        named = {f"{target.name}={label}": shares[:, i] for i, label in enumerate(target.classes)}
        labels = _where_known(shares, np.array(target.classes)[shares.argmax(axis=1)])
        return pd.DataFrame({f"{target.name}{ahead}": labels, **named}, index=index)

    def _at_places(self, outputs: np.ndarray, raw: Any, index: pd.Index[Any]) -> pd.DataFrame:
        """The number, or the likeliest class, at each place, a column for each: `y[3,5]`; nothing where a place is
        masked, or the network gives no number.

        Args:
            raw: inputs, as the model takes them.
        """
        import numpy as np
        import pandas as pd

        from dlspec.data.preparation import class_shares
        from dlspec.training.masked import has_mask, inner_network, mask_of, over_places
        from dlspec.training.values import predict

        target, network = self.data.target, inner_network(self.model)
        names = [f"{target.name}[{','.join(map(str, place))}]" for place in np.ndindex(*target.places)]
        known = np.ones((len(outputs), *target.places), bool)
        mask = mask_of(network, predict(self._seen, raw)) if has_mask(network) else None
        if mask is not None:
            known &= over_places(mask, known.ndim)
        found = outputs.reshape(known.shape) if target.kind == "number" else outputs
        if target.kind == "class":
            shares = class_shares(outputs)
            known &= np.isfinite(shares).all(axis=-1)
            found = np.array(target.classes)[np.nan_to_num(shares).argmax(axis=-1)]
        if not known.all():
            found = found.astype("float64" if target.kind == "number" else object)
            found[~known] = np.nan if target.kind == "number" else None
        return pd.DataFrame(found.reshape(len(outputs), -1), index, names)

    def _tagged(self, outputs: np.ndarray, given: Taken) -> pd.DataFrame:
        """The tags of the words of texts, in one column."""
        import pandas as pd

        (feature,) = self.data.features
        texts = given.values[feature.input or feature.name][:, 0]
        return pd.DataFrame({self.data.target.name: self._tags.tags(texts, outputs)}, index=given.index)

    @cached_property
    def _sources(self) -> SourcesSeen:
        """What counts of texts of which others are written what is not seen of them."""
        from dlspec.runs.written_texts import SourcesSeen, fed_input

        return SourcesSeen(self.model, fed_input(self.data.target))

    @cached_property
    def _tags(self) -> TagsWritten:
        """What writes tags, and counts what cannot be told."""
        return TagsWritten(self.data.target, vocabulary_of(self.model))

    @cached_property
    def _seen(self) -> Any:
        """What makes of raw columns what the network sees."""
        from dlspec.model.build import preprocessing_of

        return preprocessing_of(self.model)

    def given_back(self, outputs: np.ndarray, raw: Any, index: pd.Index[Any]) -> pd.DataFrame:
        """What the network gives back of raw inputs, (samples, ...), and how far it is off, as the network sees it.

        Of columns that are encoded, raw being an array of each by name, it is what the network sees of them.
        """
        import numpy as np
        import pandas as pd

        from dlspec.data.preparation import changes
        from dlspec.training.values import predict

        if self.data.encoded:
            widths = [(feature.name, feature.width) for feature in self.data.features]
            known = [name if width == 1 else f"{name}[{i}]" for name, width in widths for i in range(width)]
            off = outputs - predict(self._seen, raw)
            return pd.DataFrame(
                {**dict(zip(known, outputs.T, strict=True)), "squared_error": (off**2).sum(axis=1)}, index
            )
        raw = np.asarray(raw)
        names = [feature.name for feature in self.data.features]
        places: list[str] = []
        if raw.ndim == 2 and len(names) == raw.shape[1]:
            places = names
        elif self.data.timesteps is not None:
            places = [f"{name}[{step}]" for step in range(outputs.shape[1]) for name in names]
            raw = changes(raw[..., : len(names)], self.section.predict or "level", axis=1)
        else:
            places = [f"{names[0]}[{','.join(map(str, place))}]" for place in np.ndindex(*outputs.shape[1:])]
        off = ((outputs - raw) * np.array(self.model.get_layer("scale_inputs").scale)).reshape(len(raw), -1)
        values = dict(zip(places, outputs.reshape(len(outputs), -1).T, strict=True))
        return pd.DataFrame({**values, "squared_error": (off**2).sum(axis=1)}, index=index)


def frame_of(columns: Mapping[str, Any], names: Sequence[str] | None = None, rows: Any = None) -> pd.DataFrame:
    """Columns side by side; arrays of more than one axis as a column of arrays.

    Args:
        names: of those that are wanted; None: all.
        rows: which rows are; None: all.
    """
    import pandas as pd

    found = {}
    for name in columns if names is None else names:
        values = columns[name] if rows is None else columns[name][rows]
        found[name] = list(values) if getattr(values, "ndim", 1) > 1 else values
    return pd.DataFrame(found)


def _quantiles(values: Sequence[str], levels: Sequence[float], outputs: np.ndarray) -> dict[str, np.ndarray]:
    """Quantiles, (samples, numbers, quantiles), as columns: of each number the median first."""
    found: dict[str, np.ndarray] = {}
    for i, value in enumerate(values):
        own = dict(zip(of_quantiles(value, levels), outputs[:, i].T, strict=True))
        found |= {value: own.pop(value), **own}
    return found


def _of_mixtures(
    values: Sequence[str], target: TargetRecord, outputs: np.ndarray, *, whole: bool
) -> dict[str, np.ndarray]:
    """Mixtures, (samples, numbers, 3 * components), as columns: of each number its mean, its interval and its likeliest
    value, or all weights, means and deviations."""
    from dlspec.evaluation.mixtures import told

    found: dict[str, np.ndarray] = {}
    for i, value in enumerate(values):
        names = target.names_of(value) if whole else target.told_of(value)
        own = outputs[:, i] if whole else told(outputs[:, i])
        found |= dict(zip(names, own.T, strict=True))
    return found


def free_name(name: str, taken: Collection[Any]) -> str:
    """The name of a predicted column, none of those that are there."""
    while name in taken:
        name = f"predicted {name}"
    return name


def _labels(target: TargetRecord, shares: np.ndarray) -> dict[str, Any]:
    """Probabilities of labels, (samples, labels), as the columns that they come from, and each beside them."""
    import numpy as np

    names, columns, words, others = zip(*target.labels, strict=True)
    there = shares > 0.5
    predicted: dict[str, Any]
    if target.separator is not None:
        joint = target.separator + " " * (target.separator in ",;")
        joined = np.array([joint.join(np.array(names)[row]) for row in there])
        predicted = {target.name: _where_known(shares, joined)}
    else:
        predicted = {
            column: _where_known(shares[:, [i]], np.where(there[:, i], words[i], others[i]))
            for i, column in enumerate(columns)
        }
    return predicted | {f"{columns[i]}={words[i]}": shares[:, i] for i in range(len(names))}


def _where_known(shares: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """None in place of a label whose probabilities, (samples, ...), are NaN: of those none is the largest."""
    import numpy as np

    known = np.isfinite(shares).all(axis=1)
    if known.all():
        return labels
    found = labels.astype(object)
    found[~known] = None
    return found
