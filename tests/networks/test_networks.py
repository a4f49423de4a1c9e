"""Published networks are specs that say what their papers do."""

from __future__ import annotations

import pytest

import dlspec
from tests.benchmarks.networks import REFERENCE, row
from tests.networks import SPECS, laid_out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return laid_out(tmp_path_factory.mktemp("networks"))


@pytest.mark.parametrize("name", sorted(SPECS))
def test_each_is_valid_and_as_large_as_its_reference(folder, name):
    file = folder / f"{name}.yaml"
    assert [problem for problem in dlspec.validate(file) if problem.code not in SMALL] == []
    if name in REFERENCE:
        assert dlspec.graph(file).parameters == REFERENCE[name]


SMALL = {"not-settled", "unused-layer", "too-few-rows"}
"""What is said of a little data, and of the last copy of what hands something on to the next."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["several_heads", "two_tower"])
def test_it_is_trained_gone_on_with_exported_and_predicts(folder, name):
    (folder / name).mkdir()
    trained, resumed, exported, predicted = row(name, folder)[4:]
    assert trained.endswith(" s")
    assert (resumed, exported) == ("same bits", "keras, onnx")
    assert float(predicted) < 1e-5
