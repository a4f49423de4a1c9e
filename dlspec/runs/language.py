"""What a saved model of texts is asked: how probable a text is, and what comes next. All answers are its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.features.text import Unit, split_tokens
from dlspec.data.language import Tokens, joined
from dlspec.data.preparation import class_shares
from dlspec.evaluation.writing import drawn
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.records.data import DataRecord
from dlspec.training.values import predict

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
AT_ONCE = 256
"""Windows whose probabilities are in memory together."""
SHOWN = 10
"""Unknown tokens that a message names."""


@dataclass(frozen=True)
class Writer:
    """A trained model of texts.

    Args:
        data: what it was trained on.
        model: takes windows of text, and gives the probabilities of each next token.
    """

    data: DataRecord
    model: Any

    @property
    def unit(self) -> Unit:
        assert self.data.target.tokens is not None, "it is a model of texts"
        return self.data.target.tokens

    @property
    def length(self) -> int:
        """How many tokens it looks back."""
        return self.data.target.places[0]

    @property
    def tokens(self) -> Sequence[str]:
        """What it puts out: first the one that stands for all unknown ones."""
        return self.data.target.classes

    def split(self, text: str) -> Tokens:
        """The tokens of a text."""
        return split_tokens(text, self.unit)

    def unknown(self, tokens: Tokens) -> dict[str, int]:
        """Tokens that the vocabulary does not have -> how often."""
        known = {token.encode() for token in self.tokens[1:]}
        found: dict[str, int] = {}
        for token in tokens:
            if token not in known:
                word = token.decode()
                found[word] = found.get(word, 0) + 1
        return found

    def probabilities(self, windows: Sequence[Tokens]) -> Array:
        """Of the next token behind each place of windows of text, (windows, length, tokens)."""
        texts = np.empty((len(windows), 1), object)
        texts[:, 0] = [joined([token.decode() for token in window], self.unit) for window in windows]
        (name,) = self.data.features
        return class_shares(predict(self.model, {str(name.input): texts}))

    def of_next(self, before: Tokens) -> Array:
        """The probability of each token after these, (tokens,)."""
        seen = before[-self.length :]
        return np.asarray(self.probabilities([seen])[0, len(seen) - 1], "float64")

    def log_probabilities(self, tokens: Tokens) -> Array:
        """Of each token of a text but the first, behind those of its window, (tokens - 1,)."""
        places = {token.encode(): place for place, token in enumerate(self.tokens)}
        starts = range(0, max(0, len(tokens) - 1), self.length)
        found = []
        for first in range(0, len(starts), AT_ONCE):
            some = starts[first : first + AT_ONCE]
            shares = self.probabilities([tokens[start : start + self.length] for start in some])
            for start, own in zip(some, shares, strict=True):
                ahead = tokens[start + 1 : start + 1 + self.length]
                truth = [places.get(token, 0) for token in ahead]
                found.append(np.log(np.clip(own[np.arange(len(truth)), truth].astype("float64"), 1e-12, 1)))
        return np.concatenate(found) if found else np.empty(0)

    def judged(self, texts: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Of each text how many tokens are predicted, how many are unknown, their log probability and perplexity; none
        of a text with fewer than two tokens."""
        for text in texts:
            tokens = self.split(text)
            found = self.log_probabilities(tokens)
            yield {
                "tokens": len(found),
                "unknown": sum(self.unknown(tokens).values()),
                "log_probability": float(found.sum()) if len(found) else np.nan,
                "perplexity": float(np.exp(-found.mean())) if len(found) else np.nan,
            }

    def write(self, prompt: str, length: int, temperature: float, seed: int | None) -> Iterator[str]:
        """Goes on with a text, token by token, as pieces of text that stand behind the prompt.

        Args:
            length: how many tokens are written.
            temperature: by which the logarithms of probabilities are divided before a token is drawn; 0: the most
                probable one.
            seed: None: another text each time.

        Raises:
            DataError: the prompt has no token.
        """
        tokens = self.split(prompt)
        if not tokens:
            message = f"the prompt has no {self.unit.removesuffix('s')}, and there is nothing to go on with"
            raise DataError.of("empty-prompt", message, help='write how the text begins, such as "once upon"')
        return self._written(tokens, length, temperature, np.random.default_rng(seed))

    def _written(self, tokens: Tokens, length: int, temperature: float, random: np.random.Generator) -> Iterator[str]:
        before = list(tokens[-self.length :])
        for _ in range(length):
            place = drawn(self.of_next(before), temperature, random)
            token = self.tokens[place]
            before = [*before, token.encode()][-self.length :]
            yield token if self.unit == "characters" else f" {token}"


def unknown_in_words(found: Mapping[str, int], unit: Unit) -> str:
    """What is said of tokens of a prompt that are not known."""
    shown = ", ".join(f"`{token}`" for token in list(found)[:SHOWN])
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return f"the training text has no {unit} {shown}{more}: the network takes them for unknown ones"


def writer_of(data: DataRecord, model: Any) -> Writer:
    """What asks a model.

    Raises:
        DataError: it was not trained on the next token of texts.
    """
    if data.target.tokens is None:
        raise DataError.of(
            "no-language-model",
            f"the network predicts `{data.target.name}`, and writes no text",
            help="train one with `target: {text: next}`, as in `specs/tales_gru.yaml`",
        )
    return Writer(data, model)


def window_texts(data: DataRecord, frame: pd.DataFrame) -> Array:
    """Windows of text as the model takes them, (windows, 1)."""
    found = np.empty((len(frame), 1), object)
    found[:, 0] = [str(text) for text in frame[data.raw_columns[0]]]
    return found


def judged_texts(data: DataRecord, model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """What `dlspec predict` says of texts, a row each."""
    import pandas as pd

    name = data.raw_columns[0]
    texts = ["" if text is None or text != text else str(text) for text in frame[name]]
    found = pd.DataFrame(list(writer_of(data, model).judged(texts)), index=frame.index)
    return found.rename(columns={key: f"{name} {key}" for key in found})
