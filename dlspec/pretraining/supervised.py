"""A layer learns to predict the target through a temporary output."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.model.forms import start_near
from dlspec.model.layers.core import Dense
from dlspec.model.layers.recurrent import Recurrent
from dlspec.pretraining.base import PRETRAINING, PretrainingMethod, Refusal
from dlspec.training.plan import StagePlace, StageTask


@PRETRAINING.register
class Supervised(PretrainingMethod):
    """Trains each layer, those below it staying as they are, to predict the target through a temporary output that is
    thrown away (Bengio et al., 2007). It sees samples with labels alone; the loss is that of `train`."""

    needs_labels = True
    passes = 1.0
    examples: ClassVar = [{"method": "supervised", "epochs": 5}]

    def refuses(self, place: StagePlace) -> Refusal | None:
        return None

    def build(self, encoder: list[Any], place: StagePlace, task: StageTask) -> Any:
        import keras

        from dlspec.pretraining._supervised import ByValues, LastTimestep, SupervisedModel

        assert task.target is not None, "a stage with labels has a target"
        assert task.loss is not None, "the default loss was filled in"
        shape = place.code_shape
        ends: list[Any] = []
        if len(shape) == 3 and issubclass(place.layer.kind, Recurrent):
            ends.append(LastTimestep())
        elif len(shape) > 2:
            ends.append(keras.layers.Flatten())
        several = task.target.values_each
        units = task.target.units * max(1, several)
        output = Dense(units=units, activation=task.target.activation).build("temporary_output")
        ends += [output, ByValues(task.target)] if several else [output]
        model = SupervisedModel(encoder, ends, task.loss.build_for(task.target))
        model.build(place.known_shape)
        if several:
            start_near(output, task.target)
        model.compile(optimizer=self.optimizer.over(task.steps))
        return model
