"""Whether specs end on the same weights as with another commit.

`python -m tests.benchmarks.same_weights --against COMMIT [SPEC...]`

The other commit is checked out beside this one, and each spec is trained with both, one after the other, by the same
interpreter with the same threads and packages. Printed is the sha256 of all trained layers, before and after; the exit
code is 1 where they differ. Hashes depend on the machine, so none is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
LAYERS = "layers.npz"


def hash_of_layers(folder: Path) -> str:
    """sha256 of names, types, shapes and values of all layers that a run folder holds."""
    digest = hashlib.sha256()
    with np.load(folder / LAYERS, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def train(checkout: Path, spec: Path, seconds: float) -> str:
    """The hash of the layers that a checkout of dlspec trains, or in words why there is none."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "dlspec", "run", str(spec), "--out", f"{scratch}/run"]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        try:
            done = subprocess.run(
                command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return f"not in {seconds / 60:g} minutes"
        if done.returncode:
            return f"exit code {done.returncode}: {done.stderr.strip().splitlines()[-1] if done.stderr else ''}"
        return hash_of_layers(Path(scratch) / "run")


def compare(other: Path, specs: list[Path], seconds: float) -> int:
    """Trains each spec with both checkouts; returns how many end on other weights."""
    different = 0
    for spec in specs:
        began = time.perf_counter()
        before, after = (train(checkout, spec, seconds) for checkout in (other, ROOT))
        trained = before == after and len(after) == 64
        verdict = "same" if trained else "not trained" if before == after else "DIFFERENT"
        different += verdict == "DIFFERENT"
        print(
            f"{spec.as_posix():50} {verdict:12} {before[:16]} {after[:16]} {time.perf_counter() - began:5.0f} s",
            flush=True,
        )
        if verdict == "not trained":
            print(f"    {after}", flush=True)
    return different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", required=True, help="the commit to compare with")
    parser.add_argument("--minutes", type=float, default=10, help="longest training of a spec")
    parser.add_argument("specs", nargs="*", help="paths from the root of the repository; all by default")
    given = parser.parse_args()
    found = [Path(name) for name in given.specs] or [
        path.relative_to(ROOT) for path in (ROOT / "specs").rglob("*.yaml")
    ]
    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch) / "dlspec"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(other), given.against], cwd=ROOT, check=True)
        try:
            return int(compare(other, sorted(found), 60 * given.minutes) > 0)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(other)], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
