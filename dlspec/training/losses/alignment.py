"""The loss of texts that are read off the timesteps of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.training.losses.base import LOSSES, Loss

if TYPE_CHECKING:
    import numpy as np


@LOSSES.register
class CTC(Loss):
    """Connectionist temporal classification (Graves et al., 2006): minus the logarithm of the probability of a text,
    which is the sum over all ways to say its items in their order at some of the timesteps, an item for as many
    timesteps as it takes and the blank at all others. The target is `{sequence: …}` without `feed_back`, and the
    network gives logits, (batch, timesteps, items + 1), of which the first is that of the blank.

    A timestep that is masked says the blank, so that padding counts for nothing.
    """

    of = ()
    aligns = True
    also: ClassVar = ("ctc_loss", "connectionist_temporal_classification")
    examples: ClassVar = ["ctc"]

    @classmethod
    def keras_class(cls) -> Any:
        from dlspec.training import ctc_loss

        return ctc_loss.CTC

    def encode(self, targets: np.ndarray, units: int) -> np.ndarray:
        """Texts as Keras compares them: the class of each item, from 1 on, and 0 behind the last.

        Items that are not told apart, which texts of the training part do not have, are left out.

        Args:
            targets: classes of items and of the end, (texts, places); see `classes_of_texts`.
        """
        import numpy as np

        from dlspec.data.features.shifted import END

        items = targets > END
        order = np.argsort(~items, axis=1, kind="stable")
        return np.take_along_axis(np.where(items, targets - END, 0), order, axis=1).astype("int32")
