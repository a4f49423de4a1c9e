"""What was written of a text so far, as the network that writes it sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlspec.data.datasets import Column
from dlspec.data.features.base import Feature, Fitted, Missing
from dlspec.data.features.scaling import Scale
from dlspec.data.features.text import PADDING, UNKNOWN, Items, sequence_layer, split_tokens

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

UNKNOWN_CLASS, END = 0, 1
"""The classes of every item that is not known, and of the end of a text."""
START = END + 1
"""The number that the network sees before the first item. The number of an item is its class and one more, and the end
is never seen, so that its number is free."""
FIRST = START + 1
"""The number of the most frequent item."""


class Shifted(Feature):
    """The items of a text, moved one place on, behind a start symbol; no type that a spec names.

    The column is the target: in training each place sees what is truly before it.
    """

    takes = ("text",)
    raw = "text"

    items: tuple[str, ...]
    unit: Items
    places: int
    called: str

    def token_count(self, column: Column) -> int | None:
        return FIRST + len(self.items)

    def width(self, column: Column) -> int:
        return self.places

    def inside(self, scale: Scale) -> bool:
        return False

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> FittedShifted:
        return FittedShifted(name, self.items, self.places, self.unit, self.called)


@dataclass(frozen=True)
class FittedShifted(Fitted):
    """A start symbol, then the numbers of the items in their order.

    Args:
        vocabulary: the items, the most frequent first.
        places: how many numbers there are.
        unit: what a text is cut into.
        called: what the input of the saved model is called.
    """

    vocabulary: tuple[str, ...]
    places: int
    unit: Items
    called: str

    raw = "text"

    @property
    def width(self) -> int:
        return self.places

    def encode(self, values: Array) -> Array:
        import numpy as np

        numbers = {item.encode(): number for number, item in enumerate(self.vocabulary, start=FIRST)}
        found = np.full((len(values), self.places), PADDING, "float32")
        found[:, 0] = START
        for row, value in enumerate(values):
            seen = split_tokens(value, self.unit)[: self.places - 1]
            found[row, 1 : 1 + len(seen)] = [numbers.get(item, UNKNOWN) for item in seen]
        return found

    def connect(self, raw: Any) -> Any:
        from keras import ops

        numbers = sequence_layer(self.vocabulary, self.places - 1, self.unit)(raw)
        moved = ops.where(ops.greater_equal(numbers, START), numbers + 1, numbers)  # the start has a number of its own
        first = ops.zeros_like(numbers[:, :1]) + START
        return ops.cast(ops.concatenate([first, moved], axis=1), "float32")


def classes_of_texts(
    texts: Sequence[str] | Array, items: Sequence[str], unit: Items, places: int, nowhere: int = -1
) -> Array:
    """The class of each item of texts and of their end, (texts, places) int32.

    A text with more items than are written has no end, and an unknown item at the last place, so that nothing that is
    written is equal to it.

    Args:
        items: those that are known, the class of the first being `END + 1`.
        nowhere: what stands behind the end.
    """
    import numpy as np

    known = {item.encode(): number for number, item in enumerate(items, start=END + 1)}
    found = np.full((len(texts), places), nowhere, "int32")
    for row, text in enumerate(texts):
        classes = [known.get(item, UNKNOWN_CLASS) for item in split_tokens(text, unit)]
        classes = [*classes, END] if len(classes) < places else [*classes[: places - 1], UNKNOWN_CLASS]
        found[row, : len(classes)] = classes
    return found
