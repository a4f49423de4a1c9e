"""What the decoder of a variational autoencoder makes of codes that no sample has."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from dlspec.data.preparation import Prepared, generator
from dlspec.model.graph import Graph
from dlspec.model.layers.sampling import samplings
from dlspec.training.values import predict

Array = np.ndarray

EACH_WAY = 15
"""Codes along each axis of the plane."""
ENDS = 2.0
"""The plane reaches so many standard deviations from its middle."""
DRAWN = 20
"""Codes that are drawn where they have no plane."""


def decoded(data: Prepared, graph: Graph, network: Any) -> dict[str, Array]:
    """Pictures that are decoded from codes: `decoded:plane`, (rows, columns, *picture), the lowest second number first,
    and the numbers along an axis, `decoded:values`; of a code that is not two numbers `decoded:drawn`,
    (samples, *picture). Nothing where the output depends on more than one code.

    The numbers of the plane are quantiles of the standard normal, so that each cell is as probable as any other.
    """
    codes = samplings(graph)
    decoder = decoder_of(network, codes[0].name) if len(codes) == 1 else None
    if decoder is None:
        return {}
    picture, shape = data.train.inputs.shape[1:], decoder.input_shape[1:]
    if shape == (2,):
        values = quantiles(EACH_WAY)
        grid = np.stack(np.meshgrid(values, values), axis=-1).reshape(-1, 2)
        plane = predict(decoder, grid).reshape(EACH_WAY, EACH_WAY, *picture)
        return {"decoded:plane": plane, "decoded:values": values}
    drawn = generator(0, "decoded").normal(size=(DRAWN, *shape)).astype("float32")
    return {"decoded:drawn": predict(decoder, drawn).reshape(DRAWN, *picture)}


def quantiles(count: int) -> Array:
    """So many numbers from -2 to 2, between which the standard normal has the same probability everywhere."""
    normal = NormalDist()
    shares = np.linspace(normal.cdf(-ENDS), normal.cdf(ENDS), count)
    return np.array([normal.inv_cdf(share) for share in shares], "float32")


def decoder_of(network: Any, code: str) -> Any:
    """From a code to what the network puts out, as a Keras model; None: that depends on more than the code."""
    import keras

    try:
        return keras.Model(network.get_layer(code).output, network.output)
    except ValueError:
        return None
