"""A first spec with comments, from what the data look like."""

from dlspec.spec.first_spec.start import Start, look_at
from dlspec.spec.first_spec.writing import write_start

__all__ = ["Start", "look_at", "write_start"]
