"""What training makes small, a file for each sort of target."""

from dlspec.parts.losses.base import LOSSES, AnyLoss, Loss

__all__ = ["LOSSES", "AnyLoss", "Loss"]
