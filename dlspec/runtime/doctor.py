"""What a machine has of what dlspec needs, what is missing, and the command that mends it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dlspec._version import __version__
from dlspec.runtime.memory import free_memory
from dlspec.runtime.packages import ASIDE, EXTRAS, install, is_there

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OLDEST_PYTHON, FIRST_UNTRIED_PYTHON = (3, 11), (3, 14)
PROBE_SECONDS = 180
"""How long importing TensorFlow may take."""
NEEDED_DISK = 1e9
NEEDED_MEMORY = 2e9

_PROBE = r"""
import json, os, sys, time
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
began = time.perf_counter()
import keras
found = {"keras": keras.__version__, "backend": keras.backend.backend()}
if found["backend"] == "tensorflow":
    import tensorflow as tf
    found["tensorflow"] = tf.__version__
    found["gpus"] = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    found["cuda"] = tf.test.is_built_with_cuda()
found["seconds"] = round(time.perf_counter() - began, 1)
sys.stdout.write("found:" + json.dumps(found) + "\n")
"""


TRAINING = "training"
"""Name of the finding that Keras is not installed."""
Status = Literal["fine", "missing", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        status: `fine`; `missing` is only asked for by some specs, or makes things slow; `broken` keeps dlspec from
            running.
        found: what is here.
        cure: what to type, or do, where it is not fine.
    """

    name: str
    status: Status
    found: str
    cure: str = ""


def examine_machine() -> list[Finding]:
    """Looks at everything, in the order in which it matters. Takes as long as importing TensorFlow."""
    return [*_python(), *_packages(), *(_backend() if training_is_there() else ()), *_machine()]


def _python() -> Iterator[Finding]:
    version, here = sys.version_info[:2], f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    fits = OLDEST_PYTHON <= version < FIRST_UNTRIED_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    cure = "" if fits else f"python{wanted} -m venv .venv && .venv/bin/pip install dlspec"
    yield Finding("Python", "fine" if fits else "broken", here, cure)
    yield Finding("dlspec", "fine", f"{__version__} in {Path(__file__).parent}")


def _packages() -> Iterator[Finding]:
    """What `pip` should have installed with dlspec, and what it offers besides."""
    try:
        from packaging.requirements import Requirement

        declared = [Requirement(text) for text in metadata.requires("dlspec") or []]
    except (ImportError, metadata.PackageNotFoundError) as error:
        yield Finding("packages", "broken", f"cannot be compared: {error}", install("packaging", "dlspec"))
        return
    base = [needed for needed in declared if needed.marker is None or needed.marker.evaluate({"extra": ""})]
    yield _compared("packages", base, "broken", "all that dlspec needs")
    if not training_is_there():
        found = "not installed; specs are checked, planned and explained without it"
        yield Finding(TRAINING, "missing", found, install("dlspec[tensorflow]"))
        return
    for extra in (extra for extra in EXTRAS if extra not in ASIDE):
        needed = [r for r in declared if r not in base and r.marker and r.marker.evaluate({"extra": extra})]
        needs_it = extra in ("tensorflow", "datasets")  # training, with its baselines and report
        absent: Status = "broken" if needs_it else "missing"
        yield _compared(extra, [one for one in needed if one.name != "dlspec"], absent, "there")
    for name, users in ASIDE.items():
        versions = [_version(module) for module in EXTRAS[name]]
        version = versions[-1] if all(versions) else None
        yield Finding(
            name,
            "fine" if version else "missing",
            version or f"not there; only {users}",
            "" if version else install(f"dlspec[{name}]"),
        )


def _compared(name: str, needed: list[Requirement], absent: Status, fine: str) -> Finding:
    """Whether the packages are there, in versions that fit."""
    wrong = []
    for requirement in needed:
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append((str(requirement).partition(";")[0].strip(), version))
    here = ", ".join(f"{one} {version or 'is not there'}" for one, version in wrong)
    cure = install(*(one for one, _ in wrong)) if wrong else ""
    return Finding(name, absent if wrong else "fine", here or fine, cure)


def training_is_there() -> bool:
    """Whether Keras is installed, in whatever state."""
    return is_there("keras")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _backend() -> Iterator[Finding]:
    """Keras and its backend, imported in a process of their own, since a broken library may end it."""
    found, error = _probe()
    if not found:
        wanted = os.environ.get("KERAS_BACKEND")
        cure = install("--force-reinstall", "tensorflow>=2.21", "keras>=3.15.1")
        if wanted not in (None, "tensorflow"):
            cure = f"unset KERAS_BACKEND, or: {install(wanted)}"
        yield Finding("Keras", "broken", error, cure)
        return
    slow = f", {found['seconds']} s to load"
    yield Finding("Keras", "fine", f"{found['keras']} on {found['backend']}{slow}")
    cards = _cards()
    if found["backend"] != "tensorflow":
        yield Finding("GPU", "fine", f"as {found['backend']} chooses; the driver sees {', '.join(cards) or 'none'}")
        return
    yield Finding("TensorFlow", "fine", f"{found['tensorflow']}{', built for CUDA' if found['cuda'] else ''}")
    yield _gpu(found["gpus"], cards)


def _gpu(seen: list[str], cards: list[str]) -> Finding:
    if seen:
        return Finding("GPU", "fine", ", ".join(seen))
    if not cards:
        return Finding("GPU", "fine", "none; everything runs on the CPU")
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return Finding(
            "GPU", "missing", f"{', '.join(cards)}, hidden by CUDA_VISIBLE_DEVICES", "unset CUDA_VISIBLE_DEVICES"
        )
    if platform.system() == "Windows":
        found = f"{', '.join(cards)}, which TensorFlow does not use on Windows"
        return Finding("GPU", "missing", found, "wsl --install, then install dlspec inside")
    found = f"{', '.join(cards)}, which the driver sees and TensorFlow does not: its CUDA libraries are missing"
    return Finding("GPU", "missing", found, install("dlspec[gpu]"))


def _probe() -> tuple[dict[str, Any], str]:
    """What a process that imports Keras says, or why it says nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {}, f"loading it took more than {PROBE_SECONDS} s"
    for line in done.stdout.splitlines():
        if line.startswith("found:"):
            found: dict[str, Any] = json.loads(line.removeprefix("found:"))
            return found, ""
    if done.returncode < 0:
        return {}, f"loading it was ended by signal {-done.returncode}; an old processor lacks instructions (AVX)"
    lines = done.stderr.strip().splitlines() or [f"loading it ended with exit code {done.returncode}"]
    return {}, lines[-1]


def _cards() -> list[str]:
    """The graphics cards that NVIDIA's driver sees."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = [line.split(", ") for line in done.stdout.splitlines() if done.returncode == 0 and ", " in line]
    return [f"{name} (driver {version})" for name, version in rows]


def _machine() -> Iterator[Finding]:
    """Processor, memory, and room for the runs."""
    yield Finding("processor", "fine", f"{os.cpu_count()} cores")
    memory = free_memory()
    if memory is not None:
        enough = memory >= NEEDED_MEMORY
        cure = "" if enough else "close other programs, or write a smaller `batch_size`"
        yield Finding("memory", "fine" if enough else "missing", f"{memory / 1e9:.1f} GB free", cure)
    here = Path.cwd()
    runs = here / "runs" if (here / "runs").is_dir() else here
    if not os.access(runs, os.W_OK):
        yield Finding("folder", "broken", f"{runs} cannot be written to", "cd to a folder of your own, or use --out")
        return
    free = shutil.disk_usage(runs).free
    cure = "" if free >= NEEDED_DISK else "delete old folders below runs/"
    found = f"{free / 1e9:.0f} GB free in {runs}"
    yield Finding("folder", "fine" if free >= NEEDED_DISK else "missing", found, cure)
