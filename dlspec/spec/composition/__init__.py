"""Document -> Document: what a spec `extends`, what the command line overrides, `variables`, `blocks` and embeddings.

`compose` does them in this order, so that a variable or a block of a base spec can be overridden. What comes out is
a spec without any of them, every value still knowing the line that it was written on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dlspec.language.yaml import Document
from dlspec.spec.composition.addresses import call_by_name
from dlspec.spec.composition.blocks import expand_blocks
from dlspec.spec.composition.embeddings import expand_embeddings
from dlspec.spec.composition.extends import extend
from dlspec.spec.composition.overrides import apply_overrides
from dlspec.spec.composition.variables import fill_in_variables, read_variables

__all__ = ["compose"]


def compose(document: Document, overrides: Mapping[str, Any] | None = None) -> Document:
    """The spec written out, mistakes added to its problems.

    Args:
        overrides: dotted path -> value: `{"train.epochs": 5}`.
    """
    of_copies: dict[str, Any] = {}
    document = apply_overrides(extend(document), overrides or {}, later=of_copies)
    document.overrides = dict(overrides or {})
    values = document.root.value
    if isinstance(values, dict) and ({"variables", "blocks"} & {*values} or _has_more_to_write_out(document)):
        scope = read_variables(document)
        expand_blocks(document, scope)
        call_by_name(document)
        apply_overrides(document, of_copies, written_out=True)
        fill_in_variables(document, scope)
    else:
        apply_overrides(document, of_copies)
    expand_embeddings(document)
    return document


def _has_more_to_write_out(document: Document) -> bool:
    """Whether values are named, layers are repeated with each of some values, or copies are taken together."""
    return any(re.search(r"\$|\beach\b|\ball\b", text) for text in document.texts.values())
