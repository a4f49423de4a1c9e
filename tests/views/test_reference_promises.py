"""What the reference says may be written is accepted: each default, each value it lists, each `key: value` it names."""

import re
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

import dlspec
from dlspec.language.yaml import read_text, to_inline_yaml
from dlspec.model.layers.base import Example
from dlspec.pretraining.section import read_pretraining
from dlspec.views.reference.catalogue import Argument, Entry, categories, keys_of, sections

ENTRIES = [
    (category, entry) for category in categories() if category.registry is not None for entry in category.entries()
]


def read(category, entry: Entry, arguments: dict) -> None:
    if category.noun == "pretraining method":
        read_pretraining({"method": entry.name, **arguments})
    else:
        category.registry.read({entry.name: arguments} if arguments else entry.name)


def given_in(category, entry: Entry) -> dict:
    """The arguments of its first example, by name."""
    example = entry.kind.examples[0] if entry.kind.examples else entry.name
    written = example.written if isinstance(example, Example) else example
    if category.noun == "pretraining method":
        return {key: value for key, value in written.items() if key != "method"}
    behind = written[entry.name] if isinstance(written, dict) else {}
    arguments, left_out = entry.kind.unfold(behind)
    return {left_out: behind} if left_out and not isinstance(behind, dict) else dict(arguments or {})


def choices_of(form: dict) -> list:
    """The values that a form lists, in it or in one of its options."""
    own = form.get("enum", [])
    return [*own, *(choice for option in form.get("anyOf", ()) for choice in choices_of(option))]


def promised(entry: Entry) -> Iterator[dict]:
    """What its page says may be written for one key."""
    for argument in entry.arguments:
        if not argument.required and argument.default is not None:
            yield {argument.name: argument.default}
        for choice in choices_of(argument.form):
            yield {argument.name: choice}
    texts = [entry.summary, *entry.details, *(argument.description for argument in entry.arguments)]
    names = {argument.name for argument in entry.arguments}
    for code in re.findall(r"`([^`]+)`", " ".join(texts)):
        if re.match(r"(\w+): .", code) and code.partition(":")[0] in names:
            yield read_text(code).root.plain()


def is_said(entry: Entry, written: dict, refusal: str) -> bool:
    """Whether the page says that the value needs, or forbids, another key that the refusal names."""
    (key,) = written
    others = {argument.name for argument in entry.arguments} - {key}
    named = [name for name in others if re.search(rf"`{name}\b", refusal)]
    said = {argument.name: argument.description for argument in entry.arguments}
    about = " ".join((said[key], *entry.details))
    return any(f"`{key}" in said[other] or f"`{other}" in about for other in named) or (
        f"`{to_inline_yaml(written)}`" in " ".join(entry.details)
    )


@pytest.mark.parametrize(("category", "entry"), ENTRIES, ids=[f"{each[0].noun}-{each[1].name}" for each in ENTRIES])
def test_what_a_page_promises_is_accepted(category, entry):
    given = given_in(category, entry)
    if not any(argument.required for argument in entry.arguments):
        read(category, entry, {})
    for written in promised(entry):
        try:
            read(category, entry, {**given, **written})
        except ValidationError as error:
            refusal = " ".join(line["msg"] for line in error.errors())
            assert is_said(entry, written, refusal), (written, refusal)


SPECS = {
    "": "data: {dataset: iris}\nmodel: [dense: 8, output]\n",
    "data.window": "data: {dataset: goog, window: {length: 9}}\nmodel: [lstm: 8, output]\n",
    "data.target": "data: {dataset: sums, target: {answer: {sequence: words, feed_back: so_far}}}\n"
    "model: {inputs: {asked: question, so_far: answer}, layers: [{embedding: {output_dim: 4, from: so_far}}, output]}",
}


def section_defaults() -> Iterator[tuple[str, Argument]]:
    for path, model in sections():
        for argument in keys_of(model):
            plain = isinstance(argument.default, str | int | float | bool)
            of_files = path in ("data.images", "data.text", "data.audio", "data.arrays", "data.unlabeled")
            shallow = path.split(".")[0] in ("data", "train", "evaluate", "runtime") and path.count(".") < 2
            if shallow and plain and not of_files:
                yield path, argument


@pytest.mark.parametrize(
    ("path", "argument"), list(section_defaults()), ids=lambda value: getattr(value, "name", value)
)
def test_the_default_of_a_key_of_a_section_may_be_written(path, argument):
    below = f"{path}.answer" if path == "data.target" else path
    spec = dlspec.validate(f"dlspec: 1\n{SPECS.get(path, SPECS[''])}", {f"{below}.{argument.name}": argument.default})
    codes = {problem.code for problem in spec if problem.is_error}
    assert not {code for code in codes if code.startswith(("wrong-type", "wrong-value", "unknown-value"))}, spec
