"""A first spec as YAML, with comments that say why each line is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dlspec.data.features.base import infer
from dlspec.data.sources.audio import AudioFiles
from dlspec.data.sources.formats import LOOKED_AT
from dlspec.language.diagnostics.text import visible
from dlspec.language.shapes import show_shape
from dlspec.language.words import one_of
from dlspec.language.yaml import to_inline_yaml
from dlspec.spec.first_spec.sizes import Sizes
from dlspec.spec.first_spec.start import Start

FEWEST_WORDS, MOST_WORDS = 100, 2000
"""Words that a first network tells apart."""
SHOWN = 3
"""Columns that lack values, and are named."""


def write_start(start: Start, *, path: str | None = None, pretrain: bool = False) -> str:
    """The spec as YAML with comments.

    Args:
        path: of the data file as the spec shall name it, where that is not `start.data`.
        pretrain: whether the stages of pretraining count; they stand in comments otherwise.
    """
    description = start.description
    estimated = start.kind == "series" and (description.rows or 0) >= LOOKED_AT
    about = f"{'about ' * estimated}{_plural(description.rows, 'row')}; " if description.rows else ""
    columns = _columns_in_words(start)
    lines = [
        on_one_line(f"# A first spec for {start.data}: {about}{columns}."),
        "# Every line may be changed; `dlspec validate` says at once what is wrong, `dlspec layers` what there is.",
        "",
        "dlspec: 1",
        f"name: {to_inline_yaml(start.name)}",
        "seed: 1                           # the same number, the same result",
        "",
        "data:",
        *_noted(_data_lines(start, path or start.data)),
        "",
        "model:                            # from the data up; `dlspec plan` shows the shapes",
        *_noted(_model_lines(start)),
        "",
        *_pretrain_lines(start, pretrain),
        "",
        "train:",
        *_noted(_train_lines(start)),
        "",
        "evaluate:                         # on the test part, beside the simplest guesses",
        *_noted(_evaluate_lines(start)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def on_one_line(comment: str) -> str:
    """A comment with the names of columns and files in it, which ends where it should."""
    return visible(" ".join(comment.split())) if re.search(r"[^\x20-\x7e]", comment) else comment


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _columns_in_words(start: Start) -> str:
    target = start.column
    if len(start.predicted) > 1:
        return f"{len(start.predicted)} labels are to be predicted"
    what = f"{len(target.classes)} classes" if target.classes and start.task != "number" else "a number"
    return f"`{start.target}` ({what}) is to be predicted"


def _noted(lines: Iterator[tuple[str, str]], column: int = 34) -> Iterator[str]:
    """Lines with their comments below each other."""
    for text, note in lines:
        gap = " " * max(2, column - len(text))
        yield f"{text}{gap}# {on_one_line(note)}" if note else text


def _data_lines(start: Start, path: str) -> Iterator[tuple[str, str]]:
    what = {"dataset": "built in", "table": "a row is a sample", "series": "a row is a timestep, oldest first"}
    options = f"{{{to_inline_yaml({'path': path, **start.options})}}}" if start.options else to_inline_yaml(path)
    yield f"  {start.kind}: {options}", what.get(start.kind, "a sample in each file")
    if start.time:
        yield f"  time: {to_inline_yaml(start.time)}", ""
    if start.group:
        yield f"  group: {to_inline_yaml(start.group)}", "each value has a series of its own; no window has two of them"
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
            "timesteps that the network sees, and how many ahead it predicts",
        )
        yield "  predict: difference", "level | difference | return: what the network puts out"
    elif start.task == "class_series":
        yield (
            f"  window: {{length: {_window(start)}, horizon: 0}}",
            "timesteps that the network sees; it tells the last",
        )
    yield "  scale: standard", "standard | min_max | none; fitted on the training part only"
    by = "in order of time" if start.description.layout == "series" else "at random, by the seed"
    if start.description.test_rows:
        yield (
            "  split: {validation: 0.15}",
            f"of the training part; the last {start.description.test_rows:,} are the test part",
        )
    elif start.kind == "table" and (folds := _sizes(start).folds):
        yield (
            f"  split: {{folds: {folds}}}",
            f"few rows: it is trained {folds} times, each time tested on another part of them",
        )
    else:
        yield "  split: {validation: 0.15, test: 0.15}", f"the rest is trained on; {by}"


def _feature_lines(start: Start) -> Iterator[tuple[str, str]]:
    """What the network sees, with a type where a column holds text."""
    left = [f"{name} ({why})" for name, why in start.left_out.items()]
    note = f"left out: {', '.join(left)}" if left else "what the network sees"
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
                "which of the most frequent words stand in it; `length: 40` reads them in their order, for `embedding`",
            )
        else:
            kind = infer(column) if column is not None else None
            yield f"    {to_inline_yaml(name)}: {kind.type_name if kind is not None else 'numeric'}", ""


def _note_of_target(start: Start, others: Sequence[str]) -> str:
    """What else could be predicted, or that whole numbers are taken for classes."""
    if start.target in start.codes:
        return (
            f"{len(start.column.classes)} classes written as numbers; `{start.target}` alone takes them for a quantity"
        )
    return f"or {one_of(others).replace('`', '')}" if others else ""


def _note_of(key: str, value: object, lacking: Sequence[str]) -> str:
    """Why a setting is there."""
    if key == "na":
        return "stands for no value"
    more = f" and {len(lacking) - SHOWN} more columns" if len(lacking) > SHOWN else ""
    if key == "duplicates":
        return "rows with the same time become one"
    done = {
        "previous": "the value before stands in, which is never predicted",
        "drop": "rows are left out",
        "median": "the median stands in; a missing word is one of its own",
    }
    return f"{', '.join(lacking[:SHOWN])}{more} are missing; {done.get(str(value), '')}" if lacking else ""


def _window(start: Start) -> int:
    """So long that each part of the series holds a few windows."""
    rows = start.length or start.description.rows or 1000
    if start.group:  # each series goes on from one part into the next
        return max(1, min(start.longest_window, rows // 4))
    return max(1, min(start.longest_window, round(rows * 0.15) // 2 - 1))


def _sizes(start: Start) -> Sizes:
    return Sizes.of(start.description.rows or 1000)


def _model_lines(start: Start) -> Iterator[tuple[str, str]]:
    width = _sizes(start).units
    if start.description.layout == "series":
        yield f"  - lstm: {width}", "reads the window from the oldest timestep to the newest"
        yield "  - dropout: 0.2", "sets a fifth of the values to zero while training"
    else:
        if start.kind == AudioFiles.key:
            yield (
                f"  - mel_spectrogram: {{sampling_rate: {start.options['rate']}, fft_length: 256}}",
                "a picture of the sound",
            )
            yield "  - flatten", ""
        elif len(start.picture) == 3:
            width *= 2
            yield "  - conv2d: {filters: 16, kernel_size: 3, activation: relu}", "looks for small patterns everywhere"
            yield "  - max_pooling2d: 2", "keeps the strongest of four neighbours"
            yield "  - conv2d: {filters: 32, kernel_size: 3, activation: relu}", "patterns of patterns"
            yield "  - max_pooling2d: 2", ""
            yield "  - flatten", ""
        elif start.picture:
            width *= 2
            yield "  - flatten", f"{show_shape((None, *start.picture))} becomes one row of numbers"
        straight = start.kind == "table" and not start.texts
        name = ", name: bent" if straight else ""
        yield f"  - dense: {{units: {width}, activation: relu}}", "lines that are drawn, and bent"
        yield "  - dropout: 0.2", "sets a fifth of the values to zero while training"
        yield f"  - dense: {{units: {width // 2}, activation: relu{name}}}", ""
        if straight:
            yield "  - concatenate: {from: [bent, input]}", "what is bent, and the columns themselves: a line may do"
    yield "  - output", "as many units, and the activation, that the target needs"


def _pretrain_lines(start: Start, wanted: bool) -> Iterator[str]:
    lines = [
        "pretrain:                         # each layer first learns to give back its own input, from the lowest up",
        "  method: autoencoder             # or denoising_autoencoder, rbm; `dlspec layers autoencoder` tells more",
        "  epochs: 10",
    ]
    if not wanted:
        yield "# Pretraining, layer by layer; remove the `# ` to use it:"
    for line in lines:
        yield line if wanted else f"# {line}"


def _train_lines(start: Start) -> Iterator[tuple[str, str]]:
    sizes = _sizes(start)
    optimizer, note = f"{{adam: {sizes.learning_rate}}}", "the size of a step; three times less or more is worth a try"
    if sizes.weight_decay is not None and start.kind == "table":
        optimizer = f"{{adamw: {{learning_rate: {sizes.learning_rate}, weight_decay: {sizes.weight_decay}}}}}"
        note = "the size of a step, and how much weights are pulled to zero, which few rows need"
    yield f"  optimizer: {optimizer}", note
    yield f"  epochs: {sizes.epochs}", "how often it goes through the data, at most"
    yield f"  batch_size: {sizes.batch}", "samples between two steps"
    yield (
        f"  early_stopping: {{patience: {sizes.patience}}}",
        "ends when the validation loss no longer falls for so many epochs",
    )


def _evaluate_lines(start: Start) -> Iterator[tuple[str, str]]:
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
        "series": "the next value is the last one, and a linear model of the window",
        "number": "always the mean, and a linear model",
        "class_series": "always the most frequent class, and a linear model of the window",
        "class": "always the most frequent class, and a linear model",
    }
    yield f"  metrics: {metrics[start.task]}", ""
    yield f"  baselines: {baselines[start.task]}", guess[start.task]
