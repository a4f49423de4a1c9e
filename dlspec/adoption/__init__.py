"""The way back: a Keras model as the spec that builds it."""

from dlspec.adoption.adopting import Adopted, adopt

__all__ = ["Adopted", "adopt"]
