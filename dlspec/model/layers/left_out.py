"""What Keras has and the spec language has not, with the reason; a test compares both with the installed Keras."""

from __future__ import annotations

_CODE = "a spec holds no code; write a plugin"
_BASE = "it is a base class, not a layer"
_OTHER = "it holds a model of another framework, which a spec cannot write down"

LEFT_OUT = {
    "Equalization": "Keras 3.15 cannot build it into a network; write "
    "`contrast_limited_adaptive_histogram_equalization`",
    "FlaxLayer": _OTHER,
    "GRUCell": "it is one timestep; write `gru`, or `rnn: {cell: {gru_cell: …}}`",
    "InputLayer": "the input follows from the data; name several under `model: {inputs: …}`",
    "InputSpec": _BASE,
    "JaxLayer": _OTHER,
    "Lambda": _CODE,
    "LSTMCell": "it is one timestep; write `lstm`, or `rnn: {cell: {lstm_cell: …}}`",
    "Layer": _BASE,
    "MaxNumBoundingBoxes": "samples have no bounding boxes here",
    "Pipeline": "a list of layers is one already",
    "RandomElasticTransform": "within a network, Keras 3.15 distorts only the first image of a batch, and puts it in "
    "place of others",
    "SimpleRNNCell": "it is one timestep; write `simple_rnn`, or `rnn: {cell: {simple_rnn_cell: …}}`",
    "StackedRNNCells": "they are one timestep; write `rnn: {cell: {stacked_rnn_cells: …}}`",
    "TFSMLayer": _OTHER,
    "TorchModuleWrapper": _OTHER,
    "Wrapper": _BASE,
}
"""Class of `keras.layers` -> why there is none."""
