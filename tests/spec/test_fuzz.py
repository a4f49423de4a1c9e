"""Mutated specs end in diagnostics or in success, never in anything else, and soon: see `fuzzing`."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("count", [400, pytest.param(20_000, marks=pytest.mark.slow)])
def test_mutants_end_in_diagnostics_or_in_success(count):
    done = subprocess.run(
        [sys.executable, "-m", "tests.spec.fuzzing", str(count)], cwd=ROOT, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[0]) >= 0.9 * count  # hypothesis counts drawings that it rejects


@pytest.mark.slow
def test_mutants_that_are_fine_can_be_trained():
    done = subprocess.run(
        [sys.executable, "-m", "tests.spec.run_fuzzing", "100"], cwd=ROOT, capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert int(done.stdout.split("\n")[-2].split()[0]) == 100
