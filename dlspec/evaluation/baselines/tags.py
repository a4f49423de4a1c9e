"""Guesses at the tags of words that do not look at the words beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.word_tags import FittedWordTags


@BASELINES.register
class WordMajority(Baseline):
    """The tag that each word has most often in the training part; of a word that is not in the vocabulary, the most
    frequent tag of all. Its probabilities are the shares of the tags of the word, those of all words counting as one
    more."""

    tasks = frozenset({"tagged_words"})
    in_words = "of each word always the tag that it mostly has"
    examples: ClassVar = ["word_majority"]

    def fit(self, data: Prepared) -> FittedWordTags:
        from dlspec.evaluation.word_tags import FittedWordTags

        return FittedWordTags.of(data.train, len(data.signature.target.classes))
