"""Optimizers that Keras does not have."""

import keras
from keras import ops


class RisingSGD(keras.optimizers.SGD):
    """Stochastic gradient descent whose momentum rises in a straight line, from the first step on (Hinton, 2010)."""

    def __init__(self, learning_rate, first, last, steps, done=0, **arguments):
        super().__init__(learning_rate, momentum=max(first, last), **arguments)
        self.first, self.last, self.steps, self.done = first, last, steps, done

    def update_step(self, gradient, variable, learning_rate):
        share = ops.minimum(ops.cast(self.iterations + self.done, variable.dtype) / self.steps, 1.0)
        momentum = self.first + (self.last - self.first) * share
        move = ops.cast(gradient, variable.dtype) * ops.cast(learning_rate, variable.dtype)
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, velocity * momentum - move)
        self.assign_add(variable, velocity * momentum - move if self.nesterov else velocity)


class Later(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of which some steps were taken before, by another optimizer."""

    def __init__(self, schedule, done):
        self.schedule, self.done = schedule, done

    def __call__(self, step):
        return self.schedule(step + self.done)
