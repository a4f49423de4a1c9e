"""Words at prediction that training did not have: which word each is a spelling of, and how many are none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.runs.records.data import FeatureRecord

if TYPE_CHECKING:
    import numpy as np

SHOWN = 5
"""Words that are named."""
WHOLE = re.compile(r"-?(0|[1-9]\d*)")


@dataclass
class Seen:
    """The words of a column so far.

    Args:
        given: how many there were.
        unknown: word that nobody knows -> how often it stood there.
    """

    given: int = 0
    unknown: dict[str, int] = field(default_factory=dict)

    @property
    def times(self) -> int:
        return sum(self.unknown.values())


class WordsSeen:
    """Counts, over all rows that are predicted from, words that the network cannot know."""

    def __init__(self) -> None:
        self.columns: dict[str, Seen] = {}

    def spelt(self, feature: FeatureRecord, words: np.ndarray) -> np.ndarray:
        """The words of a column as the training part has them: of whole numbers `01` is `1`."""
        import numpy as np

        if feature.known is None:
            return words
        known, seen = set(feature.known), self.columns.setdefault(feature.name, Seen())
        whole = all(map(WHOLE.fullmatch, known))
        found = words.copy()
        for place, word in enumerate(words):
            if not word:
                continue
            seen.given += 1
            if word in known:
                continue
            other = re.sub(r"^(-?)0+(?=\d)", r"\1", word) if whole else word
            if other in known:
                found[place] = other
            else:
                seen.unknown[word] = seen.unknown.get(word, 0) + 1
        return np.asarray(found)

    def notes(self) -> list[str]:
        """What is not known of each column, in a sentence.

        Raises:
            DataError: of a column nothing is known, so that it was misread, or has another meaning.
        """
        found = []
        for name, seen in self.columns.items():
            if not seen.unknown:
                continue
            shown = one_of(sorted(seen.unknown, key=lambda word: -seen.unknown[word])[:SHOWN])
            if seen.times == seen.given > 1:
                message = f"the training data have none of the words of `{name}`: {shown}"
                raise DataError.of("unknown-words", message, help="write them as in the training data")
            found.append(
                f"{seen.times:,} of {seen.given:,} words in `{name}` were not in the training data and count as none: "
                f"{shown}"
            )
        return found
