"""Loading Keras and TensorFlow without their log lines, and choosing the device."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.runtime.packages import model_modules, require

if TYPE_CHECKING:
    from dlspec.runtime.section import RuntimeSpec


def load_keras(what: str = "this") -> None:
    """Imports Keras and its backend; what they print to standard error is dropped unless the import fails.

    Args:
        what: what needs them, for a message.

    Raises:
        DataError: they are not installed.
    """
    import logging

    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # advice on tracing is not for the reader of a spec
    if "keras" in sys.modules:
        return
    require(*model_modules(), what=what)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _standard_error_held_back():
        import keras

        keras.backend.backend()


@contextmanager
def _standard_error_held_back() -> Iterator[None]:
    """TensorFlow's C++ side writes to file descriptor 2 directly, so that is what is redirected."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except DataError:
            raise
        except Exception:  # an import that failed; not the user who stops it
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def choose_device(runtime: RuntimeSpec) -> str:
    """Makes the backend use what the spec asks for, and says in words what that is.

    Raises:
        DataError: a GPU, or several devices, were asked for and there are none.
    """
    load_keras()
    import keras

    if keras.backend.backend() != "tensorflow":
        if runtime.distribute is not None:
            raise DataError.of(
                "too-few-devices",
                f"several devices need TensorFlow, and Keras runs on {keras.backend.backend()}",
                help="remove `distribute` under `runtime`, or unset `KERAS_BACKEND`",
            )
        return f"as {keras.backend.backend()} chooses"
    with _standard_error_held_back():  # TensorFlow prints again when it first looks for devices
        return _choose_for_tensorflow(runtime)


def _choose_for_tensorflow(runtime: RuntimeSpec) -> str:
    """Before the first operation, since TensorFlow fixes its devices then."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if runtime.device == "gpu" and not gpus:
        raise DataError.of(
            "no-gpu",
            "`runtime: {device: gpu}` asks for a GPU, and TensorFlow sees none",
            help="install `tensorflow[and-cuda]` on a machine with an NVIDIA driver, or write `device: auto`",
        )
    on_cpu = runtime.device == "cpu" or not gpus
    wanted = runtime.distribute.devices if runtime.distribute else None
    try:
        if on_cpu and gpus:
            tf.config.set_visible_devices([], "GPU")
        for gpu in [] if on_cpu else gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        if on_cpu and wanted:
            parts = [tf.config.LogicalDeviceConfiguration()] * wanted
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    except RuntimeError:  # devices are in use already, as in a notebook: what was set then holds
        on_cpu = not tf.config.get_visible_devices("GPU")
    tf.zeros(())
    devices = copied_to(runtime)
    several = f"{len(devices)} parts of " if len(devices) > 1 else ""
    if on_cpu:
        return f"CPU, {several}{os.cpu_count()} cores"
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "unknown")
    return f"GPU, {name}" if len(devices) < 2 else f"{len(devices)} GPUs, {name}"


def copied_to(runtime: RuntimeSpec) -> list[str]:
    """Names of the devices that the network is copied to; of one, or none, it is not."""
    import tensorflow as tf

    if runtime.distribute is None:
        return []
    wanted, kind = runtime.distribute.devices, "GPU" if on_gpu() else "CPU"
    found = [device.name for device in tf.config.list_logical_devices(kind)]
    if wanted is not None and len(found) < wanted:
        raise DataError.of(
            "too-few-devices",
            f"`distribute` asks for {wanted} devices, and TensorFlow sees {len(found)} {kind}{'s' * (len(found) != 1)}",
            help="write fewer `devices`, or leave `devices` out to take all"
            if kind == "GPU"
            else "the parts of a processor are fixed when TensorFlow starts: run it in a process of its own",
        )
    return found[:wanted]


def devices_of(runtime: RuntimeSpec) -> AbstractContextManager[Any]:
    """Within it, what is built is copied to every device that the spec asks for, and kept the same."""
    load_keras()
    import keras

    if runtime.distribute is None or keras.backend.backend() != "tensorflow":
        return nullcontext()
    devices = tuple(copied_to(runtime))
    return _strategy(devices).scope() if len(devices) > 1 else nullcontext()


@cache
def _strategy(devices: tuple[str, ...]) -> Any:
    """All variables of a network must be of one strategy."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(devices))


def on_gpu() -> bool:
    """Whether TensorFlow computes on a GPU."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))


def make_deterministic(runtime: RuntimeSpec) -> None:
    """On a GPU, slower kernels that give the same bits every time; a CPU gives them anyway."""
    import keras

    if runtime.deterministic and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
