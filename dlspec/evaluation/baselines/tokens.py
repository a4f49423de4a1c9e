"""Guesses at the next token of a text from one or two tokens before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.token_models import FittedTokens


@BASELINES.register
class Pairs(Baseline):
    """How often each token followed the one before it in the training part, mixed with how often it stands there at
    all; the weights are fitted to the last tenth of the training windows (Jelinek and Mercer, 1980)."""

    tasks = frozenset({"next_token"})
    in_words = "what mostly follows the token before"
    examples: ClassVar = ["pairs"]

    def fit(self, data: Prepared) -> FittedTokens:
        return fitted_tokens(data, 2)


@BASELINES.register
class Triples(Baseline):
    """How often each token followed the two before it in the training part, mixed with what followed one of them and
    with how often it stands there at all, as `pairs` does."""

    tasks = frozenset({"next_token"})
    in_words = "what mostly follows the two tokens before"
    examples: ClassVar = ["triples"]

    def fit(self, data: Prepared) -> FittedTokens:
        return fitted_tokens(data, 3)


def fitted_tokens(data: Prepared, order: int) -> FittedTokens:
    """A model of so many tokens in a row."""
    from dlspec.evaluation.token_models import FittedTokens

    return FittedTokens.fit(data.train, len(data.signature.target.classes), order)
