"""`load_data` of a series: its rows in the order of time, brought to even steps as the spec says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from dlspec.data.even_steps import Policy, Resample, duration, filling_of, policy_of
from dlspec.data.preparation.times import DATE_FORMS, QUARTER, WEEK
from dlspec.data.sources.rows import SeriesFiles
from dlspec.ejection.checking import Expected
from dlspec.ejection.naming import held_names
from dlspec.ejection.prose import define
from dlspec.ejection.python import INDENT, Code, literal, statement
from dlspec.ejection.rows import SECTION, Wanted, as_numbers, column, reading
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.tables import Write, plainest, returning, shown_paths, target_of

SECONDS = (("D", 86_400), ("h", 3600), ("min", 60), ("s", 1))
KEYS: tuple[Literal["group", "time"], ...] = ("group", "time")
LONG = 20
"""Characters of a name that stands in the middle of a line at most."""
MONTHS = {1: "MS", 3: "QS", 12: "YS"}
"""Steps of months -> how pandas calls those that begin in January."""


def series_writer(subject: Subject, files: SeriesFiles, expected: Expected) -> Write | None:
    """What writes `load_data`, in the plainest way that gives the expected values; None: no way does."""
    evening = Evening.of(subject)
    if evening is not None and (files.validation or files.test):
        return None  # each part is evened by itself
    target, steps = subject.target, subject.data.preprocessing
    numbers = list(dict.fromkeys([*steps.raw_columns, *(target.names if target.kind == "number" else ())]))
    words = target.names if target.kind == "class" else ()
    wanted = Wanted(tuple(words), tuple(numbers), {} if evening is None else evening.dates)

    def writer(wanted: Wanted) -> Write:
        return lambda script: _write(script, subject, files, wanted, evening)

    write = plainest(writer, wanted, subject, files, expected)
    return write or (plainest(writer, _with_text_dates(wanted), subject, files, expected) if evening else None)


def _with_text_dates(wanted: Wanted) -> Wanted:
    return replace(wanted, levels={**wanted.levels, **dict.fromkeys(wanted.dates, 1)})


def _write(script: Script, subject: Subject, files: SeriesFiles, wanted: Wanted, evening: Evening | None) -> None:
    lines = reading(script, subject, files, wanted)
    if subject.data.turned:
        lines.append("table = table[::-1]  # the newest row stands first")
    names, raw = list(wanted.numbers), list(subject.data.preprocessing.raw_columns)
    dressed = [(column(name), as_numbers(script, files, wanted, name)) for name in names if wanted.level(name)]
    lines += [statement(target, numbers, INDENT) for target, numbers in dressed]
    if evening is not None:
        lines += evening.lines(script, names, list(wanted.words), {_constant(subject): raw})
    plain = replace(wanted, levels={**wanted.levels, **dict.fromkeys(names, 0)})
    what, before, y = target_of(script, subject, files, plain)
    chosen = literal(raw) if len(raw) == 1 else held_names(script, _constant(subject), raw, SECTION)
    line = subject.line("data", "series")
    text = f"The rows of {shown_paths(files)}, oldest first, (rows, {len(raw)}), and {what} in each"
    lines += [*before, *returning(f'table[{chosen}].to_numpy("float64")', y)]
    define(script, SECTION, "load_data()", text + (f" ({line} of the spec)." if line else "."), lines)


def _constant(subject: Subject) -> str:
    """What the columns of a row are called."""
    steps = subject.data.preprocessing
    return "features" if len(steps.raw_columns) == steps.features else "columns"


@dataclass(frozen=True)
class Evening:
    """What is done to the rows of a series that are not even.

    Args:
        time: the column of times; None: rows are numbered.
        form: how dates are written; None: times are numbers.
        group: the column that separates several series.
    """

    policy: Policy
    time: str | None
    form: str | None
    group: str | None
    places: str

    @classmethod
    def of(cls, subject: Subject) -> Evening | None:
        """None: the rows stay as they are."""
        data, section = subject.data, subject.spec.data
        policy = policy_of(section)
        if not policy.changes_rows:
            return None
        time = data.signature.time if data.times is not None else None
        dated = data.times is not None and data.times.dtype.kind == "M"
        form = data.date_forms.get(time, DATE_FORMS[0]) if time is not None and dated else None
        lines = {subject.line("data", key) for key in ("resample", "duplicates", "missing")} - {""}
        places = " and ".join(sorted(lines, key=lambda line: (len(line), line)))
        return cls(policy, time, form, data.signature.group, places)

    @property
    def dates(self) -> dict[str, str]:
        return {} if self.time is None or self.form is None else {self.time: self.form}

    def lines(self, script: Script, numbers: list[str], words: list[str], known: dict[str, list[str]]) -> list[str]:
        """The lines that even out `table`.

        Args:
            known: constants that hold names of columns.
        """
        names = [*numbers, *words]
        constant = next((key for key, held in known.items() if held == names), "evened")
        chosen = Code(literal(names)) if len(names) == 1 else held_names(script, constant, names, SECTION)
        found = []
        if self.time is not None and self.form is not None and self._needs_times:
            own = f"table[{self._name(script, 'time')}]"
            found.append(f"{own} = {self._parsed(own, self.form)}")
        how, limit = filling_of(self.policy.missing)
        joined = self.policy.resample.how if self.policy.resample is not None else self.policy.duplicates
        if words and joined != "error":
            if joined == "sum":
                raise NotImplementedError  # pandas makes 0 of nothing
            found.append(statement("joined", dict.fromkeys(numbers, joined) | dict.fromkeys(words, "last"), INDENT))
        if self.policy.resample is not None:
            found += self._resampled(script, self.policy.resample, chosen, words)
        elif self.policy.duplicates != "error":
            keys = [self._name(script, key) for key in KEYS if getattr(self, key) is not None]
            grouped = f"table.groupby({literal(keys)}, sort=False, as_index=False)"
            found.append(f"table = {grouped}{self._joined(self.policy.duplicates, chosen, words)}")
        if how not in ("error", "drop"):
            found += self._filled(script, how, limit, chosen, numbers, words)
        if how != "error":
            found.append(f"table = table.dropna(subset={chosen})")
        return [f"# {self.places} of the spec", *found] if self.places and found else found

    @property
    def _needs_times(self) -> bool:
        how, _ = filling_of(self.policy.missing)
        return self.policy.allows_repeats or how == "interpolate"

    def _name(self, script: Script, which: Literal["time", "group"]) -> Code:
        """The name of a column as source: where it is long, a constant."""
        name = self.time if which == "time" else self.group
        assert name is not None, "is asked for where there is one"
        return Code(literal(name)) if len(name) <= LONG else script.constant(f"{which}_column", name, SECTION)

    def _parsed(self, time: str, form: str) -> str:
        if form in (QUARTER, WEEK):
            raise NotImplementedError  # such times are left to dlspec
        return f"pd.to_datetime({time}, format={literal(form)})"

    def _joined(self, how: str, chosen: Code, words: list[str]) -> str:
        """What becomes of several rows, of words always the last."""
        if words:
            return ".agg(joined)"
        return f"[{chosen}].{how}({'min_count=1' if how == 'sum' else ''})"

    def _resampled(self, script: Script, resample: Resample, chosen: Code, words: list[str]) -> list[str]:
        joined = self._joined(resample.how, chosen, words)
        if self.form is None:
            if self.group is not None:
                raise NotImplementedError  # steps of numbers in groups are left to dlspec
            step = f"np.floor(table[{self._name(script, 'time')}] / {literal(resample.every)})"
            found = [f"table = table.groupby({step}){joined}"]
            return [*found, "table = table.reindex(np.arange(table.index[0], table.index[-1] + 1))"]
        step, time = _frequency(str(resample.every)), self._name(script, "time")
        if self.group is None:
            return [f"table = table.resample({step}, on={time}){joined}.reset_index()"]
        grouped = f"table.groupby({self._name(script, 'group')}).resample({step}, on={time}){joined}"
        return [f"table = {grouped}", f'table = table.reset_index().sort_values({time}, kind="stable")']

    def _filled(
        self, script: Script, how: Any, limit: int | None, chosen: Code, numbers: list[str], words: list[str]
    ) -> list[str]:
        if isinstance(how, int | float):
            names = chosen if not words else Code(literal(numbers))
            if limit is not None:
                raise NotImplementedError
            return [f"table[{names}] = table[{names}].fillna({literal(how)})"]
        if how not in ("previous", "interpolate"):
            raise NotImplementedError
        found = []
        if how == "interpolate" and words:  # they have nothing between them
            by = "" if self.group is None else f".groupby({self._name(script, 'group')})"
            found.append(f"table[{literal(words)}] = table{by}[{literal(words)}].ffill()")
            chosen = Code(literal(numbers))
            if limit is not None:
                raise NotImplementedError
        if how == "previous":
            by = "" if self.group is None else f".groupby({self._name(script, 'group')})"
            filled = f"table{by}[{chosen}].ffill()"
        else:
            method = "" if self.time is None else f"{literal('time' if self.form else 'index')}, "
            each = f'interpolate({method}limit_area="inside")'
            if self.time is not None and (self.form is not None or self.policy.resample is None):
                found.append(f"table = table.set_index({self._name(script, 'time')})")
            filled = f"table[{chosen}].{each}"
            if self.group is not None:
                between = script.use("tables", "between", SECTION)
                said = f", method={method[:-2]}" if method else ""
                filled = f"table.groupby({self._name(script, 'group')})[{chosen}].transform({between}{said})"
        if limit is not None:
            short = script.use("tables", "short_holes", SECTION)
            by = "" if self.group is None else f".groupby({self._name(script, 'group')})"
            holes = f"table{by}[{chosen}].{'transform' if by else 'apply'}({short}, most={limit})"
            return [
                *found,
                f"holes = {holes}",
                f"filled = {filled}",
                f"table[{chosen}] = table[{chosen}].mask(holes, filled)",
            ]
        return [*found, f"table[{chosen}] = {filled}"]


def _frequency(every: str) -> str:
    """A step in time as arguments of `resample`: the step, and from where on it counts."""
    found = duration(every)
    assert found is not None, "was checked when the spec was read"
    size, unit = found
    if unit == "month":
        if size not in MONTHS:
            raise NotImplementedError  # such steps are left to dlspec
        return literal(MONTHS[size])
    name, seconds = next((name, seconds) for name, seconds in SECONDS if size % seconds == 0)
    step = literal(f"{size // seconds}{name}" if size > seconds else name)
    begin = 'pd.Timestamp("1970-01-05")' if size % 604_800 == 0 else '"epoch"'
    return f"{step}, origin={begin}"
