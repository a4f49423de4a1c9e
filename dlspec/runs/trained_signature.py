"""What the network of a spec takes and gives as a run trains it: the training part decides which words there are."""

from __future__ import annotations

from contextlib import suppress

from dlspec.data.signature import Signature
from dlspec.data.sources.rows import TableFiles
from dlspec.data.training_rows import deciding_source
from dlspec.language.diagnostics.errors import DataError
from dlspec.spec.signature import read_signature
from dlspec.spec.spec import Spec


def signature_of(spec: Spec) -> Signature | None:
    """None where the data are not there."""
    try:
        source = deciding_source(spec.data, spec.seed)
        signature = read_signature(spec, source.describe())[0]
    except DataError:
        return None
    words = signature is not None and any(kind.raw != "number" for kind in signature.types)
    if words and not may_be_fetched(spec) and not (isinstance(source, TableFiles) and source.is_large):
        from dlspec.runs.job import load_data

        with suppress(DataError):  # with something wrong in them, it is as all rows have it
            return load_data(spec).signature
    return signature


def may_be_fetched(spec: Spec) -> bool:
    """Whether the data are such as Keras keeps, and fetches where they are not there."""
    from dlspec.data.datasets.keras_cache import KerasDataset

    return isinstance(spec.data.dataset, KerasDataset)
