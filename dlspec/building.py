"""Graph -> keras.Model, and the model that is saved: raw columns in, the target's own units out."""

from __future__ import annotations

from typing import Any

from dlspec.backend import load_keras
from dlspec.graphs import Graph
from dlspec.layers.core import Dense, Output
from dlspec.preparation import Affine, Prepared


def build_network(graph: Graph, name: str = "network") -> Any:
    """The network of a graph as an untrained functional `keras.Model`.

    It takes what the layers see, which is scaled, and puts out what the loss compares, which is scaled too.
    """
    load_keras()
    import keras

    assert graph.input_shape is not None, "a graph without input shape cannot be built"
    x = inputs = keras.Input(graph.input_shape[1:], name="input")
    for layer in graph.layers:
        spec = layer.layer
        if isinstance(spec, Output):
            assert spec.units is not None, "the graph gave the output its units"
            spec = Dense(units=spec.units, activation=spec.activation or "linear", trainable=spec.trainable)
        x = spec.build(layer.name)(x)
    return keras.Model(inputs, x, name="".join(c if c.isalnum() else "_" for c in name) or "network")


def with_preprocessing(network: Any, data: Prepared) -> Any:
    """The model that is saved: preprocessing, the network, and the way back to the target's own units.

    Input shape:  (batch, ...) raw columns: `data.preprocessing.raw_columns` of a row, or of each timestep.
    Output shape: (batch, 1) in the target's own units, or (batch, units) probabilities.

    Only Keras's own layers and operations are used, so that it loads anywhere in safe mode.
    """
    import keras
    from keras import ops

    steps, target = data.preprocessing, data.signature.target
    raw = keras.Input(data.train.raw.shape[1:], name="raw")
    x = raw
    if steps.timesteps is not None:
        x = x[..., : steps.features]  # the last column may be there for its last value alone
        if steps.change == "return":
            x = ops.log(x)
        if steps.change != "level":
            x = x[:, 1:, :] - x[:, :-1, :]
    x = network(_rescale(steps.inputs, "scale_inputs")(x))
    if steps.target is not None:
        way_back = Affine(1 / steps.target.scale, -steps.target.offset / steps.target.scale)
        x = _rescale(way_back, f"{target.name}_units")(x)
        if steps.change != "level":
            assert steps.target_column is not None, "changes are taken from the last value of the target"
            last = raw[:, -1, steps.target_column : steps.target_column + 1]
            x = last + x if steps.change == "difference" else last * ops.exp(x)
    return keras.Model(raw, x, name=f"{network.name}_from_raw")


def _rescale(affine: Affine, name: str) -> Any:
    import keras

    safe = "".join(c if c.isalnum() else "_" for c in name)
    if len(affine.scale) == 1:
        return keras.layers.Rescaling(float(affine.scale[0]), float(affine.offset[0]), name=safe)
    return keras.layers.Rescaling(affine.scale.tolist(), affine.offset.tolist(), name=safe)
