"""The text of `dlspec/language/homes.py`: in which module each class stands that is loaded only when it is named."""

from __future__ import annotations

from pathlib import Path

from dlspec.language import homes
from dlspec.language.registry import Registry

FILE = Path(homes.__file__)
_HEAD = '''"""Where the classes stand that are loaded only when they are named: sort -> name -> module below its home.

Written by `python -m dlspec.views.reference docs/reference`. A class that is not listed yet is found all the same, more
slowly.
"""

from collections.abc import Mapping

'''


def homes_text() -> str:
    """The module as it is written."""
    lines = ["HOMES: Mapping[str, Mapping[str, str]] = {"]
    for registry in sorted((found for found in Registry.made if found.lazy), key=lambda found: found.noun):
        lines.append(f'    "{registry.noun}": {{')
        lines += [f'        "{name}": "{module}",' for name, module in registry.own_homes().items()]
        lines.append("    },")
    return _HEAD + "\n".join([*lines, "}"]) + "\n"
