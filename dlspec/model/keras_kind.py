"""Base of the kinds that become an object of Keras: initializers, losses, optimizers, callbacks and so on."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, ClassVar

from dlspec.language.left_out import why_no_argument
from dlspec.language.registry import Kind


class KerasKind(Kind):
    """A kind that becomes an object of one of Keras's modules, of the same name."""

    module: ClassVar[str]
    keras_name: ClassVar[str | None] = None

    @classmethod
    def why_no_argument(cls, key: str) -> str | None:
        return why_no_argument(cls.module, (cls.keras_name or cls.__name__,), key)

    @classmethod
    def keras_class(cls) -> Any:
        """The class that it becomes."""
        import keras

        return attrgetter(f"{cls.module}.{cls.keras_name or cls.__name__}")(keras)

    def build(self) -> Any:
        return self.keras_class()(**self.arguments())
