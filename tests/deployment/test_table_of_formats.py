"""The table of specs by formats in `docs/export.md` is what a run gives."""

import re

import pytest

from tests.conftest import SPECS
from tests.deployment.formats import DOCUMENT, FORMATS, TABLE, row_of, run_of

REFUSED = {
    "digits_given_back": ["litert"],
    "sums_seq2seq": [format for format in FORMATS if format != "keras"],
}
"""The network that the first takes over computes in 64 bits, in which LiteRT has no `rescaling`; the second is asked
once for each item that it writes."""


def documented() -> dict[str, list[str]]:
    """Spec -> its cells."""
    lines = TABLE.search(DOCUMENT.read_text(encoding="utf-8")).group().splitlines()[2:]
    rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {row[0].strip("`"): row[1:] for row in rows}


def name_of(spec) -> str:
    return f"papers/{spec.stem}" if spec.parent.name == "papers" else spec.stem


def test_the_table_has_every_spec_and_nothing_differs():
    table = documented()
    assert {*table} == {name_of(spec) for spec in SPECS}
    for name, cells in table.items():
        assert len(cells) == len(FORMATS) + 1
        assert all(float(cell.removesuffix(" *")) <= 1e-5 for cell in cells if cell != "–")
        refused = [format for format, cell in zip(FORMATS, cells, strict=False) if cell == "–"]
        assert refused == REFUSED.get(name, []), "each spec goes into each format"


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_every_spec_is_exported_in_every_format(spec, tmp_path, keras_home):
    """With two batches for each stage: the same cells are refused, or need `preprocessing.json`."""
    if spec.parent.name == "papers":  # most of them are about MNIST
        keras_home("mnist")
    cells = row_of(run_of(spec, tmp_path, rehearsed=True))
    shape = [re.sub(r"[\d.e-]+", "0", cell) for cell in cells]
    assert shape == [re.sub(r"[\d.e-]+", "0", cell) for cell in documented()[name_of(spec)]]
    assert all(float(cell.removesuffix(" *")) <= 1e-5 for cell in cells if cell != "–")
