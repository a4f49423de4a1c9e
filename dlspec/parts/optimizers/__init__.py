"""How weights follow the gradient, a file for each family."""

from dlspec.parts.optimizers.adam import Adam
from dlspec.parts.optimizers.base import OPTIMIZERS, AnyOptimizer, Optimizer

__all__ = ["OPTIMIZERS", "Adam", "AnyOptimizer", "Optimizer"]
