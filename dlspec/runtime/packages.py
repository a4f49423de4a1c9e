"""Packages that only some uses of dlspec need, and the command that installs them.

`pip install dlspec` brings what checks and explains a spec. The rest comes with the extras of `pyproject.toml`; what
needs one of them says so before it reads anything.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from dlspec.language.diagnostics import Span
from dlspec.language.diagnostics.errors import DataError

EXTRAS = {
    "parquet": ("pyarrow",),
    "excel": ("openpyxl",),
    "pictures": ("simplejpeg", "cv2"),
    "sounds": ("scipy",),
    "datasets": ("sklearn", "matplotlib"),
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "onnx": ("tf2onnx", "onnx", "onnxruntime"),
    "web": ("dlspec_web",),
    "litert": ("ai_edge_litert",),
    "openvino": ("openvino",),
    "serve": ("starlette", "uvicorn"),
    "studio": ("starlette", "uvicorn"),
    "lsp": ("pygls",),
    "tensorflow": ("tensorflow", "keras", "h5py", "threadpoolctl", "jinja2"),
}
"""Extra -> the modules that it adds; `tensorflow` adds those of all others too, but of `ASIDE`."""
ASIDE = {
    "tensorboard": "`track: tensorboard` and the callback `tensor_board` need it",
    "mlflow": "`track: mlflow` needs it",
    "wandb": "`track: wandb` needs it",
    "onnx": "`export --format onnx` needs it",
    "web": "`export --format web` needs it",
    "litert": "`export --format litert` needs it",
    "openvino": "`export --format openvino` needs it",
    "serve": "`dlspec serve` needs it",
    "studio": "`dlspec studio` needs it",
    "lsp": "`dlspec lsp` needs it",
}
"""Extras that training goes on without -> what needs them."""
_PIP_NAMES = {"cv2": "opencv-python-headless", "sklearn": "scikit-learn", "dlspec_web": "dlspec-web"}
BACKENDS = ("tensorflow", "jax", "torch")
REPORT = ("matplotlib", "jinja2")
"""Modules that draw a report."""


def training_modules() -> tuple[str, ...]:
    """Modules that training needs: Keras with its backend, the baselines, the report."""
    return (*model_modules(), "sklearn", "threadpoolctl", *REPORT)


def model_modules() -> tuple[str, ...]:
    """Modules that a network needs to be built, opened and called."""
    return (chosen_backend(), "keras", "h5py")


def chosen_backend() -> str:
    """The backend that Keras will take: of the environment, of its own file of settings, or TensorFlow.

    Raises:
        DataError: it is none that a network is trained with.
    """
    settings = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"), "keras.json")
    try:
        said = json.loads(settings.read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        said = None
    backend = os.environ.get("KERAS_BACKEND") or said or "tensorflow"
    if backend not in BACKENDS:
        where = "`KERAS_BACKEND`" if os.environ.get("KERAS_BACKEND") else f"`{settings}`"
        message = f"{where} asks for the backend {str(backend)!r}; a network is trained with tensorflow, jax or torch"
        raise DataError.of(
            "missing-package",
            message,
            help="type `unset KERAS_BACKEND`" if where == "`KERAS_BACKEND`" else f"change it in {where}",
        )
    return str(backend)


def is_there(module: str) -> bool:
    """Whether a package is installed; a folder of its name in the current one is none."""
    found = find_spec(module)
    return found is not None and found.origin is not None


def require(*modules: str, what: str, span: Span | None = None, extra: str = "serve") -> None:
    """Raises DataError, code `missing-package`, where one of the modules is not installed.

    Args:
        modules: names as they are imported.
        what: what needs them: "`dataset: digits`".
        span: where the spec asks for it.
        extra: of `serve` and `studio`, which add the same modules, the one to install.
    """
    missing = [name for name in modules if not is_there(name)]
    if not missing:
        return
    names = [_PIP_NAMES.get(name, name) for name in missing]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    raise DataError.of(
        "missing-package",
        f"{what} needs {listed}, which {'are' if len(names) > 1 else 'is'} not installed",
        span,
        help=f"type `{install(*_requirements(missing, extra))}`",
    )


def install_missing(*modules: str) -> str | None:
    """The command that installs those of the modules that are not there; None: all are."""
    missing = [name for name in modules if not is_there(name)]
    return install(*_requirements(missing)) if missing else None


def install(*requirements: str) -> str:
    """The command that installs packages where dlspec is installed."""
    quoted = " ".join(f'"{name}"' if set(name) & set("[]<>=") else name for name in requirements)
    return f"{_python()} -m pip install {quoted}"


def _python() -> str:
    """This Python, as it is typed."""
    return f'"{sys.executable}"' if " " in sys.executable else sys.executable


def _requirements(missing: list[str], extra: str = "serve") -> list[str]:
    """The extra that brings all of the missing modules, or several; else the packages themselves."""
    twin = {"serve": "studio", "studio": "serve"}[extra]
    extras = sorted({key for key, modules in EXTRAS.items() if key != twin for name in missing if name in modules})
    others = [_PIP_NAMES.get(name, name) for name in missing if not any(name in modules for modules in EXTRAS.values())]
    if "tensorflow" in extras:
        extras = ["tensorflow", *(extra for extra in extras if extra in ASIDE)]
    return [*([f"dlspec[{','.join(extras)}]"] if extras else []), *others]
