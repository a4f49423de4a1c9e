"""The section `pretrain`: a method, or a list of entries with one each, which are done in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from dlspec.language.fields import joined_errors, mistake, rebuild_error, show_value
from dlspec.language.notations import NAMED_BY
from dlspec.language.words import did_you_mean, nearest, within
from dlspec.language.yaml import to_inline_yaml
from dlspec.pretraining import PRETRAINING, PretrainingMethod, Taken

LAST = ("then", "thaw_after")
"""Keys of what follows all entries, which are written in the last of them."""


@dataclass(frozen=True)
class Entry:
    """What one entry of `pretrain` says; a mapping is its only entry.

    Args:
        path: where it is written: `("pretrain",)`, or `("pretrain", 1)` in a list.
    """

    method: PretrainingMethod
    path: tuple[str | int, ...]

    @property
    def listed(self) -> bool:
        """Whether it is one of a list."""
        return len(self.path) > 1

    @property
    def called(self) -> str:
        """What a message calls it."""
        return within(self.path).partition(" ")[2]

    @property
    def below(self) -> str:
        """Where a message says that a key is to be written."""
        return within(self.path)


def entries_of(value: PretrainingMethod | Sequence[PretrainingMethod] | None) -> tuple[Entry, ...]:
    """The entries of the section, in order; none without the section."""
    if value is None:
        return ()
    if isinstance(value, PretrainingMethod):
        return (Entry(value, ("pretrain",)),)
    return tuple(Entry(method, ("pretrain", i)) for i, method in enumerate(value))


def written_entries(written: Any) -> Any:
    """The section as plain values, without what only the last entry of a list may say."""
    if not isinstance(written, list):
        return written
    return [{key: own for key, own in entry.items() if key not in LAST} for entry in written[:-1]] + written[-1:]


def read_pretraining(value: Any) -> PretrainingMethod | list[PretrainingMethod]:
    """The method, or of a list one for each entry, in order."""
    if not isinstance(value, list):
        return _read_entry(value)
    if not value:
        raise mistake("wrong-value", "`pretrain` lists no entry", help="write `pretrain: {method: autoencoder}`")
    found: list[PretrainingMethod] = []
    errors: list[ValidationError] = []
    for i, entry in enumerate(value):
        try:
            found.append(_read_entry(_without_last(entry, i, errors) if i < len(value) - 1 else entry, listed=True))
        except ValidationError as error:
            errors.append(rebuild_error(error, "pretrain", lambda line: line, below=(i,)))
        except PydanticCustomError as error:
            errors.append(PRETRAINING.error(error, (i,), entry))
    if errors:
        raise joined_errors(errors, "pretrain")
    return found


def _without_last(entry: Any, i: int, errors: list[ValidationError]) -> Any:
    """An entry that others follow, without the keys of the last one, which become mistakes."""
    if not isinstance(entry, dict):
        return entry
    for key in LAST:
        if key in entry:
            said = mistake(
                "unknown-key",
                f"`{key}` says what follows all entries of `pretrain`, and others follow this one",
                help=f"write `{key}` in the last entry",
                at="key",
            )
            errors.append(PRETRAINING.error(said, (i, key), entry[key]))
    return {key: own for key, own in entry.items() if key not in LAST}


def _read_entry(value: Any, *, listed: bool = False) -> PretrainingMethod:
    """Looks the method up first, then reads the other keys with its class."""
    if isinstance(value, PretrainingMethod):
        return value
    if not isinstance(value, dict):
        meant = nearest(value, PRETRAINING) if isinstance(value, str) else None
        raise mistake(
            "wrong-type",
            f"{'an entry of ' * listed}`pretrain` must be a mapping of keys, got {show_value(value)}",
            help=f"write `{'- ' if listed else 'pretrain: '}{{method: {meant or 'autoencoder'}}}`",
        )
    settings = dict(value)
    name = settings.pop("method", None)
    if name is None and "from" in settings:
        Taken.refuse_settings(settings)
        return Taken.model_validate(settings)
    if name is None:
        named = next((key for key in NAMED_BY if isinstance(settings.get(key), str)), None)
        method = nearest(settings[named], PRETRAINING) if named else None
        if named and method:
            said = mistake("unknown-key", f"unknown key `{named}`", help=f"write `method: {method}`", at="key")
            raise PRETRAINING.error(said, (named,), settings[named])
        near, help = (
            next(((key, nearest(key, PRETRAINING)) for key in settings if nearest(key, PRETRAINING)), None),
            None,
        )
        if near:
            beside = settings[near[0]] if isinstance(settings[near[0]], dict) else {}
            help = f"write `{{{to_inline_yaml({'method': near[1], **beside})}}}`"
        message = "`method` is missing: how layers are pretrained"
        raise mistake("missing-key", message, help=help or "add `method: autoencoder`", at="key")
    if not isinstance(name, str) or name not in PRETRAINING:
        said = mistake(
            "unknown-pretraining-method",
            f"there is no pretraining method {show_value(name).removeprefix('the text ')}",
            help=did_you_mean(str(name), PRETRAINING, find=nearest),
        )
        raise PRETRAINING.error(said, ("method",), name)
    return PRETRAINING[name].model_validate(settings)
