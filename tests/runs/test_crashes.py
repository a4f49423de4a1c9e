"""Runs that are killed at random moments end as if they had not been; see `tests.runs.crashes` for how."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


def crashes(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.runs.crashes", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_killed_runs_lose_nothing():
    said = crashes("2", "denoising_autoencoder")
    assert ", 2 stops" in said
    assert said.endswith("0 lost, 0 different")


@pytest.mark.slow
def test_a_hundred_killed_runs_lose_nothing():
    said = crashes("112")
    print(f"\n{said}")
    assert ", 112 stops" in said
    assert said.endswith("0 lost, 0 different")
