"""What a spec must say, and cannot say, where a tag is predicted for each word of a text."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.columns import place_of_feature, place_of_target
from dlspec.data.datasets import Column, Description
from dlspec.data.features.text import Text
from dlspec.data.section import DataSpec
from dlspec.data.signature import Target
from dlspec.data.target import TagOfWords
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.spec.spec import Spec


def tags_words(section: DataSpec) -> bool:
    """Whether a tag is predicted for each word of a text, also by one of several outputs."""
    return any(isinstance(kind, TagOfWords) for _, kind in section.all_targets)


def tag_problems(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Whatever stands in the way of reading texts whose words have tags."""
    data = spec.data
    name = next(name for name, kind in data.all_targets if isinstance(kind, TagOfWords))
    column = description.column(name)
    if column is None or column.kind != "tags":
        return  # which is said of the column
    names, predicted = data.feature_names or [], {other for other, _ in data.all_targets}
    there = [other for other in names or description.names if other not in predicted]
    text = next((other for other in there if _holds_text(spec, description, other)), (*there, "text")[0])
    write = f"write `features: {{{text}: {{text: {{length: 40}}}}}}`"
    others = [other for other in names if other != text]
    if others:
        message = f"the tags of `{name}` are of the words of one text, and `{others[0]}` stands beside `{text}`"
        yield Diagnostic("wrong-value", message, data.span(*place_of_feature(data, others[0])), help=write)
        return
    kind = data.feature_type(text)
    if not isinstance(kind, Text) or kind.length is None:
        yield Diagnostic(
            "missing-key",
            f'`target: {{{name}: {{sequence: " "}}}}` needs a column of text with `length`: how many words the '
            "network sees",
            data.span(*place_of_feature(data, text)) if names else _place_of_tags(spec, name),
            help=write,
        )
    elif "tokens" in kind.model_fields_set and kind.tokens != "spaced":
        yield Diagnostic(
            "wrong-value",
            f"`tokens: {kind.tokens}` cuts `{text}` otherwise than its tags, of which there is one for each word "
            "between spaces",
            data.span(*place_of_feature(data, text)),
            help="remove `tokens`, or write `tokens: spaced`",
        )


def _place_of_tags(spec: Spec, name: str) -> Span:
    """Where it is said that a column holds tags."""
    outputs = spec.model.outputs if spec.has("model") else None
    for output, given in (outputs or {}).items():
        if isinstance(given.target, dict) and name in given.target:
            return spec.span("model", "outputs", output, "target", name)
    return spec.data.span(*place_of_target(spec.data, 0))


def _holds_text(spec: Spec, description: Description, name: str) -> bool:
    """Whether a column is one of texts: as the spec says, or as it looks."""
    column = description.column(name)
    return isinstance(spec.data.feature_type(name), Text) or (column is not None and column.kind == "text")


def text_of(section: DataSpec) -> Text:
    """How the text is cut whose words have tags: where these are cut."""
    (name,) = section.feature_names or [""]
    kind = section.feature_type(name)
    assert isinstance(kind, Text), "the check asked for it"
    return kind.model_copy(update={"tokens": "spaced"})


def tags_of(column: Column, section: DataSpec) -> Target | None:
    """A tag for each word as a target; None: the column holds none."""
    if column.kind != "tags":
        return None
    length = text_of(section).length
    assert length is not None, "the check asked for it"
    return Target(column.name, "class", column.classes, places=(length,), of_words=True)
