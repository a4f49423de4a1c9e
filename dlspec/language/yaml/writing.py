"""Plain values -> YAML text that reads back the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from dlspec.language.yaml.scalars import FLOAT, INFINITY, resolve_scalar

TAG = "tag:yaml.org,2002:"


def to_yaml(values: Any) -> str:
    """Plain values as YAML that `read_text` reads back the same, small mappings on one line."""
    text = yaml.dump(
        values,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )
    return _written_out(text)


def to_inline_yaml(values: Any) -> str:
    """The same on one line, without the outermost braces: `lstm: {units: 64}`."""
    simple = _simply(values)
    if simple is not None:
        return simple[1:-1] if isinstance(values, Mapping) and values else simple
    text = yaml.dump(
        values, Dumper=_OnOneLine, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1_000_000
    ).strip()
    text = _written_out(text.removesuffix("...").strip())
    return text[1:-1] if isinstance(values, Mapping) and values else text


_WORD = re.compile(r"[A-Za-z_]\w{0,60}", re.ASCII)


def _simply(values: Any) -> str | None:
    """What `yaml.dump` would write on one line, a hundred times faster; None: there is more in it than plain words,
    numbers, lists and mappings."""
    kind = type(values)
    if kind is str:
        return values if _WORD.fullmatch(values) and isinstance(resolve_scalar(values), str) else None
    if kind is int:
        return str(values)
    if kind is float:
        return _shown_number(values)
    if kind is bool:
        return "true" if values else "false"
    if kind is list or kind is tuple:
        items = [_simply(item) for item in values]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    if kind is dict:
        pairs = [(_simply(key) if type(key) is str else None, _simply(value)) for key, value in values.items()]
        return None if any(None in pair for pair in pairs) else f"{{{', '.join(f'{k}: {v}' for k, v in pairs)}}}"
    return "null" if values is None else None


TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of a line, so that it reads as another."""


def _written_out(text: str) -> str:
    """YAML in which such characters, which stand in double quotes, are escapes."""
    return TURNING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class _Dumper(yaml.SafeDumper):
    """Writes what `read_text` reads back the same: text that would be read as something else is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = not isinstance(resolve_scalar(text) if text else None, str) or TURNING.search(text) is not None
    return dumper.represent_scalar(f"{TAG}str", text, style='"' if quoted else None)


class _OnOneLine(_Dumper):
    """Writes text of several lines with `\\n` in it."""


def _represent_on_one_line(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if "\n" in text or "\r" in text:
        return dumper.represent_scalar(f"{TAG}str", text, style='"')
    return _represent_text(dumper, text)


def _represent_number(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{TAG}float", _shown_number(number))


def _shown_number(number: float) -> str:
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(number), repr(number))


_Dumper.yaml_implicit_resolvers = {}  # those of YAML 1.1
for _kind, _pattern in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", rf"{FLOAT.pattern}|{INFINITY.pattern}|\.(?:nan|NaN|NAN)"),
):
    _Dumper.add_implicit_resolver(f"{TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), None)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)
_OnOneLine.add_representer(str, _represent_on_one_line)
_OnOneLine.add_representer(float, _represent_number)
_OnOneLine.add_representer(tuple, lambda dumper, values: dumper.represent_list(list(values)))
_OnOneLine.yaml_implicit_resolvers = _Dumper.yaml_implicit_resolvers
_Dumper.add_representer(tuple, lambda dumper, values: dumper.represent_list(list(values)))
