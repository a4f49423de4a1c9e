"""A layer learns to give back clean input from spoiled input."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar

from dlspec.language.fields import Deviation, Primary, Rate
from dlspec.language.registry import Kind, OneOf, Registry
from dlspec.pretraining.autoencoder import Tying
from dlspec.pretraining.base import PRETRAINING


class Corruption(Kind):
    """How the input is spoiled while training."""

    @abstractmethod
    def build(self) -> Any:
        """A Keras layer that spoils its input while training and passes it on otherwise."""


CORRUPTIONS: Registry[Corruption] = Registry("corruption", __name__, usual="masking")


@CORRUPTIONS.register
class Masking(Corruption):
    """Sets a fraction of the values to zero (Vincent et al., 2008)."""

    rate: Rate = Primary(description="fraction of values set to zero")
    examples: ClassVar = [{"masking": 0.25}]

    def build(self) -> Any:
        from dlspec.pretraining._reconstruction import MaskingNoise

        return MaskingNoise(self.rate)


@CORRUPTIONS.register
class Gaussian(Corruption):
    """Adds normal noise (Vincent et al., 2010)."""

    stddev: Deviation = Primary(description="standard deviation of the noise")
    examples: ClassVar = [{"gaussian": 0.1}]

    def build(self) -> Any:
        import keras

        return keras.layers.GaussianNoise(self.stddev)


@CORRUPTIONS.register
class SaltAndPepper(Corruption):
    """Sets a fraction of the values to the lowest or the highest, by the toss of a coin (Vincent et al., 2010)."""

    rate: Rate = Primary(description="fraction of values replaced")
    examples: ClassVar = [{"salt_and_pepper": 0.1}]

    def build(self) -> Any:
        from dlspec.pretraining._reconstruction import SaltAndPepperNoise

        return SaltAndPepperNoise(self.rate)


@PRETRAINING.register
class DenoisingAutoencoder(Tying):
    """An autoencoder that is given spoiled input and reconstructs the clean one (Vincent et al., 2008, 2010).

    Code h = s(W x' + b) of the spoiled x', reconstruction z as in `autoencoder`, and the error is between z and x.
    """

    examples: ClassVar = [{"method": "denoising_autoencoder", "corruption": {"masking": 0.25}}]

    corruption: Annotated[Corruption, OneOf(CORRUPTIONS)] = Masking(rate=0.25)

    def corruption_layer(self) -> Any:
        return self.corruption.build()
