"""What a spec must say, and cannot say, where the next word or character of texts is predicted."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_feature, place_of_target
from dlspec.data.datasets import Description
from dlspec.data.features.text import Text
from dlspec.data.language import Vocabulary
from dlspec.language.diagnostics import Diagnostic
from dlspec.spec.spec import Spec

NOT_WITH_TEXTS = {
    "weight": "each token counts once",
    "labels": "each token is the label of those before it",
    "limit": "each token of the training part is trained on",
    "unlabeled": "texts need no labels",
}
"""Keys of `data` that have no sense where texts are written on, and why."""


def language_problems(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Whatever stands in the way of reading texts to be written on."""
    data, names = spec.data, spec.data.target_names
    name = names[0]
    column = description.column(name)
    if column is None or column.kind != "text":
        return  # which is said of the column
    span = data.span(*place_of_target(data, 0))
    if spec.model.outputs:
        message = "the next token of texts is one output, above the last layer, and `outputs` names others"
        help = "remove `outputs`, and end the layers with `output`"
        yield Diagnostic("wrong-value", message, spec.key_span("model", "outputs"), help=help)
    others = [other for other in data.feature_names or [] if other != name]
    if others:
        yield Diagnostic(
            "wrong-value",
            f"the next token of `{name}` is predicted from the text before it, and `{others[0]}` stands beside it",
            data.span(*place_of_feature(data, others[0])),
            help=f"write `features: {{{name}: {{text: {{tokens: characters, length: 100}}}}}}`",
        )
        return
    kind = data.feature_type(name)
    if not isinstance(kind, Text) or kind.length is None:
        yield Diagnostic(
            "missing-key",
            f"`target: {{{name}: next}}` needs `length`: how many tokens the network looks back",
            data.span(*place_of_feature(data, name)) if data.feature_names else span,
            help=f"write `features: {{{name}: {{text: {{tokens: characters, length: 100}}}}}}`",
        )
    elif kind.tokens == "spaced":
        message = "`tokens: spaced` is of texts that are read, and what is written on are `words` or `characters`"
        yield Diagnostic("wrong-value", message, data.span(*place_of_feature(data, name)), help="remove `tokens`")
    for key, why in NOT_WITH_TEXTS.items():
        if getattr(data, key) is not None:
            message = f"`{key}` is of samples, and of texts {why}"
            yield Diagnostic("wrong-value", message, spec.key_span("data", key), help=f"remove `{key}`")
    if data.split.folds:
        message = "`folds` would give each training another vocabulary, and so another network"
        yield Diagnostic("wrong-split", message, spec.key_span("data", "split", "folds"), help="remove `folds`")
    if description.rows == 1:
        yield from _of_one_text(spec)


def _of_one_text(spec: Spec) -> Iterator[Diagnostic]:
    """One text is split in its order: training, validation, test."""
    split = spec.data.split
    if split.by not in (None, "order"):
        yield Diagnostic(
            "wrong-split",
            f"`by: {split.by}` shares out samples, and there is one text, which is split in its order",
            spec.span("data", "split", "by"),
            help="leave `by` out",
        )
    for key in ("column", "group"):
        if getattr(split, key) is not None:
            message = f"`{key}` shares out several texts, and there is one"
            yield Diagnostic("wrong-split", message, spec.key_span("data", "split", key), help=f"remove `{key}`")


def too_few_tokens(spec: Spec, known: Vocabulary) -> Diagnostic | None:
    """Each part must have a token to predict, and one before it."""
    for part, count in zip(("training", "validation", "test"), known.counts, strict=True):
        empty = part == "validation" and not spec.data.split.validation
        if count < 2 and not empty:
            has = "no token" if count == 0 else "one token"
            return Diagnostic(
                "too-few-rows",
                f"the {part} part has {has}, and the next one cannot be predicted",
                spec.key_span("data", "split") if spec.is_written("data", "split") else spec.key_span("data"),
                help="name a longer text, or write other shares under `split`",
            )
    return None
