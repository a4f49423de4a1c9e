"""Strategies that several families share."""

from hypothesis import strategies as st

FLAGS = st.booleans()
SIZES = st.integers(1, 9)
UNITS = st.integers(1, 6)
KNOWN_OR_NOT = st.one_of(st.none(), SIZES)
RATES = st.sampled_from([0.0, 0.25, 0.5])
ACTIVATIONS = st.sampled_from(["linear", "relu", "tanh", "softmax"])


def some(draw, **strategies):
    """A random part of the arguments, each drawn from its strategy; the rest keep their defaults."""
    return {name: draw(strategy) for name, strategy in strategies.items() if draw(FLAGS)}


def shape(draw, axes, *, low=1, high=9, known_last=False, unknown=True):
    """A shape of `axes` axes behind the batch, some unknown; the last is known where weights depend on it."""
    sizes = [draw(st.integers(low, high)) for _ in range(axes)]
    if unknown:
        last = axes - 1 if known_last else axes
        sizes = [None if i < last and draw(st.integers(0, 4)) == 0 else size for i, size in enumerate(sizes)]
    return (None, *sizes)
