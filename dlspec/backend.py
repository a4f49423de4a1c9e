"""Loading Keras and TensorFlow without their log lines, and choosing the device."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dlspec.diagnostics import DataError

if TYPE_CHECKING:
    from dlspec.spec import RuntimeSpec


def load_keras() -> None:
    """Imports Keras and its backend; what they print to standard error is dropped unless the import fails."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # advice on tracing is not for the reader of a spec
    if "keras" in sys.modules:
        return
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
        DataError: a GPU was asked for and there is none.
    """
    load_keras()
    import keras

    if keras.backend.backend() != "tensorflow":
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
    try:
        if on_cpu and gpus:
            tf.config.set_visible_devices([], "GPU")
        for gpu in [] if on_cpu else gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:  # devices are in use already, as in a notebook: what was set then holds
        on_cpu = not tf.config.get_visible_devices("GPU")
    tf.zeros(())
    if on_cpu:
        return f"CPU, {os.cpu_count()} cores"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU, {details.get('device_name', 'unknown')}"


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
