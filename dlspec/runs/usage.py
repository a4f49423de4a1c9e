"""`model.txt`: how the model that was saved is called without dlspec, with a row of the test part as the example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from dlspec.data.preparation import rounded_columns
from dlspec.data.written import END_ITEM
from dlspec.runs.records.data import DataRecord, TargetRecord
from dlspec.runs.row_predictor import RowPredictor, frame_of
from dlspec.runs.saved_check import rows_of
from dlspec.runs.written_texts import fed_input

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared

USAGE = "model.txt"
MOST_SHOWN = 60
"""Numbers that the example writes out."""


def usage(predictor: RowPredictor, data: Prepared, outputs: Mapping[str, DataRecord]) -> str:
    """The text, of which the indented lines are Python that runs in the folder of the model.

    Args:
        predictor: with the model.
        outputs: where there are several, what each of them predicts.
    """
    import numpy as np

    record, model = predictor.data, predictor.model
    rounded = list(rounded_columns(data, data.columns))
    if record.encoded:
        frame = frame_of(data.columns, record.raw_columns, rows_of(data, np.zeros(1, int)))
        rows = ["rows = {"]
        for name, values in predictor.raw_columns(frame).items():
            rows.append(f"    {name!r}: {_tensor(values, model.input[name].dtype)}")
        rows.append("}")
        takes = "a tensor (rows, 1) for each column, by its name"
        shapes = [(each.input or each.name, each.shape) for each in record.features if each.shape]
        if shapes:
            arrays = [f"`{name}` a tensor (rows, {', '.join(map(str, shape))})" for name, shape in shapes]
            whole = len(shapes) == len(record.features)
            takes = f"as {', as '.join(arrays)}" + (
                "" if whole else ", and of each other column a tensor (rows, 1), by its name"
            )
    else:
        first = data.test.raw[:1]
        rows = [f"rows = {_array(first, model.input.dtype)}"]
        takes = f"an array of the shape {_shape(record, first.shape[1:])}"
    lines = [
        "import keras",
        "import numpy as np",
        "import tensorflow as tf",
        "",
        'model = keras.models.load_model("model.keras")',
        *rows,
        "predicted = {name: np.array(values) for name, values in model(rows).items()}"
        if outputs
        else "predicted = np.array(model(rows))",
    ]
    gives = _gives(record)
    if outputs:
        gives = "; ".join(f"as `{name}` {_gives(own)}" for name, own in outputs.items())
    many = "predicted = model.predict(tf.data.Dataset.from_tensor_slices(rows).batch(512))"
    lost = ""
    if rounded:
        lost = f" Of {_listed(rounded)} this loses more than a ten thousandth of the scale that the network sees."
    return "\n\n".join(
        [
            _filled(f"`model.keras` is a Keras model that needs no dlspec. It takes {takes}, and gives {gives}."),
            _indented(lines),
            "Of many rows at a time:",
            _indented([many]),
            *_of_written_texts(record),
            _filled(
                "Give numbers as float64 in one of these two ways, or by `model.predict_on_batch(rows)`. "
                f"`model.predict(rows)` rounds an array of numpy to float32 before the model sees it.{lost}"
            ),
            "",
        ]
    )


def _filled(text: str) -> str:
    return fill(text, 100, break_long_words=False, break_on_hyphens=False)


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _array(first: np.ndarray, dtype: str) -> str:
    import numpy as np

    values = np.asarray(first)
    if values.size > MOST_SHOWN:
        return f"np.zeros({values.shape!r}, {dtype!r})  # put your own here"
    return f"np.array({values.astype(dtype).tolist()!r}, {dtype!r})"


def _tensor(values: np.ndarray, dtype: str) -> str:
    """Values of an input by its name, as an entry of a mapping."""
    if values.size > MOST_SHOWN:
        return f"tf.zeros({values.shape!r}, {dtype!r}),  # put your own here"
    return f"tf.constant({values.tolist()!r}, {dtype!r}),"


def _shape(record: DataRecord, shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"(rows, {shape[0]}), the columns being {_listed(record.raw_columns)}"
    if record.timesteps is not None:
        return f"(windows, {shape[0]} timesteps, {shape[1]}), the columns being {_listed(record.raw_columns)}"
    return f"(samples, {', '.join(map(str, shape))})"


def _listed(names: Sequence[Any]) -> str:
    shown = [f"`{name}`" for name in names[:MOST_SHOWN]]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown):,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _gives(record: DataRecord) -> str:
    target = record.target
    if target.tokens:
        count = len(target.classes)
        return (
            f"the probability of each token behind each place of a text, (rows, {target.places[0]}, {count}): token 0 "
            f"is any that is not known, and 1 to {count - 1} are `target.classes` in `data.json`, the most frequent "
            f"first. What stands behind the {target.tokens} that there are says nothing; of a longer text the first "
            f"{target.places[0]} are seen"
        )
    if target.of_words:
        (length,), two = target.places, len(target.classes) == 2
        of = f"`{target.classes[1]}`, or of {_listed(target.classes)}" if two else f"each tag of `{target.name}`"
        order = "" if two else f": {_listed(target.classes)}, in this order"
        return (
            f"the probability of {of} for each of the first {length} words of a text, which end at spaces, (rows, "
            f"{length}, {1 if two else len(target.classes)}){order}. What stands behind the last word says nothing"
        )
    if target.aligned:
        return _gives_of_timesteps(target)
    if target.written:
        return _gives_of_sequences(target)
    if target.places:
        axes, units = ", ".join(map(str, target.places)), len(target.classes)
        if target.kind == "number":
            return f"`{target.name}` at each place, (rows, {axes}), in the target's own units"
        of = (
            f"`{target.classes[1]}`, or of {_listed(target.classes)}"
            if units == 2 and not target.unit_each
            else f"each class of `{target.name}`"
        )
        last = 1 if units == 2 and not target.unit_each else units
        return (
            f"the probability of {of} at each place, (rows, {axes}, {last}): {_listed(target.classes)}, in this order"
        )
    if target.kind == "class" and len(target.classes) == 2 and not target.unit_each:
        return f"the probability of `{target.classes[1]}`, or of {_listed(target.classes)}, in this order"
    if target.kind == "class":
        return f"the probability of each class of `{target.name}`: {_listed(target.classes)}, in this order"
    if target.kind == "labels":
        return f"the probability of each label: {_listed([name for name, *_ in target.labels])}, in this order"
    if target.kind == "input":
        return f"its input again, {'as the network sees it' if record.encoded else 'in its own units'}"
    numbers = f"{_listed(target.values or (target.name,))} in the target's own units"
    if target.mixture:
        components, count = target.mixture, len(target.values or (target.name,))
        shape = f"(rows, {count}, {3 * components})"
        what = f"{components} weights, as many means and as many deviations" if components > 1 else "1, mean, deviation"
        return f"mixtures of normal distributions of {numbers}, {shape}: {what}, in this order"
    if target.levels:
        count, shares = len(target.values or (target.name,)), ", ".join(f"{level!r}" for level in target.levels)
        return f"quantiles of {numbers}, (rows, {count}, {len(target.levels)}): the shares {shares} are to lie below"
    return numbers


def _gives_of_sequences(target: TargetRecord) -> str:
    assert target.written is not None, "texts are written"
    classes, (places,), fed = len(target.classes), target.places, fed_input(target)
    return (
        f"the probability of each item at each place of a text, (rows, {places}, {classes}): item 0 is any that is not "
        f"known, 1 is the end, and 2 to {classes - 1} are `target.classes` in `data.json`. At place n it is of what "
        f"comes behind the first n {target.written.unit} of `{fed}`, and what stands there further on says nothing"
    )


def _gives_of_timesteps(target: TargetRecord) -> str:
    return (
        f"at each timestep a logit for the blank, number 0, and for each of {len(target.items)} items, (rows, "
        f"timesteps, {len(target.classes)}), as `target.classes` in `data.json` has them. A softmax over the last axis "
        "makes probabilities of them. A timestep that is masked says the blank for certain"
    )


def _of_written_texts(record: DataRecord) -> list[str]:
    """How texts are written; nothing where there are none."""
    written = record.target.written
    if written is None:
        return []
    if record.target.aligned:
        said = f"To read `{record.target.name}`, by what is likeliest at each timestep; for a beam search write "
        said += f'`strategy="beam_search", beam_width={max(written.beam, 2)}`:'
        return [_filled(said), _indented(_how_to_read(record))]
    how = "the likeliest item at each place" if written.beam == 1 else "the likeliest item, without the beam search"
    return [_filled(f"To write `{record.target.name}`, {how}, from nothing on:"), _indented(_how_to_write(record))]


def _how_to_read(record: DataRecord) -> list[str]:
    """Lines of Python that read texts off what the saved model gives, with Keras alone."""
    target = record.target
    assert target.written is not None, "texts are read"
    between = "" if target.written.unit == "characters" else " "
    return [
        f"items = {list(target.classes)!r}"
        if len(target.classes) <= MOST_SHOWN
        else 'items = json.load(open("data.json", encoding="utf-8"))["target"]["classes"]  # import json',
        "lengths = np.full(len(predicted), predicted.shape[1])",
        'decoded, _ = keras.ops.ctc_decode(predicted, lengths, strategy="greedy", mask_index=0)',
        f"read = [{between!r}.join(items[i] for i in text if i > 0) for text in np.array(decoded[0])]",
    ]


def _how_to_write(record: DataRecord) -> list[str]:
    """Lines of Python that write texts with the saved model."""
    target = record.target
    assert target.written is not None, "texts are written"
    fed, between = fed_input(target), "" if target.written.unit == "characters" else " "
    return [
        f"items = {list(target.classes)!r}"
        if len(target.classes) <= MOST_SHOWN
        else 'items = json.load(open("data.json", encoding="utf-8"))["target"]["classes"]  # import json',
        f"texts = [[] for _ in rows[{fed!r}]]",
        f"for place in range({target.places[0] - 1}):",
        f"    rows[{fed!r}] = tf.constant([[{between!r}.join(text)] for text in texts], 'string')",
        "    shares = np.array(model(rows))[:, place]",
        "    shares[:, 0] = 0  # an item that is not known is not written",
        "    for text, share in zip(texts, shares):",
        f"        if {END_ITEM!r} not in text:",
        "            text.append(items[share.argmax()])",
        f"written = [{between!r}.join(item for item in text if item != {END_ITEM!r}) for text in texts]",
    ]
