"""Random and mutated tables end in diagnostics or in success, never in anything else: see `table_fuzzing`."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.data.table_fuzzing import wrong


def test_tables_end_in_diagnostics_or_in_success():
    *found, said = wrong(60, 0)
    assert not found, said
    assert "60 tables" in said


@pytest.mark.slow
def test_thousands_of_tables_end_in_diagnostics_or_in_success():
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.table_fuzzing", "5000", "100"], cwd=ROOT, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
