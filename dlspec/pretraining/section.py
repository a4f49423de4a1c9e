"""The section `pretrain`."""

from __future__ import annotations

from typing import Any

from dlspec.language.fields import mistake, show_value
from dlspec.language.notations import NAMED_BY
from dlspec.language.words import did_you_mean, nearest
from dlspec.language.yaml import to_inline_yaml
from dlspec.pretraining import PRETRAINING, PretrainingMethod, Taken


def read_pretraining(value: Any) -> PretrainingMethod:
    """Looks the method up first, then reads the other keys with its class."""
    if isinstance(value, PretrainingMethod):
        return value
    if not isinstance(value, dict):
        meant = nearest(value, PRETRAINING) if isinstance(value, str) else None
        raise mistake(
            "wrong-type",
            f"`pretrain` must be a mapping of keys, got {show_value(value)}",
            help=f"write `pretrain: {{method: {meant or 'autoencoder'}}}`",
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
