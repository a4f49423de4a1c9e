"""Layers in which every timestep looks at others and takes from them what fits (Bahdanau et al., 2015)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from dlspec.language.fields import Flag, NonNegativeInt, OneOrMore, PositiveInt, Rate, Whole, mistake
from dlspec.language.shapes import Shape, ShapeError, count, known, show_shape
from dlspec.model.constraints import AnyConstraint
from dlspec.model.initializers import AnyInitializer, BiasInitializer, GlorotUniform, Zeros
from dlspec.model.layers.base import LAYERS, Example, LayerSpec
from dlspec.model.layers.masking import mask_of
from dlspec.model.layers.sight import NEVER, Sight, together
from dlspec.model.regularizers import AnyRegularizer


class Roles(NamedTuple):
    """What the inputs are for: the query looks for keys, and gets the values that belong to them."""

    query: Shape
    value: Shape
    key: Shape

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> Roles:
        query = shapes[0]
        value = shapes[1] if len(shapes) > 1 else query
        return cls(query, value, shapes[2] if len(shapes) > 2 else value)


class Attending(LayerSpec):
    """Base of the layers with attention. With one input it attends to itself, else `from: [query, value]`, or
    `[query, value, key]`.

    Input shape:  (batch, timesteps, features); several: query (batch, timesteps, features), value and key
        (batch, places, features)
    Output shape: (batch, timesteps, features)
    """

    passes_mask = True
    heeds_mask = True
    axes = ("timesteps", "features")
    takes = (1, 3)

    @abstractmethod
    def attended_shape(self, roles: Roles) -> Shape:
        """The shape that comes out.

        Raises:
            ShapeError: query, value and key do not fit each other.
        """

    def attended_parameters(self, roles: Roles) -> int:
        """How many numbers it holds."""
        return 0

    @abstractmethod
    def attended_flops(self, roles: Roles) -> int:
        """Floating-point operations of one sample forward."""

    @abstractmethod
    def attended_activations(self, roles: Roles) -> int:
        """Values of one sample that training keeps."""

    def infer(self, *shapes: Shape | None) -> Shape | None:
        sizes = [shape for shape in shapes if shape is not None]
        for shape in sizes:
            self.check_axes(shape)
        if len(sizes) < len(shapes):
            return None
        roles = Roles.of(sizes)
        if roles.value[:-1] != roles.key[:-1]:
            raise ShapeError(
                f"there is a key for each value: value is {show_shape(roles.value)}, key is {show_shape(roles.key)}",
                help="let both have the same timesteps",
            )
        return self.attended_shape(roles)

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.attended_shape(Roles.of([input_shape]))

    def sight(self, seen: Sequence[Sight], shapes: Sequence[Shape]) -> Sight | None:
        alone = getattr(self, "attention_axes", None) is None
        in_order = all(each.axis == 1 and len(shape) == 3 for each, shape in zip(seen, shapes, strict=True))
        if len(seen) > 1 and all(other.ahead == NEVER for other in seen[1:]):  # what all timesteps may look up
            return seen[0] if alone and in_order else None
        causal = getattr(self, "use_causal_mask", False) and alone
        return together(seen) if causal and in_order else None

    def cure_of_sight(self) -> str:
        return "write `use_causal_mask: true`"

    def without_input(self) -> Shape | None:
        return None

    def counts(self, *shapes: Shape) -> tuple[int, int, int]:
        roles = Roles.of(shapes)
        return self.attended_parameters(roles), self.attended_flops(roles), self.attended_activations(roles)

    # of self-attention

    def parameters(self, input_shape: Shape) -> int:
        return self.attended_parameters(Roles.of([input_shape]))

    def flops(self, input_shape: Shape) -> int:
        return self.attended_flops(Roles.of([input_shape]))

    def activations(self, input_shape: Shape) -> int:
        return self.attended_activations(Roles.of([input_shape]))

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        given.pop("use_causal_mask")  # Keras takes it with the inputs
        return given

    def mask(self) -> dict[str, Any]:
        """What the Keras layer is called with beside its inputs."""
        return {"use_causal_mask": True} if getattr(self, "use_causal_mask", False) else {}

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        taken = list(inputs) if len(inputs) > 1 else [inputs[0]] * 2
        masks = zip(("query_mask", "value_mask", "key_mask"), map(mask_of, taken), strict=False)
        # by name, see `called`
        return built(*taken, **self.mask(), **{name: mask for name, mask in masks if mask is not None})


def pairs(roles: Roles) -> int:
    """How many pairs of a timestep of the query and one of the value there are."""
    return (roles.query[1] or 1) * (roles.value[1] or 1)


class Scoring(Attending):
    """Base of the attention without projections: the output is a mean of the values, weighted by scores."""

    def attended_shape(self, roles: Roles) -> Shape:
        if roles.query[-1] != roles.key[-1]:
            raise ShapeError(
                f"`{self.type_name}` compares query {show_shape(roles.query)} with key {show_shape(roles.key)}, "
                "whose features differ",
                help="bring both to the same size with `dense`, or write `multi_head_attention`",
            )
        return (*roles.query[:-1], roles.value[-1])

    @abstractmethod
    def scoring(self, features: int) -> int:
        """Operations that give the score of a pair."""

    def attended_flops(self, roles: Roles) -> int:
        # a score, its softmax, and a multiply-add for each feature of the value
        a_pair = self.scoring(known(roles.query[-1])) + 1 + 2 * (roles.value[-1] or 1)
        return pairs(roles) * a_pair

    def attended_activations(self, roles: Roles) -> int:
        return pairs(roles) + count(self.attended_shape(roles))

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        taken = list(inputs) if len(inputs) > 1 else [inputs[0]] * 2
        masks = [mask_of(x) for x in taken]
        any_masked = any(mask is not None for mask in masks)
        return built(taken, **self.mask(), **({"mask": masks} if any_masked else {}))  # by name, see `called`


@LAYERS.register
class Attention(Scoring):
    """Weights the values by the products of query and keys (Luong et al., 2015).

    One input attends to itself; else `from: [query, value]` or `[query, value, key]`, the key being the value where
    it is left out.

    Input shape:  query (batch, timesteps, features), value (batch, places, values), key (batch, places, features)
    Output shape: (batch, timesteps, values)
    """

    examples: ClassVar = [
        Example("attention", (None, 6, 4)),
        Example({"attention": {"from": ["query", "value"]}}, [(None, 6, 4), (None, 5, 4)]),
        Example({"attention": {"score_mode": "concat", "use_scale": True, "use_causal_mask": True}}, (None, 6, 4)),
    ]

    use_scale: Flag = Field(False, description="learn a factor of the scores")
    score_mode: Literal["dot", "concat"] = Field(
        "dot", description="`dot`: the product of query and key; `concat`: the sum of tanh(query + key)"
    )
    dropout: Rate = Field(0.0, description="fraction of the weights dropped")
    seed: NonNegativeInt | None = None
    use_causal_mask: Flag = Field(False, description="a timestep sees itself and those before it only")

    @property
    def has_weights(self) -> bool:
        return self.use_scale or self.score_mode == "concat"

    def attended_parameters(self, roles: Roles) -> int:
        return self.use_scale + (self.score_mode == "concat")

    def scoring(self, features: int) -> int:
        if self.score_mode == "dot":
            return 2 * features + self.use_scale
        return (3 + self.use_scale) * features + 1  # add, tanh, sum, scale; the weight of the sum

    def attended_activations(self, roles: Roles) -> int:
        inside = pairs(roles) * known(roles.query[-1]) if self.score_mode == "concat" else 0
        return super().attended_activations(roles) + inside


@LAYERS.register
class AdditiveAttention(Scoring):
    """Weights the values by the sum of tanh(query + key) (Bahdanau et al., 2015).

    One input attends to itself; else `from: [query, value]` or `[query, value, key]`, the key being the value where
    it is left out.

    Input shape:  query (batch, timesteps, features), value (batch, places, values), key (batch, places, features)
    Output shape: (batch, timesteps, values)
    """

    weighted = True
    examples: ClassVar = [
        Example("additive_attention", (None, 6, 4)),
        Example({"additive_attention": {"dropout": 0.1, "from": ["a", "b"]}}, [(None, 6, 4), (None, 5, 4)]),
    ]

    use_scale: Flag = Field(True, description="learn a factor of each feature")
    dropout: Rate = Field(0.0, description="fraction of the weights dropped")
    seed: NonNegativeInt | None = None
    use_causal_mask: Flag = Field(False, description="a timestep sees itself and those before it only")

    @property
    def has_weights(self) -> bool:
        return self.use_scale

    def attended_parameters(self, roles: Roles) -> int:
        return known(roles.query[-1]) if self.use_scale else 0

    def scoring(self, features: int) -> int:
        return (3 + self.use_scale) * features  # add, tanh, sum, scale

    def attended_activations(self, roles: Roles) -> int:
        return super().attended_activations(roles) + pairs(roles) * known(roles.query[-1])


class Heads(NamedTuple):
    """What the projections of a layer with several heads give.

    Args:
        queries, keys: how many heads of each there are.
        width: size of each query and key.
        value_width: size of each value.
        output: how many numbers come out at each timestep.
    """

    queries: int
    keys: int
    width: int
    value_width: int
    output: int


class Projecting(Attending):
    """Base of the attention that projects its inputs, several times side by side."""

    weighted = True

    if TYPE_CHECKING:  # the fields of each class stand in Keras's order
        use_bias: bool
        use_gate: bool

    @abstractmethod
    def heads(self, query: Shape) -> Heads:
        """The sizes of the projections."""

    def looks(self, roles: Roles) -> int:
        """How many pairs of a place of the query and one of the value there are."""
        return pairs(roles)

    def _projections(self, roles: Roles) -> list[tuple[int, int, int]]:
        """Inputs and outputs of each matrix, and how often it is applied."""
        heads = self.heads(roles.query)
        at_query, at_value = (count(shape[:-1]) for shape in (roles.query, roles.value))
        features = [known(shape[-1]) for shape in roles]
        mixed = heads.queries * heads.value_width
        matrices = [
            (features[0], heads.queries * heads.width, at_query),
            (features[2], heads.keys * heads.width, at_value),
            (features[1], heads.keys * heads.value_width, at_value),
            (mixed, heads.output, at_query),
        ]
        return [*matrices, (features[0], mixed, at_query)] if self.use_gate else matrices

    def attended_parameters(self, roles: Roles) -> int:
        return sum((inputs + self.use_bias) * outputs for inputs, outputs, _ in self._projections(roles))

    def attended_flops(self, roles: Roles) -> int:
        heads = self.heads(roles.query)
        projections = sum((2 * i + self.use_bias) * outputs * times for i, outputs, times in self._projections(roles))
        at_query = count(roles.query[:-1])
        scaling = at_query * heads.queries * heads.width
        gating = 2 * at_query * heads.queries * heads.value_width if self.use_gate else 0  # sigmoid, product
        # products with the keys, softmax, products with the values
        attention = self.looks(roles) * heads.queries * (2 * heads.width + 1 + 2 * heads.value_width)
        return projections + scaling + attention + gating

    def attended_activations(self, roles: Roles) -> int:
        heads = self.heads(roles.query)
        mixed = count(roles.query[:-1]) * heads.queries * heads.value_width
        return sum(o * times for _, o, times in self._projections(roles)) + self.looks(roles) * heads.queries + mixed


@LAYERS.register
class MultiHeadAttention(Projecting):
    """Attends several times side by side, to learned projections of its inputs (Vaswani et al., 2017).

    One input attends to itself; else `from: [query, value]` or `[query, value, key]`, the key being the value where
    it is left out. Between the batch and the features there may be more than one axis: `attention_axes` says along
    which of them a place looks at others, by default all.

    Input shape:  query (batch, timesteps, features), value and key (batch, places, features of their own)
    Output shape: (batch, timesteps, features of the query), or (batch, timesteps, *output_shape)
    """

    examples: ClassVar = [
        Example({"multi_head_attention": {"num_heads": 2, "key_dim": 4}}, (None, 6, 8)),
        Example(
            {"multi_head_attention": {"num_heads": 2, "key_dim": 4, "use_causal_mask": True, "output_shape": 5}},
            (None, 6, 8),
        ),
        Example(
            {"multi_head_attention": {"num_heads": 2, "key_dim": 4, "value_dim": 3, "from": ["query", "value"]}},
            [(None, 6, 8), (None, 5, 7)],
        ),
    ]

    num_heads: PositiveInt = Field(description="how often it attends, side by side")
    key_dim: PositiveInt = Field(description="size of each query and key; often the features / `num_heads`")
    value_dim: PositiveInt | None = Field(None, description="size of each value, if not `key_dim`")
    dropout: Rate = Field(0.0, description="fraction of the weights dropped")
    use_bias: Flag = True
    output_shape_: Annotated[list[PositiveInt], OneOrMore, Field(min_length=1)] | None = Field(
        None, description="sizes that come out at each timestep, if not the features of the query"
    )
    attention_axes: Annotated[list[Whole], OneOrMore, Field(min_length=1)] | None = Field(
        None, description="the axes along which it attends, counted with the batch as 0"
    )
    sliding_window: PositiveInt | None = Field(None, description="how near another timestep must be, itself being 1")
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    use_gate: Flag = Field(False, description="let the query damp what it got (Qiu et al., 2025)")
    seed: NonNegativeInt | None = None
    use_causal_mask: Flag = Field(False, description="a timestep sees itself and those before it only")

    @classmethod
    def check_axes(cls, input_shape: Shape) -> None:
        if len(input_shape) < 3:
            super().check_axes(input_shape)

    def _attended_axes(self, query: Shape) -> list[int]:
        last = len(query) - 2  # of the axes between batch and features
        if self.attention_axes is None:
            return list(range(1, last + 1))
        axes = [axis + len(query) if axis < 0 else axis for axis in self.attention_axes]
        if any(not 1 <= axis <= last for axis in axes) or len(set(axes)) < len(axes):
            between = "axis 1" if last == 1 else f"axes 1 to {last}"
            raise ShapeError(
                f"`multi_head_attention` may attend along {between} of {show_shape(query)}, and it has "
                f"`attention_axes: {self.attention_axes}`",
                help="remove `attention_axes` to attend along all of them",
            )
        return axes

    def heads(self, query: Shape) -> Heads:
        output = math.prod(self.output_shape_) if self.output_shape_ else known(query[-1])
        return Heads(self.num_heads, self.num_heads, self.key_dim, self.value_dim or self.key_dim, output)

    def looks(self, roles: Roles) -> int:
        along = math.prod(roles.value[axis] or 1 for axis in self._attended_axes(roles.query))
        return count(roles.query[:-1]) * along

    def attended_shape(self, roles: Roles) -> Shape:
        query, value, _ = roles
        axes = self._attended_axes(query)
        if len(query) != len(value):
            raise ShapeError(f"query {show_shape(query)} and value {show_shape(value)} need as many axes")
        apart = [axis for axis in range(1, len(query) - 1) if axis not in axes and query[axis] != value[axis]]
        if apart:
            raise ShapeError(
                f"query {show_shape(query)} and value {show_shape(value)} differ on axis {apart[0]}, along which "
                "nothing attends",
                help=f"add {apart[0]} to `attention_axes`",
            )
        if len(query) > 3 and (self.use_causal_mask or self.sliding_window):  # Keras masks axis 1 alone
            key = "use_causal_mask" if self.use_causal_mask else "sliding_window"
            raise ShapeError(
                f"`{key}` needs (batch, timesteps, features), got {show_shape(query)}",
                help=f"remove `{key}`, or put `reshape` above",
            )
        return (*query[:-1], *self.output_shape_) if self.output_shape_ else query

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        given["output_shape"] = given.pop("output_shape_")
        return given


@LAYERS.register
class GroupQueryAttention(Projecting):
    """Attention with several heads, of which groups share a key and a value (Ainslie et al., 2023).

    One input attends to itself; else `from: [query, value]` or `[query, value, key]`, the key being the value where
    it is left out.

    Input shape:  query (batch, timesteps, features), value (batch, places, features), key (batch, places, any size)
    Output shape: (batch, timesteps, features)
    """

    also: ClassVar = ("grouped_query_attention", "multi_query_attention")
    examples: ClassVar = [
        Example(
            {"group_query_attention": {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2}}, (None, 6, 8)
        ),
        Example(
            {
                "group_query_attention": {
                    "head_dim": 4,
                    "num_query_heads": 4,
                    "num_key_value_heads": 1,
                    "use_bias": False,
                    "use_causal_mask": True,
                }
            },
            (None, 6, 8),
        ),
    ]

    head_dim: PositiveInt = Field(description="size of each query, key and value")
    num_query_heads: PositiveInt = Field(description="how often it attends, side by side")
    num_key_value_heads: PositiveInt = Field(description="how many keys and values there are to share")
    dropout: Rate = Field(0.0, description="fraction of the weights dropped")
    use_bias: Flag = True
    sliding_window: PositiveInt | None = Field(None, description="how near another timestep must be, itself being 1")
    kernel_initializer: AnyInitializer = GlorotUniform()
    bias_initializer: BiasInitializer = Zeros()
    kernel_regularizer: AnyRegularizer | None = None
    bias_regularizer: AnyRegularizer | None = None
    activity_regularizer: AnyRegularizer | None = None
    kernel_constraint: AnyConstraint | None = None
    bias_constraint: AnyConstraint | None = None
    use_gate: Flag = Field(False, description="let the query damp what it got (Qiu et al., 2025)")
    seed: NonNegativeInt | None = None
    use_causal_mask: Flag = Field(False, description="a timestep sees itself and those before it only")

    def model_post_init(self, context: object) -> None:
        if self.num_query_heads % self.num_key_value_heads:
            raise mistake(
                "wrong-value",
                f"`num_key_value_heads: {self.num_key_value_heads}` does not divide `num_query_heads: "
                f"{self.num_query_heads}`",
                help=f"write `num_key_value_heads: {math.gcd(self.num_query_heads, self.num_key_value_heads)}`",
            )

    def heads(self, query: Shape) -> Heads:
        output = known(query[-1])
        return Heads(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim, output)

    def attended_shape(self, roles: Roles) -> Shape:
        if roles.query[-1] != roles.value[-1]:
            raise ShapeError(
                f"`group_query_attention` needs as many features in query and value, got {show_shape(roles.query)} "
                f"and {show_shape(roles.value)}",
                help="bring both to the same size with `dense`",
            )
        return roles.query
