"""Rules about how the data are split."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_feature
from dlspec.data.source_of import source_of
from dlspec.data.sources.rows import RowsFiles
from dlspec.data.split import GAP, WORDS, Split, drawn_among_dates, part_of_word
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.words import one_of
from dlspec.spec.checks.base import Checked, rule


@rule
def split_leaves_data(checked: Checked) -> Iterator[Diagnostic]:
    """Validation and test together must leave something to train on; stopping early needs validation."""
    spec, signature = checked.spec, checked.signature
    if not spec.has("data"):
        return
    split, rows = spec.data.split, checked.rows
    given = (signature.test_rows, signature.validation_rows) if signature else (0, 0)
    tests = split.walk_forward.folds if split.walk_forward else 1
    amounts = [(split.validation, 1), (1 / split.folds if split.folds else split.test, tests)]
    shares = [times * amount for amount, times in amounts if isinstance(amount, float)]
    counted = rows is not None and len(shares) < 2 and split.bounds(rows, 0, *given)[0] < 1
    in_doubt = split.column is not None or (split.folds and split.walk_forward)
    if (sum(shares) >= 1 or counted) and not in_doubt:
        own = "" if split.validation is None or isinstance(split.validation, list) else f" {split.validation:g}"
        test = ""
        if split.folds:
            test = f" and one of {split.folds} folds"
        elif isinstance(split.test, int | float):
            test = f" and {f'{tests} times ' if tests > 1 else ''}test {split.test:g}"
        of = f" of {rows:,} samples" if counted else ""
        help = "write shares that add up to less than 1, such as `{validation: 0.15, test: 0.15}`"
        if split.walk_forward:
            help = f"write less for `test`, of which there are {tests}, or for `validation`"
        yield Diagnostic(
            "split-too-large",
            f"validation{own}{test} leave{'' if test else 's'} nothing to train on{of}",
            spec.span("data", "split"),
            help="write less for `validation`, or more folds" if split.folds else help,
        )
    stopping = spec.train.early_stopping
    if spec.has("train") and stopping and stopping.monitor == "val_loss" and checked.without_validation:
        yield Diagnostic(
            "nothing-to-monitor",
            "`early_stopping` watches the validation loss, and `split` keeps no validation part",
            spec.key_span("train", "early_stopping"),
            help="write `split: {validation: 0.15, …}` under `data`, or `monitor: loss`",
        )


@rule
def series_keep_their_order(checked: Checked) -> Iterator[Diagnostic]:
    """A series split at random is trained on the days around those that it is tested on."""
    spec, signature = checked.spec, checked.signature
    if not spec.has("data") or spec.data.split.by is None or not (signature or checked.series):
        return
    series, by = checked.series, spec.data.split.by
    classes = signature is not None and bool(signature.target.classes) and not signature.target.places
    fitting = ("time",) if series else ("random", "order", *(("stratified",) if classes else ()))
    if by in fitting:
        return
    if series:
        message = "a series split at random is tested on what stands between its training samples"
    elif by == "stratified" and signature is not None:
        has = "one at each place of a sample" if signature.target.places else "none"
        message = f"a stratified split keeps the shares of classes, and `{signature.target.name}` has {has}"
    else:
        message = "these data have no order in time to split by"
    yield Diagnostic(
        "wrong-split", message, spec.span("data", "split", "by"), help=f"write `by: {fitting[0]}`, or leave it out"
    )


@rule
def dates_are_not_split_at_random(checked: Checked) -> Iterator[Diagnostic]:
    """Rows of a table with dates that are drawn at random are tested on times between those they are trained on."""
    spec, signature = checked.spec, checked.signature
    if signature is None or signature.window is not None or not checked.dated:
        return
    split = spec.data.split
    if split.by not in ("random", "stratified") or split.group is not None or signature.test_rows:
        return
    name, said = checked.dated[0], spec.is_written("data", "split", "by")
    message, help = drawn_among_dates(name, split.by)
    place = spec.span("data", "split", "by") if said else spec.key_span("data")
    yield Diagnostic("dates-at-random", message, place, Severity.NOTE if said else Severity.WARNING, help=help)


@rule
def split_is_one_of_several_ways(checked: Checked) -> Iterator[Diagnostic]:
    """A column, folds, a walk forward and parts that come with the data each say what is tested on."""
    spec = checked.spec
    if not spec.has("data"):
        return
    split = spec.data.split
    names = ("column", "folds", "walk_forward", "test", "validation", "by", "group")
    given = [name for name in names if getattr(split, name) is not None and spec.is_written("data", "split", name)]

    def apart(first: str, why: str, *others: str) -> Iterator[Diagnostic]:
        wrong = [name for name in others if name in given and first in given]
        if wrong:
            message = f"`{first}` {why}, and {one_of(wrong)} say{'s' * (len(wrong) == 1)} it too"
            help = f"remove {one_of(wrong)}, or `{first}`"
            yield Diagnostic("wrong-split", message, spec.key_span("data", "split", wrong[0]), help=help)

    yield from apart("column", "says where each row belongs", *names[1:])
    if "column" not in given:
        yield from apart("folds", "says how large each test part is", "test", "walk_forward")
        if "group" in given and split.by == "order":
            message = "whole groups are drawn at random, and not taken in the order of rows"
            span = spec.span("data", "split", "by")
            yield Diagnostic("wrong-split", message, span, help="remove `by`, or `group`")
    if split.files("test") and split.walk_forward:
        message = "a walk forward has several test parts, and `test` names files with one"
        help = "name all files under `series`, or remove `walk_forward`"
        yield Diagnostic("wrong-split", message, spec.key_span("data", "split", "test"), help=help)
    yield from _parts_come_with_the_data(checked)


def _parts_come_with_the_data(checked: Checked) -> Iterator[Diagnostic]:
    """Files of a part go on with files, and of a series the test is the last part."""
    spec, signature, split = checked.spec, checked.signature, checked.spec.data.split
    for part in ("validation", "test"):
        place = ("data", "split", part)
        if not split.files(part):
            continue
        if spec.data.dataset is not None:
            message = f"`{part}` names files, and a built-in set goes on in none"
            yield Diagnostic("wrong-split", message, spec.span(*place), help="write a share, such as 0.15")
        elif part == "validation" and spec.data.series is not None and not split.files("test"):
            message = "`validation` names files, and of a series the test part lies behind them"
            yield Diagnostic("wrong-split", message, spec.span(*place), help="name files for `test` too")
        elif split.folds and part == "validation":
            message = "`folds` tests on every row once, and `validation` names files whose rows are in no fold"
            yield Diagnostic("wrong-split", message, spec.span(*place), help="write a share, such as 0.15")
    for key in ("column", "folds"):
        if signature and signature.test_rows and getattr(split, key) is not None and not split.files("test"):
            message = f"these data bring their own test part, {signature.test_rows:,} samples"
            yield Diagnostic("wrong-split", message, spec.key_span("data", "split", key), help=f"remove `{key}`")


@rule
def split_fits_the_layout(checked: Checked) -> Iterator[Diagnostic]:
    """Rows of a series follow each other, and single samples do not."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("data"):
        return
    split = spec.data.split
    if signature.window is None and split.walk_forward:
        yield Diagnostic(
            "only-for-series",
            "`walk_forward` goes through a series in time, and these data are single samples",
            spec.key_span("data", "split", "walk_forward"),
            help=f"write `folds: {split.walk_forward.folds}`",
        )
    if signature.window is not None:
        cures = {
            "folds": f"write `walk_forward: {{folds: {split.folds}}}`",
            "group": f"write `group: {split.group}` under `data`, which separates several series",
            "column": "name the files of each part, as in `test: later.csv`",
        }
        for name, help in cures.items():
            if getattr(split, name) is not None:
                message = f"`{name}` is for single samples, and the parts of a series follow each other in time"
                yield Diagnostic("only-for-samples", message, spec.key_span("data", "split", name), help=help)
        if signature.window.gap not in (GAP, "none") and signature.time is None:
            message = "gaps are steps in time, and this series has no column with the time"
            span = spec.key_span("data", "window", "gap")
            yield Diagnostic("missing-key", message, span, help="add `time: COLUMN`, or remove `gap`")
    if split.folds and checked.rows and split.folds > checked.rows:
        message = f"{checked.rows:,} rows are too few for {split.folds} folds"
        yield Diagnostic("too-few-rows", message, spec.span("data", "split", "folds"), help="write fewer folds")


@rule
def columns_of_the_split_say_nothing_else(checked: Checked) -> Iterator[Diagnostic]:
    """A column that says where a row belongs is no feature and no target, and holds the words for it."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("data"):
        return
    split = spec.data.split
    places: dict[tuple[str, ...], str | None] = {
        ("data", "split", "group"): split.group,
        ("data", "split", "column"): split.column,
    }
    if signature.window is not None:
        places = {("data", "group"): spec.data.group}
    for place, name in places.items():
        if name is None:
            continue
        if name in signature.target.names:
            message = f"`{name}` is the target, and says nothing of where a row belongs"
            yield Diagnostic("wrong-split", message, spec.span(*place), help="name another column")
        elif name in (spec.data.feature_names or []) and spec.is_written("data", "features"):
            parts = place[-1] == "column"
            yield Diagnostic(
                "split-among-features",
                f"`{name}` says which part a row belongs to, and is no feature"
                if parts
                else f"`{name}` separates groups, and what is learnt of one is of no use for one not seen in training",
                spec.data.span(*place_of_feature(spec.data, name)),
                Severity.ERROR if parts else Severity.WARNING,
                help=f"remove `{name}` from `features`",
            )
    if signature.window is None:
        yield from _words_of_parts(checked, split)


def _words_of_parts(checked: Checked, split: Split) -> Iterator[Diagnostic]:
    """Every word of the column is a part, and there is something to train and to test on."""
    words = checked.signature.part_words if checked.signature else None
    if words is None:
        return
    span = checked.spec.span("data", "split", "column")
    unknown = [word for word in words if part_of_word(word) is None]
    if unknown:
        source = source_of(checked.spec.data)
        place = source.place_of_word(split.column or "", unknown) if isinstance(source, RowsFiles) else ""
        message = f"`{split.column}` has {place or f'`{unknown[0]}`'}, which is no part"
        yield Diagnostic("unknown-part", message, span, help="write `train`, `validation` or `test` in each row")
        return
    for part in ("training", "test"):
        if part not in map(part_of_word, words):
            yield Diagnostic("unknown-part", f"no row of `{split.column}` says `{WORDS[part][0]}`", span)
