"""Document -> Spec, as far as it can be read, with everything that is wrong with its form, names and values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dlspec.data.section import SOURCES, BrokenData
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.fields import show_value
from dlspec.language.words import bare, nearest, same
from dlspec.language.yaml import Document, to_inline_yaml
from dlspec.language.yaml.recovery import QUOTE
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.layers import LAYERS
from dlspec.model.layers.base import Group
from dlspec.model.section import Broken
from dlspec.spec.cures import cure, held_by, taken_over
from dlspec.spec.spec import VERSION, Spec

_STAND_INS: dict[str, Any] = {"dlspec": VERSION, "data": BrokenData(), "model": ["output"]}
"""What stands in for a section that is missing or broken."""

MENDED = 5
"""So many times mistakes are taken out that hid others, or that taking out others brought."""
USUAL: dict[tuple[Any, ...], tuple[str, str]] = {
    ("pretrain", "method"): ("autoencoder", "denoising_autoencoder"),
    ("data", "scale"): ("standard", "min_max"),
    ("activation",): ("sigmoid", "relu"),
}
"""Keys on which much hangs -> two values that may stand there: what follows from both is told."""
FOLLOWING = ("missing-key", "no-source", "not-one-key")
"""Mistakes that taking out others brings."""

_SMALL = frozenset({"scale", "split", "limit", "labels", "cache", "missing"})
"""Keys of `data` in whose place a default may stand, if their value is wrong; of the others a spec is `doubtful`."""


def read_spec(document: Document) -> tuple[Spec, list[Diagnostic]]:
    """The spec as far as it can be read, and everything that is wrong with its form, names and values.

    In place of a name that is not known stands the one that was probably meant, and in place of a wrong value its
    default. A section that is missing or broken all the same is replaced by a stand-in, and `spec.has(section)` is
    false; a broken layer is replaced by `Broken`. So what depends on the rest can still be checked.
    """
    spec, problems, _ = read_guessing(document)
    return spec, problems


def read_guessing(document: Document) -> tuple[Spec, list[Diagnostic], int]:
    """What `read_spec` gives, and how often it guessed."""
    spec, problems, guesses = _read(document, guess=True)
    return spec, _each_once(problems), guesses


def read_otherwise(document: Document) -> tuple[Spec, list[Diagnostic]]:
    """The same without what was guessed, to tell what follows from a guess."""
    spec, problems, _ = _read(document, guess=False)
    return spec, _each_once(problems)


def _each_once(problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Without what another one says better: text with a colon where no text belongs, a variable without its `$`."""
    cured = {problem.span.line for problem in problems if problem.span and (problem.help or "").startswith("write")}
    named = {problem.help for problem in problems if problem.is_error}

    codes = Counter(problem.code for problem in problems)
    meant_by_unknown = codes["unknown-variable"] and codes["unused-variable"] == 1
    sums = " ".join(problem.message for problem in problems if problem.code == "bad-arithmetic")
    misnamed = "did you mean `variables`?" in named

    def better_said(problem: Diagnostic) -> bool:
        if problem.code == "unused-variable":
            names = re.findall(r"variable `(\w+)`", problem.message)
            used = any(f"write `${name}`" in named or re.search(rf"\b{name}\b", sums) for name in names)
            return used or bool(meant_by_unknown)
        if problem.code == "unknown-variable":
            return misnamed
        return problem.help == QUOTE and problem.span is not None and problem.span.line in cured

    return [problem for problem in problems if not better_said(problem)]


def _read(document: Document, *, guess: bool) -> tuple[Spec, list[Diagnostic], int]:
    problems = list(document.problems)
    values = document.root.plain()
    if not isinstance(values, dict):
        problems.append(
            Diagnostic(
                "wrong-type",
                f"a spec is a mapping of keys, got {show_value(values)}",
                document.span(),
                help="begin with `dlspec: 1`",
            )
        )
        values = {}
    if not values and any(problem.is_error for problem in problems):
        values = dict(_STAND_INS)  # nothing could be read, which has been said
        return _finish(Spec.model_validate(values), document, frozenset(Spec.model_fields)), problems, 0
    for section in ("train", "evaluate", "runtime", "budget"):
        if section in values and values[section] is None:  # the key alone, with nothing behind it
            del values[section]
    spec, found = _validate(values)
    if spec:
        return _finish(spec, document, frozenset()), problems, 0
    written = document.root.plain()
    said = [_diagnose(line, document, written) for line in found]
    lost = document.recovered or any(line["ctx"].get("meant") == "extends" for line in found)
    problems += [d for d, line in zip(said, found, strict=True) if not (lost and _may_be_lost(d, line))]
    guessed, places = set[tuple[Any, ...]](), set[tuple[Any, ...]]()
    doubtful = set[str]()
    for _ in range(MENDED):
        for line in found:  # what stands beside it is still worth checking
            if _mend(values, line, guess, written):
                guessed.add(line["loc"])
            places.add(line["loc"])
            doubtful |= {*_doubted(line)}
        spec, found = _validate(values, without_source=True)
        if spec:
            return _finish(spec, document, frozenset(), frozenset(doubtful)), problems, len(guessed)
        problems += [_diagnose(line, document, written) for line in found if _was_hidden(line, places)]
        if all(line["loc"] in places for line in found):
            break
    absent = {str(line["loc"][0]) for line in found if line["loc"]}
    broken = {_item_at(values, line["loc"]) for line in found if line["loc"][:1] == ("model",)}
    if broken and () not in broken:
        for path in sorted(broken, key=len, reverse=True):
            *above, last = path
            items: Any = _follow(values, above)
            items[last] = Broken.standing_for(items[last])
        absent.discard("model")
    absent |= {name for name in _STAND_INS if name not in values}
    kept = {key: value for key, value in values.items() if key in Spec.model_fields and key not in absent}
    spec, found = _validate({**_STAND_INS, **kept}, without_source=True)
    if spec is None:  # mistakes that only show once others are out of the way
        absent |= {str(line["loc"][0]) for line in found if line["loc"]}
        kept = {key: value for key, value in kept.items() if key not in absent}
        spec = Spec.model_validate({**_STAND_INS, **kept})
    return _finish(spec, document, frozenset(absent), frozenset(doubtful)), problems, len(guessed)


def _validate(values: dict[str, Any], *, without_source: bool = False) -> tuple[Spec | None, list[Any]]:
    """The spec, or what is wrong with it.

    Args:
        without_source: whether `data` may name none, as it was taken out.
    """
    data = values.get("data")
    try:
        if without_source and isinstance(data, dict) and data and not {*SOURCES} & {*data}:
            with suppress(ValidationError):  # what is wrong with it comes out below
                values = {**values, "data": BrokenData.model_validate(data)}
        return Spec.model_validate(values), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _item_at(values: Any, place: Sequence[str | int]) -> tuple[str | int, ...]:
    """The path in `values` of the innermost item of the model that holds `place`; empty: no item is to blame."""
    model, rest = values["model"], list(place[1:])
    path: list[str | int] = ["model"]
    items = model
    if rest[:1] == ["layers"]:
        rest = rest[1:]
        if isinstance(model, dict):
            path.append("layers")
            items = model["layers"]
    found: list[str | int] = []
    while isinstance(items, list) and rest and isinstance(rest[0], int) and rest[0] < len(items):
        item = items[rest[0]]
        path.append(rest.pop(0))
        if isinstance(item, list):  # a path of `branches`
            items = item
            continue
        found = list(path)
        name = next(iter(item), None) if isinstance(item, dict) and len(item) == 1 else None
        group = LAYERS.get(name)
        if name is None or rest[:1] != [name] or group is None or not issubclass(group, Group):
            break
        path.append(rest.pop(0))
        items = item[name]
        if isinstance(items, dict):
            if not rest or rest[0] not in group.lists or rest[0] not in items:
                break
            path.append(rest[0])
            items = items[rest[0]]
        if rest and rest[0] in group.lists:
            rest.pop(0)
    return tuple(found)


def _follow(values: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        values = values[part]
    return values


def _may_be_lost(problem: Diagnostic, line: Any) -> bool:
    """Whether what is missing may stand in a line that could not be read."""
    return problem.code in ("missing-key", "no-source") or line["input"] is None


def _was_hidden(line: Any, mended: Collection[tuple[Any, ...]]) -> bool:
    """Whether a mistake shows once others are taken out, and not because they are."""
    place = line["loc"]
    return line["type"] not in FOLLOWING and not any(other[: len(place)] == place for other in mended)


def _mend(values: Any, line: Any, guess: bool, written: Any) -> bool:
    """Takes out of the values what is wrong with a key or with what stands behind it, or puts there what was meant.

    Args:
        written: the values as the spec has them.

    Returns:
        Whether something else was probably meant, also where that is not to be guessed.
    """
    path, said, meant = line["loc"], line["ctx"], line["ctx"].get("meant")
    if line["type"] in ("unknown-key", "not-supported-yet"):
        beside = taken_over(line["type"], path, line["input"], written)
        _remove(values, path, meant if guess and not beside else None)
        above = held_by(values, path)
        if guess and isinstance(above, dict):
            above.update({key: value for key, value in beside.items() if key not in above})
        return bool(meant or beside)
    usual = USUAL.get(tuple(part for part in path if path[0] != "pretrain" or isinstance(part, str)))
    usual = usual or USUAL.get(path[-1:])
    if usual and said["at"] == "value" and line["type"].startswith(("unknown-", "wrong-")):
        one, other = usual
        _replace(values, path, (meant or one) if guess else other if meant in (one, None) else one)
        return True
    if line["type"] == "several-sources" and path == ("data",):
        for source in SOURCES:
            values["data"].pop(source, None)
        return False
    if path[:1] == ("data",) and len(path) > 1 and path[1] not in _SMALL and not (meant and path[1] == "dataset"):
        whole = 3 if path[1] == "features" and isinstance(values["data"].get("features"), dict) else 2
        _remove(values, path[:whole], None)
        return False
    if len(path) < 2 or path[-1] in ("from", "name", "method"):
        return False
    if line["type"] in (*FOLLOWING, "unknown-layer"):
        return False
    if said["at"] == "value":
        _replace(values, path, meant if guess or isinstance(path[-1], int) else None)
    elif line["type"].startswith("unknown-"):  # the name stands in front of its arguments
        _remove(values, path, meant) if guess and meant else _replace(values, path[:-1], None)
    return bool(meant)


def _doubted(line: Any) -> Iterator[str]:
    """The key of `data` that a mistake is about, if much hangs on it."""
    path = line["loc"]
    big = len(path) > 1 and path[0] == "data" and path[1] not in _SMALL and line["type"] != "unknown-key"
    if big and not (path[1] in SOURCES and line["ctx"].get("meant")):
        yield path[1]


def _replace(values: Any, path: tuple[Any, ...], meant: str | None) -> None:
    """Takes a value out, so that its default stands there, or puts another one in its place."""
    values, last = held_by(values, path), path[-1]
    if isinstance(values, dict) and last in values:
        if meant is not None:
            values[last] = meant
        elif path[0] != "model" or len(values) > 1:  # a layer alone is better known as broken
            del values[last]
    elif isinstance(values, list) and last in range(len(values)) and meant is not None:
        values[last] = meant


def _remove(values: Any, path: tuple[Any, ...], meant: str | None) -> None:
    """Takes a key out of the values, or gives it the name that was meant."""
    values, last = held_by(values, path), path[-1]
    if isinstance(values, dict) and last in values:
        value = values.pop(last)
        if meant and meant not in values:
            values[meant] = value


def _finish(spec: Spec, document: Document, absent: frozenset[str], doubtful: frozenset[str] = frozenset()) -> Spec:
    if not spec.name:
        stem = re.sub(r"[^\w.-]+", "_", Path(document.file).stem).strip("_.-")
        spec = spec.model_copy(update={"name": stem or "spec"})
    takes_pixels = spec.model.application is not None and "data" not in absent
    if takes_pixels and not document.is_written("data", "scale") and not spec.model.has_several_features:
        spec = spec.model_copy(update={"data": spec.data.model_copy(update={"scale": "none"})})
    return spec.placed_in(document, absent, doubtful)


def _diagnose(error: Any, document: Document, written: Any) -> Diagnostic:
    """One of our errors at its place in the text, of a spec with these values."""
    said, path, kind, value = error["ctx"], error["loc"], error["type"], error["input"]
    span = document.key_span(*path) if said["at"] == "key" else document.span(*path)
    help = cure(kind, path, value, written)
    if help is None and kind == "unknown-layer":
        help = _of_layer(said["given"], document)
    if help is None and kind == "wrong-type" and isinstance(value, str):
        help = _of_text(value, span, document)
    if help is None and kind == "unknown-key":
        help = _with_value(said["help"], str(path[-1]), said["meant"], value)
        under = re.fullmatch(r"it belongs under `(\w+)`: write `\w+: \{(.+)\}`", help or "")
        if under and under[1] in written:  # which is there already
            help = f"it belongs under `{under[1]}`: write `{under[2]}` there"
    elif help is None and said["at"] == "value" and path and isinstance(path[-1], str):
        thing = kind.startswith("unknown-") or "is needed here" in said["message"]
        help = _behind_key(said["help"], path[-1]) if thing else None
    return Diagnostic(kind, said["message"], span, help=help or said["help"])


def _of_layer(given: str | None, document: Document) -> str | None:
    """What to write for the name of a layer that is one of a block, or of an activation."""
    near = nearest(given, document.blocks) if given else None
    if near:
        return f"did you mean the block `{near}`?"
    return f"write `activation: {given}`" if given in ACTIVATIONS and given != "linear" else None


def _of_text(value: str, span: Span, document: Document) -> str | None:
    """What to write for text that names a variable, or calculates, without the sign for it."""
    name = value.strip("${} ")
    if name in document.variables:
        return f"write `${name}`"
    if not re.fullmatch(r"[\d.]+( *(\*\*|//|[-+*/%]) *[\d.]+)+", value):
        return None
    raw = document.texts[span.file].splitlines()[span.line - 1][span.column - 1 : span.end_column - 1]
    return f"write arithmetic as `$({raw.replace('$', '') if '$' in raw else value})`"


def _with_value(help: str | None, key: str, meant: str | None, value: Any) -> str | None:
    """The cure of an unknown key with the value that stands behind it, where it can be taken over."""
    if isinstance(value, dict | list | None):
        return None
    if meant and bare(key) != bare(meant) and same(key, [meant]):  # another tool's word, and not a misspelt one
        return f"write `{meant}: {to_inline_yaml(value)}`"
    to_fill_in = re.fullmatch(r"([^…]*: )…(\}*`)", help or "")
    filled = to_fill_in and not isinstance(value, bool)
    return f"{to_fill_in[1]}{to_inline_yaml(value)}{to_fill_in[2]}" if to_fill_in and filled else None


def _behind_key(help: str | None, key: str) -> str | None:
    """`write `optimizer: {adam: 0.1}`` for `write `adam: 0.1``, where a thing with arguments stands behind a key."""
    named = re.fullmatch(r"write `(\w+): (.*)`", help or "")
    return f"write `{key}: {{{named[1]}: {named[2]}}}`" if named and named[1] != key else None
