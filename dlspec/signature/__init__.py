"""What a network must take and give, from the spec and the description of its data; no data are loaded."""

from dlspec.signature.base import (
    HOLDS,
    INPUT,
    INPUT_TARGET,
    PARTS_IN_FILES,
    TIME_NAMES,
    DataSource,
    Label,
    NetworkInput,
    Signature,
    Target,
    share_out,
)
from dlspec.signature.columns import place_of_feature
from dlspec.signature.reading import fill_in, needs_memory, read_signature
from dlspec.signature.sources import source_of, unlabeled_source

__all__ = [
    "HOLDS", "INPUT", "INPUT_TARGET", "PARTS_IN_FILES", "TIME_NAMES", "DataSource", "Label", "NetworkInput",
    "Signature", "Target", "fill_in", "needs_memory", "place_of_feature", "read_signature", "share_out", "source_of",
    "unlabeled_source",
]  # fmt: skip
