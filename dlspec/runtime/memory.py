"""How much memory this machine has, how much of it is free, and how much the device has that trains."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dlspec.runtime.backend import on_gpu

CONTROL_GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
SECONDS = 10
"""How long `nvidia-smi` may take to answer."""


def machine_memory() -> int:
    """Bytes of memory that this machine has, or that its container may use."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return 8 * 2**30
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            found = min(found, int((CONTROL_GROUPS / limit).read_text()))
        except (OSError, ValueError):  # no container, or `max`
            continue
    return found


def free_memory() -> int | None:
    """Bytes that this process may still have: of the machine, of each control group that it is in, and of its own
    limit of addresses. None where the system says nothing."""
    found = [*_of_machine(), *_of_control_groups(), *_of_process()]
    return max(0, min(found)) if found else None


def free_device_memory() -> int | None:
    """The same of what trains: of the first GPU where TensorFlow uses one, otherwise of the machine. None of other
    backends, which say it each in its own way."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    return _of_gpu() if on_gpu() else free_memory()


def _of_gpu() -> int | None:
    """What the GPU has free, and what TensorFlow has taken of it and uses no more."""
    import subprocess

    import tensorflow as tf

    used = tf.config.experimental.get_memory_info("GPU:0")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"
    command = ["nvidia-smi", f"--id={visible}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
        return int(done.stdout.split()[0]) * 2**20 + used["peak"] - used["current"]
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _of_machine() -> Iterator[int]:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return


def _of_control_groups() -> Iterator[int]:
    """Of each group that has a limit, of either version: what of it is not in use. Pages of files that nobody has read
    for a while count as free, since they are given up when memory is short."""
    try:
        lines = OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names, cached = CONTROL_GROUPS, ("memory.max", "memory.current"), "inactive_file"
        elif "memory" in controllers.split(","):
            top, cached = CONTROL_GROUPS / "memory", "total_inactive_file"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        own = top / path.lstrip("/")
        for group in (own, *own.parents):
            if group == top.parent:
                break
            try:
                limit, used = (int((group / name).read_text()) for name in names)
                counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # not seen from here, or `max`
                continue
            yield limit - used + int(counts.get(cached, 0))


def _of_process() -> Iterator[int]:
    """Of a limit of addresses, as `ulimit -v` sets it."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    try:
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return
    yield limit - used
