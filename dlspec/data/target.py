"""What a spec says of its targets: a column, several, or columns with the type of what they hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PlainValidator, ValidationError, field_validator

from dlspec.data.features.text import Items
from dlspec.data.words import split_at_spaces
from dlspec.language.fields import (
    OneOrMore,
    PositiveInt,
    SpecModel,
    Text,
    joined_errors,
    mistake,
    rebuild_error,
    show_value,
)
from dlspec.language.words import nearest, same

BEAM_OF_CTC = 16
"""Beginnings that are kept side by side where a text is read off all timesteps, unless the spec says otherwise."""
TypeName = Literal["category", "numeric", "boolean", "next"]
TYPE_NAMES: tuple[TypeName, ...] = get_args(TypeName)


class Tags(SpecModel):
    """Any number of words in one value, with what separates them: `action, comedy`."""

    tags: Annotated[Text, Field(min_length=1)]


class TagOfWords(SpecModel):
    """A tag for each word of a text, in the order of the words, with white space between: `O B-LOC I-LOC`."""

    sequence: Literal[" "]


class Sequenced(SpecModel):
    """A text that is written item by item, each after those before it, or, with `loss: ctc`, read off all timesteps."""

    sequence: Literal["words", "characters", " "] = Field(
        description="what it is written in: words as `text` features have them, characters, or what spaces separate"
    )
    feed_back: Text | None = Field(None, description="the input of the network that sees what was written so far")
    length: PositiveInt | None = Field(
        None, description="items that are written at most; else as many as the longest has"
    )
    words: PositiveInt = Field(
        2000, description="how many items are told apart, the most frequent of the training part"
    )
    beam: PositiveInt | None = Field(
        None, description="beginnings that are kept side by side while a text is written (1), or read by `ctc` (16)"
    )

    @field_validator("sequence", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if value not in ("words", "characters", " "):
            got = show_value(value)
            message = f"`sequence` is a space, at which texts and tags are cut, `words` or `characters`, got {got}"
            help = 'write `sequence: " "`, and put spaces between words and between tags'
            raise mistake("wrong-value", message, help=help)
        return value

    @property
    def kept(self) -> int:
        """How many beginnings are kept side by side."""
        return self.beam or (BEAM_OF_CTC if self.feed_back is None else 1)

    @property
    def unit(self) -> Items:
        """What a text is cut into."""
        return "items" if self.sequence == " " else self.sequence


TargetType = TypeName | Tags | TagOfWords | Sequenced
SEPARATOR = ","
"""What separates tags unless the spec says otherwise."""
SPACES = ""
"""The separator that stands for white space, as much of it as there is."""


def split_tags(value: str, separator: str) -> list[str]:
    """The tags in a value, in the order in which they stand there."""
    if separator == SPACES:
        return [tag.decode() for tag in split_at_spaces(value)]
    return [tag for part in value.split(separator) if (tag := part.strip())]


def _target_type(value: Any) -> TargetType | None:
    """The type that is written for a column; None: it is none."""
    if value in TYPE_NAMES:
        return value
    if value == "tags":
        return Tags(tags=SEPARATOR)
    if isinstance(value, Tags | TagOfWords | Sequenced):
        return value
    for kind in (Tags, TagOfWords):
        try:
            return kind.model_validate(value)
        except ValidationError:
            continue
    return None


def _with_sequences(value: dict[Any, Any]) -> dict[Any, Any]:
    """The same, where what is written item by item was read; `{sequence: " "}` alone is a tag for each word."""
    found, errors = dict(value), []
    for name, written in value.items():
        if isinstance(written, dict) and written != {"sequence": " "} and {"sequence", "feed_back"} & {*written}:
            try:
                found[name] = Sequenced.model_validate(written)
            except ValidationError as error:
                errors.append(rebuild_error(error, "target", lambda line: line, below=(name,)))
    if errors:
        raise joined_errors(errors, "target")
    return found


def _targets(value: Any) -> str | list[str] | dict[str, TargetType]:
    """A column, several, or some with their type; a list of one is that."""
    if isinstance(value, dict):
        value = _with_sequences(value)
        types = {str(name): _target_type(kind) for name, kind in value.items()}
        unknown = next((name for name, kind in types.items() if kind is None), None)
        if unknown is not None or not types:
            got = show_value(value if unknown is None else value[unknown])
            message = (
                f"`target` takes columns with a type, `category`, `numeric`, `boolean`, `next` or `tags`, got {got}"
            )
            word, known = str(value.get(unknown)), ("category", "numeric", "boolean", "tags", "next")
            near = same(word, known) or nearest(word, known) or "category"
            help = f"write `target: {{{unknown or 'digit'}: {near}}}`, or the columns alone"
            raise mistake("wrong-value", message, help=help)
        found = {name: kind for name, kind in types.items() if kind is not None}
        first, *others = found.values()
        if others and (first not in ("numeric", "boolean") or any(kind != first for kind in others)):
            message = "several targets are all `numeric`, or all `boolean`: yes or no"
            raise mistake("wrong-value", message, help="keep one column, or columns of one of the two types")
        if first == "boolean" and not others:
            message = "`boolean` is for several targets; one of them is a class of two"
            raise mistake("wrong-value", message, help=f"write `target: {{{next(iter(found))}: category}}`")
        return found
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) for name in names):
        raise mistake("wrong-type", f"`target` is a column, or a list of columns, got {show_value(value)}")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise mistake("repeated-column", f"`{twice}` is listed twice")
    return names[0] if len(names) == 1 else names


def _targets_of_output(value: Any) -> str | list[str] | dict[str, TargetType]:
    """The same for one of the outputs that the network names, which none is that is made token by token."""
    found = _targets(value)
    for name, kind in found.items() if isinstance(found, dict) else ():
        if kind == "next" or isinstance(kind, Sequenced):
            what = f"the next token of `{name}`" if kind == "next" else f"`{name}`, a text that is written or read,"
            message = f"{what} is the only output of a network in this version, and has no name"
            help = "write this `target` under `data`, `output` as the last layer, and no `outputs`"
            raise mistake("wrong-value", message, help=help)
    return found


_PLAIN = Text | Annotated[list[Text], OneOrMore, Field(min_length=1)]
_TYPE = TypeName | Literal["tags"] | Tags | TagOfWords
_TYPE_OF_OUTPUT = Literal["category", "numeric", "boolean", "tags"] | Tags | TagOfWords

Targets = Annotated[
    str | list[str] | dict[str, TargetType],
    PlainValidator(
        _targets, json_schema_input_type=_PLAIN | Annotated[dict[Text, _TYPE | Sequenced], Field(min_length=1)]
    ),
]
TargetsOfOutput = Annotated[
    str | list[str] | dict[str, TypeName | Tags | TagOfWords],
    PlainValidator(
        _targets_of_output, json_schema_input_type=_PLAIN | Annotated[dict[Text, _TYPE_OF_OUTPUT], Field(min_length=1)]
    ),
]
