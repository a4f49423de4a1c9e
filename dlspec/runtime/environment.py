"""What besides a spec and its data decides the last digits of a training: libraries, processor, threads, flags."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dlspec._version import __version__
from dlspec.language import plugins

PACKAGES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}
"""Backend of Keras -> what it is made of."""
INSTRUCTIONS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")
"""What kernels of oneDNN, Eigen and XLA are chosen by, as Linux names it."""
FLAGS = (
    "TF_ENABLE_ONEDNN_OPTS", "TF_SET_ONEDNN_FPMATH_MODE", "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA", "TF_XLA_FLAGS", "XLA_FLAGS", "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC",
    "NVIDIA_TF32_OVERRIDE", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
)  # fmt: skip
"""Variables of the environment that change numbers."""
OF_ONE_RUN = ("command", "started", "seconds", "resumed", "data_fingerprint", "taken_fingerprint", "plugins")
"""What `environment.json` says that is no part of the surroundings, or is compared by itself."""


_TYPED = ContextVar("typed", default="")


def surroundings(device: str) -> dict[str, Any]:
    """What this process computes with; Keras and its backend are loaded.

    Args:
        device: as `backend.choose_device` says it.
    """
    import keras

    backend = keras.backend.backend()
    packages = (*PACKAGES.get(backend, ()), "keras", "numpy", "pandas", "scikit-learn")
    return {
        "dlspec": __version__,
        "python": platform.python_version(),
        "backend": backend,
        **{name: _version(name) for name in packages},
        "platform": platform.platform(),
        **_processor(),
        "device": device,
        "cpu_cores": os.cpu_count(),
        "usable_cpus": usable_cpus(),
        **(_of_tensorflow() if backend == "tensorflow" else {}),
        **{name: os.environ[name] for name in FLAGS if name in os.environ},
        **_plugins(),
    }


def _plugins() -> dict[str, list[dict[str, str]]]:
    """The plugins of this process, where there are any."""
    found = [{"path": str(plugin.path), "sha256": plugin.sha256} for plugin in plugins.loaded()]
    return {"plugins": found} if found else {}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # such as `tensorflow-cpu`, which is the same under another name
        return "of another package"


@contextmanager
def typed_as(command: str) -> Iterator[None]:
    """In the block, runs are recorded as begun by this command line."""
    token = _TYPED.set(command)
    try:
        yield
    finally:
        _TYPED.reset(token)


def typed() -> str:
    """The command line that runs are begun by; from Python, the name of the program."""
    return _TYPED.get() or f"{Path(sys.argv[0]).name} (Python)"


def now() -> str:
    """The time of day with its zone, as files hold it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def usable_cpus() -> int:
    """How many processors this process may run on, which can be fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _of_tensorflow() -> dict[str, Any]:
    """Threads of its two pools, where nothing sets them one for each processor; of a GPU its libraries."""
    import tensorflow as tf

    from dlspec.runtime.backend import on_gpu

    threads = tf.config.threading
    found: dict[str, Any] = {
        "intra_op_threads": threads.get_intra_op_parallelism_threads() or _number("TF_NUM_INTRAOP_THREADS"),
        "inter_op_threads": threads.get_inter_op_parallelism_threads() or _number("TF_NUM_INTEROP_THREADS"),
    }
    if on_gpu():
        built = tf.sysconfig.get_build_info()
        found |= {name: str(built[f"{name}_version"]) for name in ("cuda", "cudnn") if f"{name}_version" in built}
    return found


def _number(variable: str) -> int:
    """What a variable of the environment sets, or else as many as there are processors."""
    given = os.environ.get(variable, "")
    return int(given) if re.fullmatch(r"[1-9]\d{0,5}", given) else usable_cpus()


def _processor() -> dict[str, str]:
    """Its name and its sets of instructions, as far as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    said = dict(re.findall(r"^([\w ]+?)\s*: (.+)$", text.split("\n\n")[0], re.MULTILINE))
    words = (said.get("flags") or said.get("Features") or "").split()
    there = " ".join(name for name in INSTRUCTIONS if name in words)
    name = str(said.get("model name") or platform.processor() or platform.machine())
    return {"processor": name, **({"instructions": there} if there else {})}


def processor_name() -> str:
    """As far as the system tells."""
    return _processor()["processor"]


@dataclass(frozen=True)
class Change:
    """What was another when a run was trained; None is what was not there, or is not known."""

    name: str
    before: Any
    now: Any

    @property
    def known(self) -> bool:
        """Whether it was recorded then; a variable of the environment that was not is one that was not set."""
        return self.before is not None or self.name.isupper()


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What differs between the surroundings that two `environment.json` tell of.

    Where the first run was stopped and went on elsewhere, that counts too.
    """
    then, today = _checksums(before), _checksums(now)
    for name in dict.fromkeys([*today, *then]):
        if then.get(name) != today.get(name):
            yield Change(f"plugin {name}", then.get(name), today.get(name))
    names = [name for name in dict.fromkeys([*now, *before]) if name not in OF_ONE_RUN]
    for name in names:
        if before.get(name) != now.get(name):
            yield Change(name, before.get(name), now.get(name))
    for leg in before.get("resumed", ()):
        for name in names:
            if name in leg and leg[name] not in (before.get(name), now.get(name)):
                yield Change(f"{name} after a resume", leg[name], now.get(name))
        for name, checksum in _checksums(leg).items():
            if checksum not in (then.get(name), today.get(name)):
                yield Change(f"plugin {name} after a resume", checksum, today.get(name))


def _checksums(environment: Mapping[str, Any]) -> dict[str, str]:
    """Each plugin by the name of its file, and the beginning of its checksum."""
    return {Path(plugin["path"]).name: plugin["sha256"][:12] for plugin in environment.get("plugins", ())}
