"""A first spec as YAML, with comments that say why each line is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dlspec.data.features.base import infer
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.formats import LOOKED_AT
from dlspec.language.diagnostics.text import visible
from dlspec.language.shapes import show_shape
from dlspec.language.yaml import to_inline_yaml
from dlspec.spec.first_spec.saying import Language, Said, listed, say
from dlspec.spec.first_spec.sizes import Sizes
from dlspec.spec.first_spec.start import Start

Line = tuple[str, Said]
"""Of YAML, and its comment."""
NOTHING = Said("")
FEWEST_WORDS, MOST_WORDS = 100, 2000
"""Words that a first network tells apart."""
RARE = 0.5
"""A class is rare that stands in less than so many times its even share of the rows."""
SHOWN = 3
"""Columns that lack values, and are named."""


def write_start(start: Start, *, path: str | None = None, pretrain: bool = False, language: Language = "en") -> str:
    """The spec as YAML with comments.

    Args:
        language: of the comments.
        path: of the data file as the spec shall name it, where that is not `start.data`.
        pretrain: whether the stages of pretraining count; they stand in comments otherwise.
    """
    lines = [
        on_one_line(_head(start).into(language)),
        say(
            "# Every line may be changed; `dlspec validate` says at once what is wrong, `dlspec layers` what there is."
        ).into(language),
        "",
        "dlspec: 1",
        f"name: {to_inline_yaml(start.name)}",
        *_noted(iter([("seed: 1", say("the same number, the same result"))]), language),
        "",
        "data:",
        *_noted(_data_lines(start, path or start.data), language),
        "",
        *_noted(iter([("model:", say("from the data up; `dlspec plan` shows the shapes"))]), language),
        *_noted(_model_lines(start), language),
        "",
        *_pretrain_lines(pretrain, language),
        "",
        "train:",
        *_noted(_train_lines(start), language),
        "",
        *_noted(iter([("evaluate:", say("on the test part, beside the simplest guesses"))]), language),
        *_noted(_evaluate_lines(start), language),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(start: Start) -> Said:
    """What the data are, and what is predicted."""
    rows = start.description.rows
    about = say("{rows} rows; ", rows=f"{rows:,}") if rows else NOTHING
    if rows == 1:
        about = say("1 row; ")
    elif rows and start.kind == "series" and rows >= LOOKED_AT:
        about = say("about {rows} rows; ", rows=f"{rows:,}")
    return say("# A first spec for {data}: {about}{columns}.", data=start.data, about=about, columns=_to_predict(start))


def on_one_line(comment: str) -> str:
    """A comment with the names of columns and files in it, which ends where it should."""
    return visible(" ".join(comment.split())) if re.search(r"[^\x20-\x7e]", comment) else comment


def _to_predict(start: Start) -> Said:
    target = start.column
    if len(start.predicted) > 1:
        return say("{count} labels are to be predicted", count=len(start.predicted))
    what = say("a number")
    if target.classes and start.task != "number":
        what = say("{count} classes", count=len(target.classes))
    return say("`{target}` ({what}) is to be predicted", target=start.target, what=what)


def _noted(lines: Iterator[Line], language: Language, column: int = 34) -> Iterator[str]:
    """Lines with their comments below each other."""
    for text, note in lines:
        gap = " " * max(2, column - len(text))
        yield f"{text}{gap}# {on_one_line(note.into(language))}" if note else text


def _data_lines(start: Start, path: str) -> Iterator[Line]:
    what = {
        "dataset": say("built in"),
        "table": say("a row is a sample"),
        "series": say("a row is a timestep, oldest first"),
    }
    options = f"{{{to_inline_yaml({'path': path, **start.options})}}}" if start.options else to_inline_yaml(path)
    if start.companion:
        files = {"train": path, "test": Path(path).with_name(start.companion).as_posix()}
        options = f"{{{to_inline_yaml(files)}}}"
    yield (
        f"  {start.kind}: {options}",
        what.get(start.kind, say("a sample in each row" if start.kind == "arrays" else "a sample in each file")),
    )
    if start.time:
        yield f"  time: {to_inline_yaml(start.time)}", NOTHING
    if start.group:
        yield (
            f"  group: {to_inline_yaml(start.group)}",
            say("each value has a series of its own; no window has two of them"),
        )
    others = [name for name in start.targets if name not in start.predicted][:4]
    target = to_inline_yaml(start.predicted if len(start.predicted) > 1 else start.target)
    if start.target in start.codes:
        target = f"{{{to_inline_yaml({start.target: 'category'})}}}"
    yield f"  target: {target}", _note_of_target(start, others)
    yield from _feature_lines(start)
    for key, value in start.settings.items():
        yield f"  {key}: {to_inline_yaml(value)}", start.why.get(key) or _note_of(key, value, start.notes)
    if start.task == "series":
        yield (
            f"  window: {{length: {_window(start)}, horizon: 1}}",
            say("timesteps that the network sees, and how many ahead it predicts"),
        )
        yield "  predict: difference", say("level | difference | return: what the network puts out")
    elif start.task == "class_series":
        yield (
            f"  window: {{length: {_window(start)}, horizon: 0}}",
            say("timesteps that the network sees; it tells the last"),
        )
    yield "  scale: standard", say("standard | min_max | none; fitted on the training part only")
    if start.description.test_rows:
        yield (
            "  split: {validation: 0.15}",
            say("of the training part; the last {rows:,} are the test part", rows=start.description.test_rows),
        )
    elif start.kind == "table" and (folds := _sizes(start).folds):
        yield (
            f"  split: {{folds: {folds}}}",
            say("few rows: it is trained {folds} times, each time tested on another part of them", folds=folds),
        )
    else:
        in_time = start.description.layout == "series"
        how = (
            "the rest is trained on; in order of time" if in_time else "the rest is trained on; at random, by the seed"
        )
        yield "  split: {validation: 0.15, test: 0.15}", say(how)


def _feature_lines(start: Start) -> Iterator[Line]:
    """What the network sees, with a type where a column holds text."""
    left = [say("{name} ({why})", name=name, why=why) for name, why in start.left_out.items()]
    note = say("left out: {names}", names=listed(left)) if left else say("what the network sees")
    if not start.features:
        return
    if not any(name in start.texts for name in start.features):
        yield f"  features: {to_inline_yaml(list(start.features))}", note
        return
    yield "  features:", note
    for name in start.features:
        column = start.description.column(name)
        if name in start.texts:
            words = max(FEWEST_WORDS, min(MOST_WORDS, 10 * round(start.texts[name] / 10)))
            yield (
                f"    {to_inline_yaml(name)}: {{text: {{words: {words}}}}}",
                say(
                    "which of the most frequent words stand in it; `length: {length}` reads them in their order, "
                    "for `embedding`",
                    length=start.lengths.get(name, 40),
                ),
            )
        else:
            kind = infer(column) if column is not None else None
            yield f"    {to_inline_yaml(name)}: {kind.type_name if kind is not None else 'numeric'}", NOTHING


def _note_of_target(start: Start, others: Sequence[str]) -> Said:
    """What else could be predicted, or that whole numbers are taken for classes."""
    if start.target in start.codes:
        return say(
            "{count} classes written as numbers; `{target}` alone takes them for a quantity",
            count=len(start.column.classes),
            target=start.target,
        )
    return say("or {others}", others=", ".join(others)) if others else NOTHING


def _note_of(key: str, value: object, lacking: Sequence[Said]) -> Said:
    """Why a setting is there."""
    if key == "na":
        return say("stands for no value")
    if key == "duplicates":
        return say("rows with the same time become one")
    if key == "scale_by":
        return say("their ranges are far apart: each has its own scale")
    done = {
        "previous": say("the value before stands in, which is never predicted"),
        "drop": say("rows are left out"),
        "median": say("the median stands in; a missing word is one of its own"),
    }
    if not lacking:
        return NOTHING
    named = listed(list(lacking[:SHOWN]))
    if len(lacking) > SHOWN:
        named = say("{named} and {more} more columns", named=named, more=len(lacking) - SHOWN)
    return say("{lacking} are missing; {done}", lacking=named, done=done.get(str(value), NOTHING))


def _window(start: Start) -> int:
    """So long that each part of the series holds a few windows."""
    rows = start.length or start.description.rows or 1000
    if start.group:  # each series goes on from one part into the next
        return max(1, min(start.longest_window, rows // 4))
    return max(1, min(start.longest_window, round(rows * 0.15) // 2 - 1))


def _sizes(start: Start) -> Sizes:
    return Sizes.of(start.description.rows or 1000)


def _side_by_side(start: Start) -> tuple[list[str], list[str]]:
    """Features that are arrays and stand beside others, and these others; none where an array stands alone."""
    target = start.description.targets or (start.target,)
    names = start.description.features or [each.name for each in start.description.columns if each.name not in target]
    columns = [column for name in names if (column := start.description.column(name)) is not None]
    arrays = [column.name for column in columns if column.shape]
    return (arrays, [c.name for c in columns if not c.shape]) if arrays and len(columns) > 1 else ([], [])


def _lines_side_by_side(start: Start, arrays: Sequence[str], others: Sequence[str]) -> Iterator[Line]:
    """An input for each array, and one for all else."""
    width = 2 * _sizes(start).units
    inputs: dict[str, object] = {f"{name}_in": name for name in arrays} | ({"others": [*others]} if others else {})
    yield f"  inputs: {{{to_inline_yaml(inputs)}}}", say("an array, such as a picture, has an input of its own")
    yield "  layers:", NOTHING
    for name in arrays:
        yield f"    - flatten: {{from: {name}_in, name: {name}_row}}", NOTHING
    together = [f"{name}_row" for name in arrays] + ["others"] * bool(others)
    yield f"    - concatenate: {{from: [{', '.join(together)}]}}", NOTHING
    yield f"    - dense: {{units: {width}, activation: relu}}", say("lines that are drawn, and bent")
    yield "    - dropout: 0.2", say("sets a fifth of the values to zero while training")
    yield f"    - dense: {{units: {width // 2}, activation: relu}}", NOTHING
    yield "    - output", say("as many units, and the activation, that the target needs")


def _model_lines(start: Start) -> Iterator[Line]:
    arrays, others = _side_by_side(start)
    if arrays:
        yield from _lines_side_by_side(start, arrays, others)
        return
    width = _sizes(start).units
    if start.description.layout == "series":
        yield f"  - lstm: {width}", say("reads the window from the oldest timestep to the newest")
        yield "  - dropout: 0.2", say("sets a fifth of the values to zero while training")
    else:
        if start.kind == AudioFiles.key:
            yield (
                f"  - mel_spectrogram: {{sampling_rate: {start.options['rate']}, fft_length: 256}}",
                say("a picture of the sound"),
            )
            yield "  - flatten", NOTHING
        elif len(start.picture) == 3:
            width *= 2
            yield (
                "  - conv2d: {filters: 16, kernel_size: 3, activation: relu}",
                say("looks for small patterns everywhere"),
            )
            yield "  - max_pooling2d: 2", say("keeps the strongest of four neighbours")
            yield "  - conv2d: {filters: 32, kernel_size: 3, activation: relu}", say("patterns of patterns")
            yield "  - max_pooling2d: 2", NOTHING
            yield "  - flatten", NOTHING
        elif start.picture and start.data.lower().endswith(".ts"):
            yield (
                "  - conv1d: {filters: 32, kernel_size: 5, activation: relu}",
                say("looks for small patterns everywhere"),
            )
            yield "  - max_pooling1d: 2", say("keeps the stronger of two neighbours")
            yield "  - conv1d: {filters: 32, kernel_size: 5, activation: relu}", say("patterns of patterns")
            yield "  - flatten", NOTHING
        elif start.picture:
            width *= 2
            yield "  - flatten", say("{shape} becomes one row of numbers", shape=show_shape((None, *start.picture)))
        straight = start.kind == "table" and not start.texts
        name = ", name: bent" if straight else ""
        yield f"  - dense: {{units: {width}, activation: relu}}", say("lines that are drawn, and bent")
        yield "  - dropout: 0.2", say("sets a fifth of the values to zero while training")
        yield f"  - dense: {{units: {width // 2}, activation: relu{name}}}", NOTHING
        if straight:
            yield (
                "  - concatenate: {from: [bent, input]}",
                say("what is bent, and the columns themselves: a line may do"),
            )
    yield "  - output", say("as many units, and the activation, that the target needs")


def _pretrain_lines(wanted: bool, language: Language) -> Iterator[str]:
    lines = [
        ("pretrain:", say("each layer first learns to give back its own input, from the lowest up")),
        ("  method: autoencoder", say("or denoising_autoencoder, rbm; `dlspec layers autoencoder` tells more")),
        ("  epochs: 10", NOTHING),
    ]
    if not wanted:
        yield "# " + say("Pretraining, layer by layer; remove the `# ` to use it:").into(language)
    for line in _noted(iter(lines), language):
        yield line if wanted else f"# {line}"


def _train_lines(start: Start) -> Iterator[Line]:
    sizes = _sizes(start)
    optimizer, note = (
        f"{{adam: {sizes.learning_rate}}}",
        say("the size of a step; three times less or more is worth a try"),
    )
    if sizes.weight_decay is not None and start.kind == "table":
        optimizer = f"{{adamw: {{learning_rate: {sizes.learning_rate}, weight_decay: {sizes.weight_decay}}}}}"
        note = say("the size of a step, and how much weights are pulled to zero, which few rows need")
    yield f"  optimizer: {optimizer}", note
    yield f"  epochs: {sizes.epochs}", say("how often it goes through the data, at most")
    yield f"  batch_size: {sizes.batch}", say("samples between two steps")
    yield (
        f"  early_stopping: {{patience: {sizes.patience}}}",
        say("ends when the validation loss no longer falls for so many epochs"),
    )
    if rare := _rarest(start):
        word, share = rare
        balance = say(
            "`{word}` is {share:.0%} of the rows; this makes each class count as much", word=word, share=share
        )
        yield "  # class_weight: balanced", balance


def _rarest(start: Start) -> tuple[str, float] | None:
    """A class that stands in few rows, and in which share of them; None: there is none, or it is not known."""
    looked = start.looked.get(start.target)
    if start.task != "class" or looked is None or not looked.counts:
        return None
    word, count = min(looked.counts.items(), key=lambda each: each[1])
    share = count / len(looked.given)
    return (word, share) if share < RARE / len(looked.counts) else None


def _evaluate_lines(start: Start) -> Iterator[Line]:
    metrics = {
        "series": "[mae, rmse, mase]",
        "class_series": "[accuracy, log_loss]",
        "number": "[mae, rmse, r2]",
        "class": "[accuracy, log_loss]",
    }
    baselines = {
        "series": "[persistence, linear]",
        "class_series": "[majority, linear]",
        "number": "[mean, linear]",
        "class": "[majority, linear]",
    }
    guess = {
        "series": say("the next value is the last one, and a linear model of the window"),
        "number": say("always the mean, and a linear model"),
        "class_series": say("always the most frequent class, and a linear model of the window"),
        "class": say("always the most frequent class, and a linear model"),
    }
    yield f"  metrics: {metrics[start.task]}", NOTHING
    yield f"  baselines: {baselines[start.task]}", guess[start.task]
