"""Attention of one input to itself, of a query to values, and with keys of their own."""

from hypothesis import strategies as st

from tests.drawn.common import FLAGS, KNOWN_OR_NOT, RATES, SIZES, UNITS, shape, some

PLAIN = {"use_scale": FLAGS, "dropout": RATES, "seed": st.integers(0, 9), "use_causal_mask": FLAGS}
PROJECTING = {
    "dropout": RATES,
    "use_bias": FLAGS,
    "kernel_regularizer": st.just({"l2": 0.1}),
    "activity_regularizer": st.just({"l2": 0.1}),
    "bias_constraint": st.just("non_neg"),
    "use_gate": FLAGS,
    "seed": st.integers(0, 9),
}
MASKS = {"sliding_window": st.integers(1, 3), "use_causal_mask": FLAGS}


def with_inputs(written, shapes):
    if len(shapes) > 1:
        ((name, arguments),) = written.items()
        written = {name: {**arguments, "from": ["query", "value", "key"][: len(shapes)]}}
    return written, shapes


def sequences(draw):
    """One to three inputs, and a size that the features of several may share."""
    query = shape(draw, 2, known_last=True)
    places = draw(KNOWN_OR_NOT)
    return query, (None, places), draw(st.integers(1, 3))


def scoring(name, **strategies):
    def layer(draw):
        query, (_, places), inputs = sequences(draw)
        value = (None, places, draw(SIZES) if inputs == 3 else query[-1])
        shapes = [query, value, (None, places, query[-1])][:inputs]
        return with_inputs({name: some(draw, **PLAIN, **strategies)}, shapes)

    return layer


def multi_head_attention(draw):
    arguments = {
        "num_heads": draw(UNITS),
        "key_dim": draw(UNITS),
        **some(
            draw, **PROJECTING, value_dim=UNITS, output_shape=st.one_of(UNITS, st.lists(UNITS, min_size=1, max_size=2))
        ),
    }
    axes = draw(st.integers(1, 3))
    query = shape(draw, axes + 1, known_last=True)
    along = list(range(1, axes + 1))
    if draw(FLAGS):
        along = draw(st.lists(st.integers(1, axes), min_size=1, max_size=axes, unique=True))
        written = [axis - axes - 2 if draw(FLAGS) else axis for axis in along]
        arguments["attention_axes"] = written[0] if len(written) == 1 and draw(FLAGS) else written
    if axes == 1:
        arguments |= some(draw, **MASKS)
    places = [draw(KNOWN_OR_NOT) if i in along else size for i, size in enumerate(query[:-1])]
    shapes = [query, (*places, draw(SIZES)), (*places, draw(SIZES))][: draw(st.integers(1, 3))]
    return with_inputs({"multi_head_attention": arguments}, shapes)


def group_query_attention(draw):
    shared, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    arguments = {
        "head_dim": draw(UNITS),
        "num_query_heads": shared * groups,
        "num_key_value_heads": groups,
        **some(draw, **PROJECTING, **MASKS),
    }
    query, (_, places), inputs = sequences(draw)
    shapes = [query, (None, places, query[-1]), (None, places, draw(SIZES))][:inputs]
    return with_inputs({"group_query_attention": arguments}, shapes)


DRAWS = {
    "attention": scoring("attention", score_mode=st.sampled_from(["dot", "concat"])),
    "additive_attention": scoring("additive_attention"),
    "multi_head_attention": multi_head_attention,
    "group_query_attention": group_query_attention,
}
