"""Layers around layers."""

from hypothesis import strategies as st

from tests.drawn import recurrent
from tests.drawn.common import FLAGS, UNITS, shape, some

RECURRENT = ["lstm", "gru", "simple_rnn", "rnn"]


def without(written, *keys):
    ((name, arguments),) = written.items()
    return {name: {key: value for key, value in arguments.items() if key not in keys}}


def bidirectional(draw):
    name = draw(st.sampled_from(RECURRENT))
    written, shapes = recurrent.DRAWS[name](draw)
    layer = without(written, "go_backwards")
    arguments = {"layer": layer, **some(draw, merge_mode=st.sampled_from(["concat", "sum", "mul", "ave"]))}
    if name != "rnn" and draw(FLAGS):
        other = draw(st.sampled_from(RECURRENT[:3]))
        backward = without(recurrent.DRAWS[other](draw)[0], "go_backwards", "units", "return_sequences")[other]
        kept = {key: layer[name][key] for key in ("units", "return_sequences") if key in layer[name]}
        arguments["backward_layer"] = {other: {**backward, **kept, "go_backwards": True}}
    if draw(FLAGS):
        arguments["layer"] = {**layer, name: {**layer[name], "trainable": False}}
    return {"bidirectional": arguments}, shapes


def at_a_timestep(draw, depth=2):
    """A layer and the shape of one timestep that it takes."""
    kind = draw(
        st.sampled_from(["dense", "flatten", "dropout", "normalization", "recurrent", "conv", *["deep"] * depth])
    )
    if kind == "dense":
        return {"dense": {"units": draw(UNITS), **some(draw, use_bias=FLAGS)}}, shape(draw, 2, known_last=True)
    if kind == "flatten":
        return "flatten", shape(draw, 2)
    if kind == "dropout":
        return {"dropout": 0.5}, shape(draw, 1)
    if kind == "normalization":
        name = draw(st.sampled_from(["batch_normalization", "layer_normalization", "rms_normalization"]))
        return name, shape(draw, 2, known_last=True)
    if kind == "conv":
        arguments = {"filters": draw(UNITS), "kernel_size": 2, **some(draw, padding=st.just("same"))}
        return {"conv1d": arguments}, shape(draw, 2, low=2, known_last=True)
    if kind == "recurrent":
        written, (given,) = (
            bidirectional(draw) if draw(FLAGS) else recurrent.DRAWS[draw(st.sampled_from(RECURRENT))](draw)
        )
        return without(written, "activity_regularizer"), given
    if draw(FLAGS):
        written, (given,) = spectral_normalization(draw)
        return written, given
    inner, given = at_a_timestep(draw, depth - 1)
    return {"time_distributed": inner}, (given[0], draw(UNITS), *given[1:])


def time_distributed(draw):
    inner, given = at_a_timestep(draw)
    timesteps = draw(st.one_of(st.none(), UNITS))
    return {"time_distributed": {"layer": inner}}, [(given[0], timesteps, *given[1:])]


def spectral_normalization(draw):
    arguments = some(draw, power_iterations=st.integers(1, 3))
    if draw(FLAGS):
        axes = draw(st.integers(1, 3))
        layer, given = (
            {"dense": {"units": draw(UNITS), **some(draw, use_bias=FLAGS)}},
            shape(draw, axes, known_last=True),
        )
    else:
        axes = draw(st.integers(1, 2))
        layer = {f"conv{axes}d": {"filters": draw(UNITS), "kernel_size": 2, **some(draw, use_bias=FLAGS)}}
        given = shape(draw, axes + 1, low=2, known_last=True)
    return {"spectral_normalization": {"layer": layer, **arguments}}, [given]


DRAWS = {
    "bidirectional": bidirectional,
    "time_distributed": time_distributed,
    "spectral_normalization": spectral_normalization,
}
