"""Recurrent layers, and cells that `rnn` walks through a sequence."""

from hypothesis import strategies as st

from tests.drawn.common import ACTIVATIONS, FLAGS, RATES, UNITS, shape, some

WALK = {"return_sequences": FLAGS, "go_backwards": FLAGS, "unroll": FLAGS}
STEP = {
    "activation": ACTIVATIONS,
    "use_bias": FLAGS,
    "dropout": RATES,
    "recurrent_dropout": RATES,
    "kernel_regularizer": st.just({"l2": 0.1}),
    "bias_regularizer": st.just({"l1": 0.1}),
    "recurrent_constraint": st.just("unit_norm"),
    "recurrent_initializer": st.sampled_from(["orthogonal", "glorot_uniform"]),
    "seed": st.integers(0, 9),
}
GATED = {**STEP, "recurrent_activation": st.sampled_from(["sigmoid", "hard_sigmoid"])}
LSTM = {**GATED, "unit_forget_bias": FLAGS}
GRU = {**GATED, "reset_after": FLAGS}


def recurrent(name, **strategies):
    def arguments(draw):
        return {"units": draw(UNITS), **some(draw, **strategies, **WALK)}

    def layer(draw):
        more = some(
            draw,
            activity_regularizer=st.just({"l2": 0.1}),
            **({} if name == "simple_rnn" else {"use_cudnn": st.sampled_from(["auto", False])}),
        )
        return {name: {**arguments(draw), **more}}, [shape(draw, 2, known_last=True)]

    return layer


def cell(draw, depth=1):
    name = draw(st.sampled_from(["lstm_cell", "gru_cell", "simple_rnn_cell", *["stacked_rnn_cells"] * depth]))
    if name == "stacked_rnn_cells":
        return {name: [cell(draw, depth - 1) for _ in range(draw(st.integers(1, 3)))]}
    strategies = {"lstm_cell": LSTM, "gru_cell": GRU, "simple_rnn_cell": STEP}[name]
    return {name: {"units": draw(UNITS), **some(draw, **strategies)}}


def rnn(draw):
    arguments = {"cell": cell(draw, 2), **some(draw, **WALK, zero_output_for_mask=FLAGS)}
    return {"rnn": arguments}, [shape(draw, 2, known_last=True)]


DRAWS = {
    "lstm": recurrent("lstm", **LSTM),
    "gru": recurrent("gru", **GRU),
    "simple_rnn": recurrent("simple_rnn", **STEP),
    "rnn": rnn,
}
