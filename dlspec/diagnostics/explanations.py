"""What codes mean: `explain` is called beside the check that raises a code, at module level."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

_TEXTS: dict[str, str] = {}


def explain(code: str, text: str) -> None:
    """Registers the explanation of a code.

    Args:
        text: first a line that says what the code means, then why it matters, then examples in YAML: an indented
            block under `Wrong:` and one under `Right:`.
    """
    if _TEXTS.setdefault(code, text) != text:
        raise ValueError(f"{code} is explained twice")


def explanation(code: str) -> str | None:
    """The explanation of a code, if the module that raises it is loaded."""
    return inspect.cleandoc(_TEXTS[code]) if code in _TEXTS else None


def explained_codes() -> list[str]:
    """The codes of the modules that are loaded, in alphabetical order."""
    return sorted(_TEXTS)


def load_explanations() -> None:
    """Loads every module of dlspec that explains a code."""
    import dlspec

    for module in pkgutil.walk_packages(dlspec.__path__, "dlspec."):
        found = module.module_finder.find_spec(module.name, None)
        if found and found.origin and "\nexplain(" in Path(found.origin).read_text(encoding="utf-8"):
            import_module(module.name)
