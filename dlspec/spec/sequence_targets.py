"""What a spec must say, and cannot say, where texts are written item by item, each after those before it, or read off
the timesteps of a network."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_target
from dlspec.data.datasets import Column, Description
from dlspec.data.features import Feature
from dlspec.data.features.shifted import Shifted
from dlspec.data.signature import Target, Written
from dlspec.data.target import Sequenced
from dlspec.data.written import BLANK_ITEM, END_ITEM, UNKNOWN_ITEM, Vocabulary
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.words import did_you_mean
from dlspec.spec.spec import Spec

MOST_BEGINNINGS = 1000
"""Of which each is compared with each other one, at each timestep."""
NOT_WITH_SEQUENCES = {
    "weight": "each item counts once",
    "labels": "each text is the label of its row",
    "unlabeled": "no pretraining sees samples without a text",
}
"""Keys of `data` that have no sense where texts are written, and why."""


def sequence_problems(spec: Spec, description: Description, said: Sequenced) -> Iterator[Diagnostic]:
    """Whatever stands in the way of writing texts, apart from what is said of the column."""
    data, name = spec.data, spec.data.target_names[0]
    span = data.span(*place_of_target(data, 0))
    if description.layout == "series":
        message = f"`{name}` is written item by item, and a series has one value in each timestep"
        yield Diagnostic(
            "wrong-value", message, span, help="write `table` in place of `series`, and a text in each row"
        )
    if len(data.target_names) > 1:
        message = "one text is written, and `target` names several columns"
        yield Diagnostic("wrong-value", message, span, help="keep one of them")
    if spec.model.outputs:
        message = "the text is written by one output, above the last layer, and `outputs` names others"
        help = "remove `outputs`, and end the layers with `output`"
        yield Diagnostic("wrong-value", message, spec.key_span("model", "outputs"), help=help)
    reads = said.feed_back is None and reads_texts(spec)
    for key, why in NOT_WITH_SEQUENCES.items():
        if getattr(data, key) is not None and not (reads and key == "weight"):  # of which each text has one loss
            message = f"`{key}` is of samples with one answer, and of texts {why}"
            yield Diagnostic("wrong-value", message, spec.key_span("data", key), help=f"remove `{key}`")
    if data.split.folds:
        message = "`folds` would give each training another vocabulary, and so another network"
        yield Diagnostic("wrong-split", message, spec.key_span("data", "split", "folds"), help="remove `folds`")
    if spec.has("model") and spec.has("train"):
        yield from _read(spec, name, said) if reads else _fed_back(spec, name, said, span)


def reads_texts(spec: Spec) -> bool:
    """Whether the loss compares a text with what is said of it at each timestep: connectionist temporal
    classification."""
    return spec.has("train") and spec.train.loss is not None and spec.train.loss.aligns


def _read(spec: Spec, name: str, said: Sequenced) -> Iterator[Diagnostic]:
    """A text that is read off timesteps is shown by no input, and is as long as the network says."""
    for given, columns in (spec.model.columns_of_inputs or {}).items():
        if name in columns:
            message = f"`{name}` is the target, and the input `{given}` would show the network its own answer"
            help = f"take `{name}` out of `{given}`"
            if columns == [name]:
                help = f"remove the input `{given}`; or, to write `{name}` item by item, `feed_back: {given}` beside "
                help += "`sequence`, and no `loss: ctc`"
            yield Diagnostic("target-among-features", message, spec.span("model", "inputs", given), help=help)
    if name in (spec.data.feature_names or ()):
        message = f"`{name}` is predicted, and is among the features as well"
        yield Diagnostic(
            "target-among-features", message, spec.span("data", "features"), help=f"take `{name}` out of `features`"
        )
    if said.kept > MOST_BEGINNINGS:
        message = f"`beam` keeps {MOST_BEGINNINGS:,} beginnings at most of a text that is read, got `{said.beam}`"
        place = spec.data.span(*place_of_target(spec.data, 0), "beam")
        yield Diagnostic("out-of-range", message, place, help="write `beam: 100`; more hardly read otherwise")
    if said.length is not None:
        message = "`length` ends a text that is written item by item, and one that is read by `ctc` has its own length"
        place = spec.data.key_span(*place_of_target(spec.data, 0), "length")
        yield Diagnostic("wrong-value", message, place, help="remove `length`")


def _fed_back(spec: Spec, name: str, said: Sequenced, span: Span) -> Iterator[Diagnostic]:
    """An input of the network sees what was written so far, and that alone; no other does."""
    inputs = spec.model.columns_of_inputs
    example = f"`inputs: {{source: …, shifted: {name}}}`"
    if said.feed_back is None:
        own = next((given for given, columns in (inputs or {}).items() if columns == [name]), None)
        by_feeding = f"`feed_back: {own or 'shifted'}` beside `sequence`" + (
            "" if own else f", and under `model` {example}"
        )
        yield Diagnostic(
            "missing-key",
            f"`sequence` of `{name}` says neither `feed_back`, the input by which the network sees what it has written "
            "so far, nor is it read off all timesteps by `loss: ctc`",
            span,
            help=f"to write it item by item, write {by_feeding}; to read it off a sequence, a sound or a picture, "
            "whose places are not told, `loss: ctc` under `train`",
        )
        return
    place = spec.data.span(*place_of_target(spec.data, 0), "feed_back")
    if inputs is None or said.feed_back not in inputs:
        near = did_you_mean(said.feed_back, inputs or ())
        yield Diagnostic(
            "no-fed-input",
            f"`feed_back: {said.feed_back}` is an input of the network, and the model names none that is called so",
            place,
            help=near or f"write `model: {{inputs: {{source: …, {said.feed_back}: {name}}}, layers: [...]}}`",
        )
        return
    for given, columns in inputs.items():
        there = spec.span("model", "inputs", given)
        if given == said.feed_back and columns != [name]:
            message = f"`{given}` sees what was written of `{name}` so far, and names other columns"
            yield Diagnostic("no-fed-input", message, there, help=f"write `{given}: {name}`")
        elif given != said.feed_back and name in columns:
            message = f"`{name}` is the target, so that the input `{given}` would show the network its own answer"
            help = f"take `{name}` out of `{given}`: `{said.feed_back}` sees what was written so far"
            yield Diagnostic("target-among-features", message, there, help=help)
    if len(inputs) < 2:
        message = f"`{said.feed_back}` is the only input, and a text is written from what another one shows"
        help = f"add one: {example}; to write texts on, `target: {{{name}: next}}`"
        yield Diagnostic("no-fed-input", message, spec.key_span("model", "inputs"), help=help)


def too_long_or_empty(spec: Spec, said: Sequenced, known: Vocabulary) -> Diagnostic | None:
    """Texts must have items, and not more than are written."""
    name = spec.data.target_names[0]
    span = spec.data.span(*place_of_target(spec.data, 0))
    if not known.items:
        message = f"`{name}` has no {said.unit.removesuffix('s')} in the training part"
        return Diagnostic("one-class", message, span, help="predict another column")
    if said.feed_back is None and known.left_out:
        count = len(known.items) + known.left_out
        return Diagnostic(
            "too-few-items",
            f"`{name}` has {count:,} different {said.unit} in the training part, and `words: {said.words}` tells "
            f"{said.words:,} apart; a network that reads has nothing to say for the others",
            spec.data.span(*place_of_target(spec.data, 0), "words")
            if spec.is_written("data", *place_of_target(spec.data, 0), "words")
            else span,
            help=f"write `words: {count}`",
        )
    if said.length is not None and said.length < known.longest:
        return Diagnostic(
            "too-long-text",
            f"`length: {said.length}` is written of `{name}` at most, and its longest text has {known.longest:,} "
            f"{said.unit}",
            spec.data.span(*place_of_target(spec.data, 0), "length"),
            help=f"write `length: {known.longest}`, or leave it out",
        )
    return None


def target_of_sequence(name: str, said: Sequenced, known: Vocabulary) -> Target:
    """What a network is asked for: at each place the next item, or the end; where nothing is fed back, the items at
    some of its timesteps."""
    if said.feed_back is None:
        classes, written = (BLANK_ITEM, *known.items), Written(said.unit, None, said.kept)
        return Target(name, "class", classes, places=(known.longest + 1,), written=written)
    places = (known.longest if said.length is None else said.length) + 1
    return Target(
        name,
        "class",
        (UNKNOWN_ITEM, END_ITEM, *known.items),
        places=(places,),
        written=Written(said.unit, said.feed_back, said.kept),
    )


def fed_back(target: Target) -> tuple[Column, Feature]:
    """The feature that shows what was written so far."""
    assert target.written is not None, "texts are written"
    assert target.written.fed is not None, "what was written is fed back"
    (places,) = target.places
    kind = Shifted(items=target.items, unit=target.written.unit, places=places, called=target.written.fed)
    return Column(target.name, "text"), kind
