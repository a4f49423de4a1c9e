"""Where to begin for layer types whose arguments and shapes fit together in ways that single changes do not find."""

import math

from hypothesis import strategies as st

from tests.model.drawn.values import FLAGS
from tests.model.drawn.walking import walk

SMALL = st.integers(1, 6)
WORDS = st.sampled_from(["sun", "rain", "snow", "fog", "hail"])


def einsum_dense(draw):
    """The equation fixes the number of axes; of more than one axis behind `...` Keras mixes up the order."""
    a, b, c, d = (draw(SMALL) for _ in range(4))
    equation, shape, output_shape, biases = draw(
        st.sampled_from(
            [
                ("ab,bc->ac", (None, a), [b], ["c"]),
                ("abc,cd->abd", (None, a, b), [None, c], ["d"]),
                ("abc,cd->abd", (None, a, b), [a, c], ["d", "b", "bd", "db"]),
                ("abc,cde->abde", (None, a, b), [None, c, d], ["e", "de"]),
                ("abcd,cdef->abef", (None, a, b, c), [None, d, a], ["e", "ef"]),
                ("...x,xy->...y", (None, a, b), [c], ["y"]),
                ("...xy,xyz->...z", (None, a, b, c), [d], ["z"]),
                ("ab...,bc->ac...", (None, a, b), [c], ["c"]),
            ]
        )
    )
    arguments = {"equation": equation, "output_shape": output_shape}
    if draw(FLAGS):
        arguments["bias_axes"] = draw(st.sampled_from(biases))
    return walk(draw, "einsum_dense", arguments, [shape], axes_stay=True)


def integer_lookup(draw):
    return _lookup(draw, "integer_lookup", st.integers(10, 20), -1)


def string_lookup(draw):
    return _lookup(draw, "string_lookup", WORDS, "[UNK]")


def text_vectorization(draw):
    return _lookup(draw, "text_vectorization", WORDS, "[UNK]")


def _lookup(draw, name, tokens, unknown):
    """A vocabulary, with the special tokens in it or not, with a weight for each token, and with room for more."""
    vocabulary = draw(st.lists(tokens, min_size=1, max_size=5, unique=True))
    arguments = {"vocabulary": vocabulary}
    if draw(FLAGS):
        arguments["vocabulary"] = [unknown, *vocabulary]
        arguments |= {} if name == "text_vectorization" else {"oov_token": unknown}
    if draw(FLAGS):
        weights = [0.5] * len(arguments["vocabulary"])
        arguments |= {"output_mode": "tf_idf", "idf_weights": weights}
    elif name == "text_vectorization" and arguments["vocabulary"] != vocabulary:
        arguments["vocabulary"] = ["", *arguments["vocabulary"]]
    if draw(FLAGS):
        arguments["max_tokens"] = len(vocabulary) + 2 + draw(st.integers(0, 4))
    if name == "integer_lookup" and draw(FLAGS):
        arguments["oov_method"] = "farmhash"  # `salt` goes with it alone
    return walk(draw, name, arguments, [(None, 1)])


def multi_head_attention(draw):
    """Over one axis or several."""
    shape = (None, *draw(st.lists(SMALL, min_size=2, max_size=4)))
    arguments = {"num_heads": draw(SMALL), "key_dim": draw(SMALL)}
    if len(shape) > 3 or draw(FLAGS):
        axes = st.integers(1, len(shape) - 2)
        arguments["attention_axes"] = draw(st.lists(axes, min_size=1, unique=True))
    return walk(draw, "multi_head_attention", arguments, [shape])


def permute(draw):
    """Any order of up to four axes."""
    shape = (None, *draw(st.lists(SMALL, min_size=1, max_size=4)))
    return walk(draw, "permute", {"dims": draw(st.permutations(range(1, len(shape))))}, [shape])


def reshape(draw):
    """Sizes whose product is that of the input, or one of them -1."""
    target = draw(st.lists(SMALL, min_size=1, max_size=3))
    values = math.prod(target)
    last = draw(st.sampled_from([size for size in range(1, values + 1) if values % size == 0]))
    if draw(FLAGS):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return walk(draw, "reshape", {"target_shape": target}, [(None, values // last, last)])


def stft_spectrogram(draw):
    """Short frames, so that they are filled up with zeros and fit into short sounds."""
    arguments = {"frame_length": draw(st.integers(3, 9))}
    if draw(FLAGS):
        arguments["fft_length"] = draw(st.sampled_from([16, 32]))
    return walk(draw, "stft_spectrogram", arguments, [(None, 12, 2)])


OVERRIDES = {
    override.__name__: override
    for override in (
        einsum_dense, integer_lookup, multi_head_attention, permute, reshape, stft_spectrogram, string_lookup,
        text_vectorization,
    )
}  # fmt: skip
"""Type of layer -> how it is drawn in place of a walk that begins at one of its examples."""
