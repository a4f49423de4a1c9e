"""Specs with mistakes: every line that carries `# error: code` yields that code, and no other line does."""

import re
from collections import Counter

import pytest

from dlspec.api import validate
from tests.conftest import ROOT

FILES = sorted((ROOT / "tests" / "specs" / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_is_found_on_its_line(path):
    expected = Counter()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        comment = re.search(r"# error: (.+)", line)
        expected.update((number, code.strip()) for code in comment[1].split(",")) if comment else None
    assert expected, "the file marks no mistake"
    found = Counter((d.span.line, d.code) for d in validate(path))
    assert found == expected


def test_eight_different_mistakes_name_all_eight_lines(write_spec):
    path = write_spec(
        "dlspec: 1\n"
        "data:\n"
        "  dataset: goggle\n"  # 3: unknown dataset
        "model:\n"
        "  - lstm: 64\n"
        "  - lstm: 32\n"  # 6: shape
        "  - dropout: 20%\n"  # 7: type
        "  - dense: {units: 8, activation: rellu}\n"  # 8: activation
        "  - dens: 4\n"  # 9: layer
        "  - output\n"
        "train:\n"
        "  epochs: 5\n"
        "  epochs: 6\n"  # 13: repeated
        "  batchsize: 3\n"  # 14: unknown key
        "\tloss: mse\n"  # 15: bad YAML
    )
    problems = validate(path)
    assert [d.span.line for d in problems] == [3, 6, 7, 8, 9, 13, 14, 15]
    assert len({d.code for d in problems}) == 8


def test_a_broken_layer_does_not_hide_a_shape_error_behind_it(write_spec):
    path = write_spec(
        "dlspec: 1\ndata: {dataset: goog, window: {length: 9}}\n"
        "model:\n  - lstm: 64\n  - drop_out: 0.2\n  - lstm: {units: true}\n  - output\n"
    )
    codes = [(d.span.line, d.code) for d in validate(path)]
    assert codes == [(5, "unknown-layer"), (6, "shape-mismatch"), (6, "wrong-type")]


def test_help_says_what_to_type(write_spec):
    path = write_spec(
        "dlspec: 1\ndata: {dataset: goog, window: {length: 9}}\n"
        'model:\n  - lstm: 64\n  - dropout: "20%"\n  - lstm: 8\n  - outputs\ntrain: {epoch: 3, lr: 1}\nbatch_size: 2\n'
    )
    help_of = {(d.span.line, d.code): d.help for d in validate(path)}
    assert help_of == {
        (5, "wrong-type"): "write `rate: 0.2`",
        (6, "shape-mismatch"): "write `lstm: {units: 64, return_sequences: true}` on line 4",
        (7, "unknown-layer"): "did you mean `output`?",
        (8, "unknown-key"): "write `optimizer: {adam: 1}`",
        (9, "unknown-key"): "it belongs under `train`: write `batch_size: 2` there",
    }


@pytest.mark.parametrize("then", ["unroll", "fine_tune"])
def test_a_layer_that_its_input_does_not_fit_is_no_part_of_a_code(then):
    text = """\
dlspec: 1
data: {dataset: digits, target: input}
model:
  - reshape: [8, 8, 1]
  - conv2d: {filters: 8, kernel_size: 3}
  - max_pooling2d: 2
  - max_pooling2d: 2
  - max_pooling2d: 2
pretrain: {method: autoencoder, then: THEN}
"""
    if then == "fine_tune":
        text = text.replace("pretrain", "  - flatten\n  - output\npretrain").replace(", target: input", "")
    found = validate(text.replace("THEN", then))
    assert [(problem.span.line, problem.code) for problem in found] == [(8, "shape-mismatch")]
