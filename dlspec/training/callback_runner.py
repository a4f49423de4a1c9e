"""What a spec wants done while the whole network is trained, and what training does with its best epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import TrainingError
from dlspec.training.callbacks.base import Callback


class Callbacks:
    """The callbacks of a spec, called as Keras's `fit` calls them; `call` is Keras's list of them."""

    def __init__(self, kinds: Sequence[Callback], model: Any, folder: Path, epochs: int, steps: int) -> None:
        import keras

        self.kinds = kinds
        self.built = [kind.build_in(folder) for kind in kinds]
        self.call = keras.callbacks.CallbackList(self.built, model=model, epochs=epochs, steps=steps, verbose=0)

    def __enter__(self) -> Callbacks:
        self.call.on_train_begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.call.on_train_end()

    def state(self) -> list[dict[str, Any]]:
        """The numbers that each of them counts."""
        return [
            {name: getattr(built, name) for name in kind.state}
            for kind, built in zip(self.kinds, self.built, strict=True)
        ]

    def restore(self, states: list[dict[str, Any]]) -> None:
        for built, state in zip(self.built, states, strict=False):
            for name, value in state.items():
                setattr(built, name, value)

    def before_end(self) -> None:
        for kind, built in zip(self.kinds, self.built, strict=True):
            kind.before_end(built)

    def end_at_nan(self, epoch: int, loss: float, error: Callable[[], TrainingError]) -> str:
        """Why training ends, when a callback wants it to; else raises the error."""
        if not any(kind.ends_at_nan() for kind in self.kinds):
            raise error()
        return f"stopped: the loss became {loss} in epoch {epoch}"
