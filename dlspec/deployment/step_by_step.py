"""A recurrent network that takes one timestep at a time, with its states as further inputs and outputs.

A sensor or a robot has no whole window: it gives the network each timestep as it comes, and hands the states that come
out back with the next one. From states of zeros, the last timestep of a window gives what the whole window gives.
"""

from __future__ import annotations

from typing import Any

from dlspec.deployment.base import CannotExport
from dlspec.deployment.convertible import named

EACH_BY_ITSELF = {
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "LeakyReLU",
    "Maximum",
    "Minimum",
    "Multiply",
    "ReLU",
    "Rescaling",
    "SpatialDropout1D",
    "Subtract",
    "TimeDistributed",
}
"""Layers that compute every timestep by itself, the same way."""
OVER_FEATURES = {"BatchNormalization", "Concatenate", "LayerNormalization", "RMSNormalization", "Softmax"}
"""Layers that do so along the last axis."""
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
STATE = "state"
"""How the names of inputs and outputs begin that are states."""


def step_model(model: Any) -> Any:
    """The saved model of a recurrent network for one timestep.

    Input shapes: `raw`, (batch, 1, columns), the columns of a timestep; of changes (batch, 2, columns), those of the
    timestep before and of this one. `state_1` and on: the states of the layers, zeros at first.
    Outputs: what the model predicts after this timestep, and the states in the order of their inputs.

    Args:
        model: as `with_preprocessing` gives it for windows of a series.

    Raises:
        CannotExport: a layer sees several timesteps at once, or none is recurrent.
    """
    import keras

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    if len(model.inputs) > 1 or model.inputs[0].dtype == "string" or len(network.inputs[0].shape) < 3:
        raise CannotExport("it takes no sequence of timesteps")
    step = _Step()
    inner = step.network(network)
    span = 1 + model.inputs[0].shape[1] - network.inputs[0].shape[1]
    raw = keras.Input((span, *model.inputs[0].shape[2:]), name=model.inputs[0].name, dtype=model.inputs[0].dtype)
    states = [keras.Input(given.shape[1:], name=given.name, dtype=given.dtype) for given in step.states]
    after: list[Any] = []

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        if operation is not network:
            return operation(*args, **kwargs)
        output, *after[:] = inner([args[0], *states])
        return output

    output = model._run_through_graph([raw], call_fn=call)
    output = output[0] if isinstance(output, list) else output
    return keras.Model([raw, *states], [output, *after], name=f"{model.name}_step")


class _Step:
    """Makes of a network over timesteps one over a single timestep.

    Attributes:
        states: the inputs that are states.
    """

    def __init__(self) -> None:
        self.states: list[Any] = []
        self._after: list[Any] = []
        self._over_time: set[int] = set()

    def network(self, network: Any) -> Any:
        import keras

        (given,) = network.inputs
        step = keras.Input((1, *given.shape[2:]), name=given.name, dtype=given.dtype)
        self._over_time.add(id(step))
        output = network._run_through_graph([step], call_fn=self._call)
        output = output[0] if isinstance(output, list) else output
        if not self.states:
            raise CannotExport("no layer of it is recurrent, so that nothing goes on from one timestep to the next")
        if id(output) in self._over_time:
            raise CannotExport("it puts out a value for each timestep of a window")
        return keras.Model([step, *self.states], [output, *self._after], name=f"{network.name}_step")

    def _call(self, layer: Any, *args: Any, **kwargs: Any) -> Any:
        import keras

        kind = type(layer).__name__
        if kwargs.get("initial_state") is not None:
            raise CannotExport(f"{named(layer)} begins with the state that another layer has at the end of the window")
        tensors = [x for x in keras.tree.flatten(args) if hasattr(x, "shape")]
        if not any(id(x) in self._over_time for x in tensors):
            return layer(*args, **kwargs)
        if kind in RECURRENT:
            return self._recurrent(layer, tensors[0])
        axis = getattr(layer, "axis", -1)
        last = axis in (-1, [-1], len(tensors[0].shape) - 1)
        if not (kind in EACH_BY_ITSELF or (kind in OVER_FEATURES and last)):
            raise CannotExport(f"{named(layer)} sees several timesteps at once")
        output = layer(*args, **kwargs)
        self._over_time.add(id(output))
        return output

    def _recurrent(self, layer: Any, given: Any) -> Any:
        import keras

        if getattr(layer, "go_backwards", False):
            raise CannotExport(f"{named(layer)} reads a window from its end")
        convolves = type(layer).__name__.startswith("Conv")
        more: dict[str, Any] = {} if convolves else {"unroll": True}
        own = type(layer).from_config({**layer.get_config(), "return_state": True, **more})
        shapes = own.compute_output_shape(given.shape)[1:]
        states = [
            keras.Input(tuple(shape)[1:], name=f"{STATE}_{number}", dtype=layer.compute_dtype)
            for number, shape in enumerate(shapes, start=1 + len(self.states))
        ]
        output, *after = own(given, initial_state=states)
        own.set_weights(layer.get_weights())
        self.states += states
        self._after += after
        if layer.return_sequences:
            self._over_time.add(id(output))
        return output
