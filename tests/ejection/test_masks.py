"""Masks in scripts: what a script gives for padded samples is what the network of dlspec gives."""

import numpy as np
import pytest

from dlspec.ejection.python import NotWritten
from tests.ejection.test_network import build
from tests.model import test_padding as padding

NOT_WRITTEN = {
    *(f"{merge} {what}" for merge in padding.MERGES for what in ("pictures", "vector", "stretched")),
    *(f"{name} of one of two" for name in padding.REDUCTIONS),
    "concatenate in time", "stack", "stack in front", "dot", "dot cosine", "matmul", "einsum", "einsum pairs",
    "mean in another type", "max in another type", "slice of time", "expand_dims in front", "learned",
    "concatenate pictures",
}  # fmt: skip
"""Cases whose masks a script does not say."""


@pytest.mark.everyday("log", "logsumexp", "add one masked", "attention of two", "softmax along time", "dot")
@pytest.mark.parametrize("name", padding.CASES)
def test_scripts_heed_masks(name, tmp_path):
    text = padding.spec_of(padding.CASES[name]).partition("\n")[2]
    try:
        _, network = build(text, tmp_path)
    except NotWritten:
        assert name in NOT_WRITTEN
        return
    ours = padding.dlspec.build("dlspec: 1\n" + text)
    weights = padding.weights_for(ours)
    ours.set_weights(weights)
    network.set_weights(weights)
    x = padding.samples(9)
    np.testing.assert_array_equal(np.asarray(network(x)), np.asarray(ours(x)))
