"""Small kinds that layers and training name: activations, initializers, regularizers, optimizers, losses."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from dlspec.fields import (
    Flag,
    Fraction,
    NonNegativeNumber,
    Number,
    PositiveNumber,
    Primary,
    Rate,
    Text,
    did_you_mean,
    mistake,
    one_of,
)
from dlspec.registry import Kind, OneOf, Registry

ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparsemax", "squareplus", "tanh",
    "tanh_shrink",
)  # fmt: skip
"""Keras's activations that work on each value, or on the last axis, without arguments (not `glu`, `threshold`)."""

UNIT_INTERVAL = frozenset({"hard_sigmoid", "sigmoid", "softmax", "sparsemax"})
"""Activations whose values lie in [0, 1]."""


def _known_activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise mistake(
            "unknown-activation",
            f"there is no activation `{name}`",
            help=did_you_mean(name, ACTIVATIONS, otherwise="common ones are `relu`, `tanh`, `sigmoid`, `softmax`"),
        )
    return name


ActivationName = Annotated[Text, AfterValidator(_known_activation)]


class Part(Kind):
    """A kind that becomes an object of one of Keras's modules, of the same name."""

    module: ClassVar[str]
    keras_name: ClassVar[str | None] = None

    def build(self) -> Any:
        import keras

        cls = getattr(getattr(keras, self.module), self.keras_name or type(self).__name__)
        return cls(**self.arguments())


class Initializer(Part):
    """How weights start."""

    module = "initializers"


INITIALIZERS: Registry[Initializer] = Registry("initializer", __name__)
AnyInitializer = Annotated[Initializer, OneOf(INITIALIZERS)]


def _of_a_vector(initializer: Initializer) -> Initializer:
    if isinstance(initializer, Orthogonal):
        raise mistake("wrong-value", "`orthogonal` makes a matrix, and a bias is a vector", help="write `zeros`")
    return initializer


BiasInitializer = Annotated[AnyInitializer, AfterValidator(_of_a_vector)]


@INITIALIZERS.register
class GlorotUniform(Initializer):
    """Uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010)."""

    examples: ClassVar = ["glorot_uniform"]


@INITIALIZERS.register
class GlorotNormal(Initializer):
    """Normal with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)."""

    examples: ClassVar = ["glorot_normal"]


@INITIALIZERS.register
class HeUniform(Initializer):
    """Uniform within sqrt(6 / inputs), for ReLU (He et al., 2015)."""

    examples: ClassVar = ["he_uniform"]


@INITIALIZERS.register
class HeNormal(Initializer):
    """Normal with variance 2 / inputs, for ReLU (He et al., 2015)."""

    examples: ClassVar = ["he_normal"]


@INITIALIZERS.register
class LecunNormal(Initializer):
    """Normal with variance 1 / inputs, for SELU (LeCun et al., 1998)."""

    examples: ClassVar = ["lecun_normal"]


@INITIALIZERS.register
class Orthogonal(Initializer):
    """A random orthogonal matrix times `gain` (Saxe et al., 2014)."""

    gain: Number = Primary(1.0, description="what the matrix is multiplied by")
    examples: ClassVar = ["orthogonal", {"orthogonal": 1.4}]


@INITIALIZERS.register
class RandomNormal(Initializer):
    """Normal."""

    mean: Number = 0.0
    stddev: PositiveNumber = Primary(0.05, description="standard deviation")
    examples: ClassVar = [{"random_normal": 0.01}]


@INITIALIZERS.register
class RandomUniform(Initializer):
    """Uniform between `minval` and `maxval`."""

    minval: Number = -0.05
    maxval: Number = 0.05
    examples: ClassVar = [{"random_uniform": {"minval": -0.1, "maxval": 0.1}}]


@INITIALIZERS.register
class Zeros(Initializer):
    """Zero everywhere."""

    examples: ClassVar = ["zeros"]


@INITIALIZERS.register
class Ones(Initializer):
    """One everywhere."""

    examples: ClassVar = ["ones"]


class Regularizer(Part):
    """A penalty on weights, added to the loss."""

    module = "regularizers"


REGULARIZERS: Registry[Regularizer] = Registry("regularizer", __name__)
AnyRegularizer = Annotated[Regularizer, OneOf(REGULARIZERS)]


@REGULARIZERS.register
class L1(Regularizer):
    """`l1` times the sum of absolute values."""

    l1: NonNegativeNumber = Primary(0.01, description="strength of the penalty")
    examples: ClassVar = [{"l1": 1e-4}]


@REGULARIZERS.register
class L2(Regularizer):
    """`l2` times the sum of squares."""

    l2: NonNegativeNumber = Primary(0.01, description="strength of the penalty")
    examples: ClassVar = [{"l2": 1e-4}]


@REGULARIZERS.register
class L1L2(Regularizer):
    """Both penalties (elastic net)."""

    l1: NonNegativeNumber = 0.0
    l2: NonNegativeNumber = 0.0
    examples: ClassVar = [{"l1l2": {"l1": 1e-5, "l2": 1e-4}}]


class Optimizer(Part):
    """How weights follow the gradient."""

    module = "optimizers"

    learning_rate: PositiveNumber = Primary(1e-3, description="size of a step")
    weight_decay: NonNegativeNumber | None = None
    clipnorm: PositiveNumber | None = None
    clipvalue: PositiveNumber | None = None
    global_clipnorm: PositiveNumber | None = None

    def model_post_init(self, context: object) -> None:
        clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, name) is not None]
        if len(clips) > 1:
            raise mistake("wrong-value", f"{one_of(clips)} exclude each other", help=f"keep `{clips[0]}`")

    @classmethod
    def name_in_yaml(cls) -> str:
        return cls.__name__.lower()  # as Keras names them: `adamw`, `rmsprop`


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", __name__)
AnyOptimizer = Annotated[Optimizer, OneOf(OPTIMIZERS)]


@OPTIMIZERS.register
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where asked (Polyak, 1964; Nesterov, 1983)."""

    learning_rate: PositiveNumber = Primary(0.01, description="size of a step")
    momentum: Rate = 0.0
    nesterov: Flag = False
    examples: ClassVar = ["sgd", {"sgd": 0.1}, {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}]


@OPTIMIZERS.register
class Adam(Optimizer):
    """Steps scaled by running moments of the gradient (Kingma and Ba, 2015)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    amsgrad: Flag = False
    examples: ClassVar = ["adam", {"adam": {"learning_rate": 1e-3}}]


@OPTIMIZERS.register
class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    weight_decay: NonNegativeNumber = 0.004
    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    amsgrad: Flag = False
    examples: ClassVar = [{"adamw": 1e-3}]


@OPTIMIZERS.register
class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat, 2016)."""

    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = ["nadam"]


@OPTIMIZERS.register
class RMSprop(Optimizer):
    """Steps scaled by the root of the mean squared gradient (Hinton, 2012)."""

    rho: Fraction = 0.9
    momentum: Rate = 0.0
    epsilon: PositiveNumber = 1e-7
    centered: Flag = False
    examples: ClassVar = ["rmsprop"]


@OPTIMIZERS.register
class Adagrad(Optimizer):
    """Steps scaled by the sum of squared gradients (Duchi et al., 2011)."""

    initial_accumulator_value: NonNegativeNumber = 0.1
    epsilon: PositiveNumber = 1e-7
    examples: ClassVar = [{"adagrad": 0.01}]


class Loss(Part):
    """What training makes small."""

    module = "losses"
    of: ClassVar[str]
    """`number`, `class` (several) or `binary` (two classes, one output unit)."""


LOSSES: Registry[Loss] = Registry("loss", __name__)
AnyLoss = Annotated[Loss, OneOf(LOSSES)]


@LOSSES.register
class MSE(Loss):
    """Mean squared error."""

    of = "number"
    keras_name = "MeanSquaredError"
    examples: ClassVar = ["mse"]


@LOSSES.register
class MAE(Loss):
    """Mean absolute error."""

    of = "number"
    keras_name = "MeanAbsoluteError"
    examples: ClassVar = ["mae"]


@LOSSES.register
class Huber(Loss):
    """Squared near zero, absolute beyond `delta` (Huber, 1964)."""

    of = "number"
    delta: PositiveNumber = Primary(1.0, description="where it turns from squared to absolute")
    examples: ClassVar = ["huber", {"huber": 0.5}]


@LOSSES.register
class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine of the error."""

    of = "number"
    examples: ClassVar = ["log_cosh"]


@LOSSES.register
class BinaryCrossentropy(Loss):
    """Cross-entropy of two classes, for one sigmoid unit."""

    of = "binary"
    label_smoothing: Rate = 0.0
    examples: ClassVar = ["binary_crossentropy"]


@LOSSES.register
class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of several classes, for a softmax output."""

    of = "class"
    examples: ClassVar = ["sparse_categorical_crossentropy"]
