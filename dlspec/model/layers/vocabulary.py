"""Layers that look words and numbers up in a vocabulary, which the spec gives."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from dlspec.language.fields import Flag, NonNegativeInt, Number, PositiveInt, Text, Whole, mistake
from dlspec.language.shapes import Shape, ShapeError, show_shape
from dlspec.model.layers.base import LAYERS, Example, LayerSpec
from dlspec.model.layers.categories import encoded
from dlspec.model.layers.numbers import Salt, one_or

LookupMode = Literal["int", "one_hot", "multi_hot", "count", "tf_idf"]
AtLeastTwo = Annotated[Whole, Field(ge=2)]
WEIGHTS = "inverse document frequency of each token, with `output_mode: tf_idf`"


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise mistake("wrong-value", f"there is no encoding `{name}`", help="write `encoding: utf-8`") from None
    return name


Encoding = Annotated[Text, AfterValidator(_encoding)]


class Vocabulary(LayerSpec):
    """Base of the layers with a vocabulary: its numbers begin behind those of the mask and of unknown tokens."""

    max_tokens: AtLeastTwo | None = Field(None, description="the most tokens, special ones included")
    output_mode: str
    pad_to_max_tokens: Flag = Field(False, description="whether vectors have `max_tokens` values even so")
    idf_weights: list[Number] | None = Field(None, description=WEIGHTS)

    def special(self) -> list[Any]:
        """The tokens that stand in front of the vocabulary: the mask, and those that are not in it."""
        raise NotImplementedError

    def tokens(self) -> Sequence[Any]:
        """The vocabulary as it was written."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """How many tokens there are, special ones included."""
        tokens, special = list(self.tokens()), self.special()
        return len(tokens) + (0 if tokens[: len(special)] == special else len(special))

    @property
    def depth(self) -> int:
        """How many values a vector has."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens is not None else self.size

    def check_vocabulary(self) -> None:
        """Raises what is wrong about the vocabulary and the arguments that go with it."""
        special, tokens = self.special(), list(self.tokens())
        own = tokens[len(special) :] if tokens[: len(special)] == special else tokens
        twice = [token for token, times in Counter(own).items() if times > 1]
        if twice:
            raise mistake("wrong-value", f"`vocabulary` holds `{twice[0]}` twice", help="leave one of them out")
        if not own:
            raise mistake("wrong-value", "`vocabulary` holds no tokens but the special ones")
        if self.max_tokens is not None and self.size > self.max_tokens:
            raise mistake(
                "wrong-value",
                f"`max_tokens` is {self.max_tokens}, and there are {self.size} tokens, special ones included",
                help=f"write `max_tokens: {self.size}`",
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise mistake("wrong-value", "`pad_to_max_tokens` needs `max_tokens`", help="add `max_tokens: …`")
        if self.output_mode != "tf_idf" and self.idf_weights is not None:
            raise mistake(
                "wrong-value", f"`idf_weights` belong to `output_mode: tf_idf`, got `output_mode: {self.output_mode}`"
            )
        if self.output_mode == "tf_idf" and len(self.idf_weights or ()) != len(tokens):
            given = f"{len(self.idf_weights)}" if self.idf_weights else "none"
            raise mistake(
                "wrong-value",
                f"`output_mode: tf_idf` needs one of `idf_weights` for each of the {len(tokens)} tokens, got {given}",
            )

    def in_unit_interval(self, input_inside: bool) -> bool:
        return self.output_mode in ("one_hot", "multi_hot")


class Lookup(Vocabulary):
    """Base of the layers that look up single tokens."""

    num_oov_indices: NonNegativeInt = Field(1, description="how many numbers tokens get that are not in the vocabulary")
    invert: Flag = Field(False, description="whether numbers become tokens")
    output_mode: LookupMode = "int"
    salt: Salt | None = Field(None, description="one or two whole numbers that change the hash function")

    def special(self) -> list[Any]:
        mask, unknown = self.mask_token, self.oov_token  # type: ignore[attr-defined]
        masks = [mask] if mask is not None and self.output_mode == "int" else []
        return masks + [unknown] * self.num_oov_indices

    def tokens(self) -> Sequence[Any]:
        return self.vocabulary  # type: ignore[attr-defined]

    def model_post_init(self, context: object) -> None:
        self.check_vocabulary()
        if self.invert and self.output_mode != "int":
            raise mistake("wrong-value", f"`invert` gives tokens, and no `output_mode: {self.output_mode}`")
        special, tokens = self.special(), list(self.tokens())
        own = tokens[len(special) :] if tokens[: len(special)] == special else tokens
        mask, unknown = self.mask_token, self.oov_token  # type: ignore[attr-defined]
        for key, token, matters in (("mask_token", mask, True), ("oov_token", unknown, self.invert)):
            if matters and token is not None and token in own:
                raise mistake(
                    "wrong-value",
                    f"`vocabulary` holds `{token}`, which is the `{key}`",
                    help="leave it out of the vocabulary",
                )

    def output_shape(self, input_shape: Shape) -> Shape:
        return encoded(self, input_shape, self.output_mode, self.depth)


@LAYERS.register
class IntegerLookup(Lookup):
    """Turns whole numbers into their places in a vocabulary.

    Input shape:  (batch, ...)
    Output shape: same as input; with `output_mode: one_hot` (batch, ..., tokens), with `multi_hot`, `count` or
        `tf_idf` (batch, tokens)
    """

    input_dtype = "int64"
    examples: ClassVar = [
        Example({"integer_lookup": {"vocabulary": [12, 36, 42]}}, (None, 3)),
        Example({"integer_lookup": {"vocabulary": [12, 36], "output_mode": "multi_hot"}}, (None, 3)),
        Example({"integer_lookup": {"vocabulary": [12, 36], "num_oov_indices": 2, "mask_token": 0}}, (None, None)),
    ]

    mask_token: Whole | None = Field(
        None, description="the number of missing values, which becomes 0 or is not counted"
    )
    oov_token: Whole = Field(-1, description="what `invert` gives for a token that is not in the vocabulary")
    vocabulary: Annotated[list[Whole], Field(min_length=1)] = Field(description="the numbers, in order")
    oov_method: Literal["floormod", "farmhash"] = Field(
        "floormod", description="how several numbers are shared out among tokens that are not in the vocabulary"
    )

    def model_post_init(self, context: object) -> None:
        super().model_post_init(context)
        if self.salt is not None and self.oov_method != "farmhash":
            raise mistake("wrong-value", "`salt` belongs to `oov_method: farmhash`", help="add `oov_method: farmhash`")


@LAYERS.register
class StringLookup(Lookup):
    """Turns words into their places in a vocabulary.

    Input shape:  (batch, ...)
    Output shape: same as input; with `output_mode: one_hot` (batch, ..., tokens), with `multi_hot`, `count` or
        `tf_idf` (batch, tokens)
    """

    examples: ClassVar = [
        Example({"string_lookup": {"vocabulary": ["a", "b", "c"]}}, (None, 3)),
        Example({"string_lookup": {"vocabulary": ["a", "b"], "output_mode": "one_hot"}}, (None, 1)),
        Example(
            {"string_lookup": {"vocabulary": ["a", "b"], "output_mode": "tf_idf", "idf_weights": [0.3, 0.7]}}, (None, 4)
        ),
    ]

    mask_token: Text | None = Field(None, description="the word for missing values, which becomes 0 or is not counted")
    oov_token: Text = Field("[UNK]", description="what `invert` gives for a word that is not in the vocabulary")
    vocabulary: Annotated[list[Text], Field(min_length=1)] = Field(description="the words, in order")
    encoding: Encoding = "utf-8"

    @property
    def input_dtype(self) -> str:  # type: ignore[override]
        return "int64" if self.invert else "string"


@LAYERS.register
class TextVectorization(Vocabulary):
    """Splits texts into words and turns these into their places in a vocabulary, or into one vector for a text.

    Input shape:  (batch, 1); with `split: null` (batch, words)
    Output shape: (batch, output_sequence_length); with another `output_mode` than `int` (batch, tokens)
    """

    axes = ("texts",)
    input_dtype = "string"
    examples: ClassVar = [
        Example({"text_vectorization": {"vocabulary": ["sun", "rain"], "output_sequence_length": 4}}, (None, 1)),
        Example({"text_vectorization": {"vocabulary": ["sun", "rain"], "output_mode": "count"}}, (None, 1)),
        Example({"text_vectorization": {"vocabulary": ["sun", "rain"], "split": None}}, (None, 3)),
    ]

    standardize: Literal["lower_and_strip_punctuation", "lower", "strip_punctuation"] | None = (
        "lower_and_strip_punctuation"
    )
    split: Literal["whitespace", "character"] | None = Field("whitespace", description="null: texts are words already")
    ngrams: Annotated[int | list[int], one_or(None, whole=True, low=1)] | None = Field(
        None, description="words are joined into groups of up to so many; a list: of exactly so many"
    )
    output_mode: Literal["int", "multi_hot", "count", "tf_idf"] = "int"
    output_sequence_length: PositiveInt | None = Field(
        None,
        description="with `output_mode: int`, texts are cut or filled up to so many words; without it, to the longest "
        "of a batch",
    )
    vocabulary: Annotated[list[Text], Field(min_length=1)] = Field(description="the words, in order")
    encoding: Encoding = "utf-8"

    def special(self) -> list[Any]:
        return ["", "[UNK]"] if self.output_mode == "int" else ["[UNK]"]

    def tokens(self) -> Sequence[Any]:
        return self.vocabulary

    def model_post_init(self, context: object) -> None:
        self.check_vocabulary()
        if self.output_mode != "int" and self.output_sequence_length is not None:
            raise mistake(
                "wrong-value",
                f"`output_sequence_length` belongs to `output_mode: int`, got `output_mode: {self.output_mode}`",
            )
        special = self.special()
        if "" in self.vocabulary[len(special) if self.vocabulary[: len(special)] == special else 0 :]:
            raise mistake("wrong-value", "`vocabulary` holds an empty word", help="leave it out of the vocabulary")

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.split is not None and input_shape[1] not in (None, 1):
            raise ShapeError(
                f"`text_vectorization` splits one text a sample, (batch, 1), got {show_shape(input_shape)}",
                help="write `split: null` when they are words already",
            )
        return (input_shape[0], self.output_sequence_length if self.output_mode == "int" else self.depth)

    def keras_arguments(self) -> dict[str, Any]:
        given = super().keras_arguments()
        return {**given, "ngrams": tuple(given["ngrams"])} if isinstance(given["ngrams"], list) else given

    def connect(self, built: Any, inputs: Sequence[Any]) -> Any:
        # of (batch, 1), Keras promises (batch, 1, tokens) and gives (batch, tokens); of (batch,) it is right
        if self.output_mode != "int" and self.split is not None:
            from keras import ops

            return built(ops.squeeze(inputs[0], -1))
        return built(inputs[0])
