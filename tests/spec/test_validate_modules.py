"""`dlspec validate` answers at once, because it loads little: no library for arrays and only the modules it needs."""

from difflib import unified_diff

import pandas as pd
import pytest

from tests.spec.validate_modules import COMMAND, TABLE, loaded_by_specs, loaded_by_validate, make_table

HEAVY = {"numpy", "pandas", "pyarrow", "sklearn", "scipy", "matplotlib", "h5py", "tensorflow", "keras", "jax", "torch"}
FOR_PARQUET = {"numpy", "pyarrow"}
"""Parquet files are read by pyarrow alone, which loads numpy: a spec with such a table may load both."""


@pytest.fixture(scope="module")
def loaded():
    return loaded_by_specs()


def heavy(modules):
    return {module.partition(".")[0] for module in modules} & HEAVY


SHARED_OUT = {"sums_seq2seq": {"numpy"}}
"""Of texts that are written, the rows of the training part, which are drawn by numpy, say what the items are."""


def test_no_spec_loads_a_library_for_arrays(loaded):
    assert {spec: heavy(modules) for spec, modules in loaded.items() if heavy(modules)} == SHARED_OUT


def test_the_modules_of_dlspec_that_each_spec_loads(loaded):
    now, kept = make_table(loaded), TABLE.read_text(encoding="utf-8")
    changes = "".join(unified_diff(kept.splitlines(True), now.splitlines(True), "was", "is", n=0))
    assert now == kept, f"`dlspec validate` loads other modules; if they are needed, run `{COMMAND}`:\n{changes}"


@pytest.mark.parametrize(("name", "allowed"), [("t.csv", set()), ("t.jsonl", set()), ("t.parquet", FOR_PARQUET)])
def test_tables(tmp_path, name, allowed):
    table = pd.DataFrame({"a": range(40), "b": ["u", "v"] * 20})
    {"csv": table.to_csv, "parquet": table.to_parquet}.get(name[2:], table.to_json)(
        tmp_path / name, **({"orient": "records", "lines": True} if name == "t.jsonl" else {"index": False})
    )
    (tmp_path / "spec.yaml").write_text(
        f"dlspec: 1\ndata: {{table: {name}, target: b}}\nmodel: [dense: 4, output]\n", encoding="utf-8"
    )
    assert heavy(loaded_by_validate(tmp_path / "spec.yaml")) == allowed
