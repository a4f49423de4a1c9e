"""What the small kinds have in common: each becomes an object of Keras.

The kinds that only some specs use are declared here and stand in modules of their own, loaded on the first look-up.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.language.registry import Kind

if TYPE_CHECKING:
    pass


class KerasKind(Kind):
    """A kind that becomes an object of one of Keras's modules, of the same name."""

    module: ClassVar[str]
    keras_name: ClassVar[str | None] = None

    @classmethod
    def keras_class(cls) -> Any:
        """The class that it becomes."""
        import keras

        return attrgetter(f"{cls.module}.{cls.keras_name or cls.__name__}")(keras)

    def build(self) -> Any:
        return self.keras_class()(**self.arguments())
