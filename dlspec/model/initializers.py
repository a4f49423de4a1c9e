"""How weights start."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from dlspec.language.fields import (
    Flag,
    NonNegativeInt,
    Number,
    OneOrMore,
    PositiveNumber,
    Primary,
    Text,
    Whole,
    mistake,
)
from dlspec.language.left_out import left_out
from dlspec.language.registry import OneOf, Registry
from dlspec.language.words import did_you_mean
from dlspec.model.keras_kind import KerasKind


class Initializer(KerasKind):
    """How weights start."""

    module = "initializers"
    axes: ClassVar[tuple[int, int | None]] = (0, None)
    """The least and the largest number of axes of the weights that it can fill."""


INITIALIZERS: Registry[Initializer] = Registry("initializer", __name__, left_out=left_out("initializers"))
AnyInitializer = Annotated[Initializer, OneOf(INITIALIZERS)]


def _of_a_vector(initializer: Initializer) -> Initializer:
    if initializer.axes[0] > 1:
        raise mistake(
            "wrong-value",
            f"`{initializer.type_name}` makes a {'matrix' if initializer.axes[0] == 2 else 'kernel of a convolution'}, "
            "and a bias is a vector",
            help="write `zeros`",
        )
    return initializer


BiasInitializer = Annotated[AnyInitializer, AfterValidator(_of_a_vector)]

Axes = Annotated[list[Whole], OneOrMore, Field(min_length=1)]


class Random(Initializer):
    """An initializer that draws; without `seed` it follows the seed of the spec."""

    seed: NonNegativeInt | None = None


class FanScaled(Random):
    """Its spread follows from the number of inputs and outputs of a unit.

    `input_axes` and `output_axes`, together, say which axes of the weights count as inputs and outputs; without
    them the last two do, times the size of a convolution's kernel.
    """

    input_axes: Axes | None = None
    output_axes: Axes | None = None


@INITIALIZERS.register
class GlorotUniform(FanScaled):
    """Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010)."""

    also: ClassVar = ("xavier_uniform",)
    examples: ClassVar = ["glorot_uniform", {"glorot_uniform": {"seed": 3}}]


@INITIALIZERS.register
class GlorotNormal(FanScaled):
    """Normal with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)."""

    also: ClassVar = ("xavier_normal",)
    examples: ClassVar = ["glorot_normal", {"glorot_normal": {"input_axes": 0, "output_axes": [1]}}]


@INITIALIZERS.register
class HeUniform(FanScaled):
    """Uniform within sqrt(6 / inputs), for ReLU (He et al., 2015)."""

    also: ClassVar = ("kaiming_uniform",)
    examples: ClassVar = ["he_uniform"]


@INITIALIZERS.register
class HeNormal(FanScaled):
    """Normal with variance 2 / inputs, for ReLU (He et al., 2015)."""

    also: ClassVar = ("kaiming_normal",)
    examples: ClassVar = ["he_normal"]


@INITIALIZERS.register
class LecunNormal(FanScaled):
    """Normal with variance 1 / inputs, for SELU (LeCun et al., 1998; Klambauer et al., 2017)."""

    examples: ClassVar = ["lecun_normal"]


@INITIALIZERS.register
class LecunUniform(FanScaled):
    """Uniform within sqrt(3 / inputs) (LeCun et al., 1998)."""

    examples: ClassVar = ["lecun_uniform"]


@INITIALIZERS.register
class VarianceScaling(FanScaled):
    """Random with variance `scale` / n, where n is the inputs, the outputs, or their mean (He et al., 2015)."""

    scale: PositiveNumber = Primary(1.0, description="what the variance is multiplied by")
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"
    examples: ClassVar = [{"variance_scaling": 2.0}, {"variance_scaling": {"mode": "fan_avg"}}]


@INITIALIZERS.register
class Orthogonal(Random):
    """A random orthogonal matrix times `gain` (Saxe et al., 2014)."""

    axes = (2, None)
    gain: Number = Primary(1.0, description="what the matrix is multiplied by")
    examples: ClassVar = ["orthogonal", {"orthogonal": 1.4}]


@INITIALIZERS.register
class Identity(Initializer):
    """The identity matrix times `gain`."""

    axes = (2, 2)
    gain: Number = Primary(1.0, description="what the matrix is multiplied by")
    examples: ClassVar = ["identity", {"identity": 0.5}]


@INITIALIZERS.register
class RandomNormal(Random):
    """Normal with `mean` and standard deviation `stddev`."""

    mean: Number = 0.0
    stddev: PositiveNumber = Primary(0.05, description="standard deviation")
    examples: ClassVar = [{"random_normal": 0.01}]


@INITIALIZERS.register
class TruncatedNormal(Random):
    """Normal, what lies more than two standard deviations from the mean drawn again."""

    mean: Number = 0.0
    stddev: PositiveNumber = Primary(0.05, description="standard deviation")
    examples: ClassVar = [{"truncated_normal": 0.02}]


@INITIALIZERS.register
class RandomUniform(Random):
    """Uniform between `minval` and `maxval`."""

    minval: Number = -0.05
    maxval: Number = 0.05
    examples: ClassVar = [{"random_uniform": {"minval": -0.1, "maxval": 0.1}}]

    def model_post_init(self, context: object) -> None:
        if self.minval > self.maxval:
            raise mistake(
                "wrong-value",
                f"`minval` {self.minval:g} lies above `maxval` {self.maxval:g}",
                help=f"write `{{minval: {self.maxval:g}, maxval: {self.minval:g}}}`",
            )


@INITIALIZERS.register
class Constant(Initializer):
    """The same `value` everywhere."""

    value: Number = Primary(0.0, description="what every weight starts as")
    examples: ClassVar = [{"constant": 0.1}]


@INITIALIZERS.register
class Zeros(Initializer):
    """Zero everywhere."""

    examples: ClassVar = ["zeros"]


@INITIALIZERS.register
class Ones(Initializer):
    """One everywhere."""

    examples: ClassVar = ["ones"]


WINDOWS = (
    "barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "cosine", "exponential", "flattop",
    "hamming", "hann", "lanczos", "nuttall", "parzen", "triang", "tukey",
)  # fmt: skip
"""Windows of `scipy.signal` that take no arguments."""


def _known_window(window: str) -> str:
    if window not in WINDOWS and window != "none":
        raise mistake(
            "unknown-value",
            f"there is no window `{window}`",
            help=did_you_mean(window, WINDOWS, otherwise="try `hann`"),
        )
    return window


@INITIALIZERS.register
class STFT(Initializer):
    """Cosines or sines under a window: as the kernel of a convolution over one channel, a Fourier transform of
    short pieces."""

    axes = (3, 3)
    side: Literal["real", "imag"] = "real"
    window: Annotated[Text, AfterValidator(_known_window)] = "hann"
    scaling: Literal["density", "spectrum", "none"] = "density"
    periodic: Flag = False
    examples: ClassVar = ["stft", {"stft": {"side": "imag", "window": "hamming"}}]

    def arguments(self) -> dict[str, Any]:
        return {key: None if value == "none" else value for key, value in super().arguments().items()}
