"""Comments of a first spec, in English or in Korean."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

from dlspec.spec.first_spec.korean import KOREAN

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")


class Said(str):
    """A comment in English that knows what it is in other languages.

    Args:
        template: with a place for each value: `left out: {names}`.
        values: those that are comments themselves are told in the other language too.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Self:
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made

    def into(self, language: Language) -> str:
        """The same in another language; what that has no words for stays English."""
        if language == "en":
            return str(self)
        values = {
            name: value.into(language) if isinstance(value, Said) else value for name, value in self.values.items()
        }
        return KOREAN.get(self.template, self.template).format(**values)


def say(template: str, **values: Any) -> Said:
    """A comment, of which every language has a translation."""
    return Said(template, **values)


def listed(parts: list[Said], between: str = ", ") -> Said:
    """Several comments as one."""
    places = {f"part_{place}": part for place, part in enumerate(parts)}
    return Said(between.join(f"{{{name}}}" for name in places), **places)


def machine_language() -> Language:
    """By `DLSPEC_LANG`, or by what the machine is set to."""
    said = next(
        (os.environ[name] for name in ("DLSPEC_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return "ko" if said.lower().startswith("ko") else "en"
