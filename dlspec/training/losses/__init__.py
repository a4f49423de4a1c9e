"""What training makes small, a file for each sort of target."""

from dlspec.training.losses.base import LOSSES, AnyLoss, Loss

__all__ = ["LOSSES", "AnyLoss", "Loss"]
