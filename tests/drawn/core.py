"""Dense layers, embeddings and layers that pass values on."""

from hypothesis import strategies as st

from tests.drawn.common import ACTIVATIONS, FLAGS, SIZES, UNITS, shape, some

PENALTIES = st.sampled_from([{"l2": 0.1}, "l1"])


def dense(draw):
    arguments = {
        "units": draw(UNITS),
        **some(draw, use_bias=FLAGS, activation=ACTIVATIONS, kernel_constraint=st.just("non_neg"),
               activity_regularizer=PENALTIES, lora_rank=st.integers(1, 3)),
    }  # fmt: skip
    if "lora_rank" in arguments:
        arguments.pop("kernel_constraint", None)
        arguments |= some(draw, lora_alpha=st.just(2.0))
    return {"dense": arguments}, [shape(draw, draw(UNITS) % 3 + 1, known_last=True)]


def einsum_dense(draw):
    a, b, c, d = (draw(SIZES) for _ in range(4))
    unknown = draw(FLAGS)
    first = None if unknown else a
    equation, given, output_shape, biases = draw(
        st.sampled_from(
            [
                ("ab,bc->ac", (None, a), [b], ["c"]),
                ("abc,cd->abd", (None, first, b), [None, c], ["d"] if unknown else ["d", "b", "bd", "db"]),
                ("abc,cde->abde", (None, first, b), [None, c, d], ["e", "de"]),
                ("abcd,cdef->abef", (None, first, b, c), [None, d, a], ["e", "ef"]),
                ("...x,xy->...y", (None, first, b), [c], ["y"]),
                ("...xy,xyz->...z", (None, first, b, c), [d], ["z"]),
                ("ab...,bc->ac...", (None, a, b), [c], ["c"]),
            ]
        )
    )
    arguments = {
        "equation": equation, "output_shape": output_shape,
        **some(draw, bias_axes=st.sampled_from(biases), activation=ACTIVATIONS, lora_rank=st.integers(1, 3)),
    }  # fmt: skip
    return {"einsum_dense": arguments}, [given]


def embedding(draw):
    arguments = {
        "input_dim": draw(SIZES), "output_dim": draw(SIZES),
        **some(draw, mask_zero=FLAGS, lora_rank=st.integers(1, 3), embeddings_regularizer=PENALTIES),
    }  # fmt: skip
    return {"embedding": arguments}, [shape(draw, draw(UNITS) % 3)]


def reversible_embedding(draw):
    arguments = {
        "input_dim": draw(SIZES), "output_dim": draw(SIZES),
        **some(draw, mask_zero=FLAGS, tie_weights=FLAGS, logit_soft_cap=st.just(3.0)),
    }  # fmt: skip
    return {"reversible_embedding": arguments}, [shape(draw, draw(UNITS) % 3)]


def masking(draw):
    return {"masking": some(draw, mask_value=st.sampled_from([0.0, -1, 2.5]))}, [shape(draw, 2 + draw(FLAGS))]


def identity(draw):
    return {"identity": {}}, [shape(draw, draw(UNITS) % 4)]


DRAWS = {
    "dense": dense,
    "einsum_dense": einsum_dense,
    "embedding": embedding,
    "reversible_embedding": reversible_embedding,
    "masking": masking,
    "identity": identity,
}
