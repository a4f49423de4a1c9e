"""What may be odd about texts that are written on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dlspec.data.checks.base import Looked, warn
from dlspec.data.preparation.language import counted_tokens, kind_of, unknown_tokens
from dlspec.language.diagnostics import Diagnostic

FEW = 10
"""Windows of the test part by which nothing is judged."""
MANY_UNKNOWN = 0.02
"""The share of tokens of the test part that are not in the vocabulary, from which on it is said before training."""


def test_part_judges_something(looked: Looked) -> Iterator[Diagnostic]:
    """Few windows lie near each other, and tell as much as one."""
    count = len(looked.data.test)
    if count < FEW:
        message = f"the test part has {count} window{'s' * (count != 1)} of text, which judge nothing"
        yield warn("few-windows", message, looked.at_key("split"), "write a smaller `length`, or add text")


def tokens_are_known(looked: Looked) -> Iterator[Diagnostic]:
    """Tokens that the training part does not have cannot be learned."""
    test, kind = looked.data.test, kind_of(looked.data.signature)
    unknown, count = unknown_tokens(test), counted_tokens(test)
    if unknown > MANY_UNKNOWN * count:
        known = len(looked.data.signature.target.classes) - 1
        help = f"write a larger `words` than {kind.words:,}" if known >= kind.words else "train on more text"
        yield warn(
            "unknown-tokens",
            f"{unknown:,} of {count:,} tokens of the test part are none of the {known:,} {kind.tokens} that are told "
            "apart",
            looked.at_key("target"),
            help,
        )


RULES_OF_TEXTS: tuple[Callable[[Looked], Iterator[Diagnostic]], ...] = (test_part_judges_something, tokens_are_known)
