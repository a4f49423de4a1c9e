"""How weights follow the gradient, a file for each family."""

from dlspec.training.optimizers.adam import Adam
from dlspec.training.optimizers.base import OPTIMIZERS, AnyOptimizer, Optimizer

__all__ = ["OPTIMIZERS", "Adam", "AnyOptimizer", "Optimizer"]
