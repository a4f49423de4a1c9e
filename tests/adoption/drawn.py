"""Models of Keras that are drawn: chains, branches, merges of what lies far apart, models inside, what comes again."""

from __future__ import annotations

import random

from keras import Input, Model, Sequential, ops
from keras import layers as L

MERGES = (L.Add, L.Multiply, L.Average, L.Maximum)


def _chain():
    return Sequential([Input((8,)), L.Dense(8, "relu"), L.Dense(8)])


def _graph():
    given = Input((8,))
    hidden = L.Dense(8, "relu")(given)
    return Model(given, L.Add()([given, L.Multiply()([hidden, L.Dense(8)(hidden)])]))


def _fork(x, size):
    return L.Dense(8)(L.Concatenate()([L.Dense(4)(x), L.Dense(size)(L.Dense(5)(x))]))


def _shared(draw, towers):
    if not towers or draw.random() < 0.5:
        towers.append(_chain())
    return draw.choice(towers)


def unit(draw, x, towers):
    """A few layers on (batch, 8)."""
    make = draw.choice(
        (
            lambda: L.Dense(8, draw.choice(("relu", "tanh", None)))(x),
            lambda: L.Activation(draw.choice(("relu", "elu")))(x),
            lambda: L.BatchNormalization()(x),
            lambda: L.Dropout(0.1)(x),
            lambda: L.LayerNormalization()(x),
            lambda: L.Add()([x, L.Dense(8)(x)]),
            lambda: _fork(x, draw.choice((4, 6))),
            lambda: x * L.Dense(8, "sigmoid")(x),
            lambda: ops.maximum(x, L.Dense(8)(x)),
            lambda: L.Subtract()([L.Dense(8)(x), x]),
            lambda: _shared(draw, towers)(x),
            lambda: _graph()(x),
        )
    )
    return make()


def drawn_model(seed):
    """A functional model of some ten to forty layers."""
    draw, towers = random.Random(seed), []
    x = given = Input((8,))
    kept, motif = [given], [draw.randrange(10**6) for _ in range(draw.randint(1, 3))]
    for _ in range(draw.randint(3, 9)):
        how = draw.random()
        if how < 0.45:  # what came before comes again
            for part in motif:
                x = unit(random.Random(part), x, towers if draw.random() < 0.3 else [])
        elif how < 0.7:
            x = unit(draw, x, towers)
        elif how < 0.85:
            x = draw.choice(MERGES)()([x, draw.choice(kept)])
        else:
            x = L.Dense(8)(L.Concatenate()([x, draw.choice(kept), draw.choice(kept)]))
        kept.append(x)
    return Model(given, L.Dense(draw.choice((1, 3)))(x))
