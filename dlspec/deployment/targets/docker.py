"""A folder that an image is built of, which serves the network on ONNX Runtime without TensorFlow."""

from __future__ import annotations

import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, ExportTarget, Loaded

if TYPE_CHECKING:
    from dlspec.deployment.steps import Program

FILE, PACKAGE = "model.onnx", "serving"
ROOTS = ("onnxruntime", "numpy", "starlette", "uvicorn")
FASTER = ("httptools", "uvloop")
"""Packages that uvicorn is faster with, where they are installed."""
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
CHECK = (
    "import os, urllib.request as u; "
    "u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/v2/health/ready', timeout=2)"
)
DOCKERFILE = f"""\
FROM python:{PYTHON}-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
USER 10001
ENV PORT=8000 PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "{CHECK}"]
CMD ["python", "-m", "{PACKAGE}", "{FILE}", "--host", "0.0.0.0"]
"""
IGNORED = "Dockerfile\n.dockerignore\nREADME.md\nreceipt.json\n**/__pycache__\n"
README = f"""\
# {{name}}

A network that answers over HTTP, without TensorFlow.

    docker build -t {{name}} .
    docker run -p 8000:8000 -e DLSPEC_TOKEN="$(openssl rand -hex 16)" {{name}}
    curl localhost:8000/predict -H "Authorization: Bearer TOKEN" -d '{{{{"rows": [...]}}}}'

It does not start without a token. `rows.json` has rows to try, `signature.json` what the network takes and gives,
`/openapi.json` the paths. Without Docker: `pip install -r requirements.txt`, then `python -m {PACKAGE} {FILE}`.
"""


@EXPORT_TARGETS.register
class Docker(ExportTarget):
    """A folder with a Dockerfile, the ONNX file and the server of `dlspec serve`, which needs no dlspec."""

    of_places = False
    suffixes: ClassVar = ("docker",)
    modules: ClassVar = ("tf2onnx", "onnx", "onnxruntime", "starlette", "uvicorn")
    quantizes: ClassVar = True
    examples: ClassVar = ["docker"]

    def write(self, model: Any, path: Path) -> Program | None:
        from dlspec.deployment import serving

        path.mkdir()
        outside = self._onnx.write(model, path / FILE)
        shutil.copytree(
            Path(serving.__path__[0]), path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "*.mjs")
        )
        called = re.sub(r"[^a-z0-9._-]+", "-", path.name.lower()).strip("-._") or "network"
        texts = {
            "Dockerfile": DOCKERFILE,
            ".dockerignore": IGNORED,
            "README.md": README.format(name=called),
            "requirements.txt": "".join(f"{name}=={version}\n" for name, version in requirements().items()),
        }
        for name, text in texts.items():
            (path / name).write_text(text, encoding="utf-8", newline="\n")
        return outside

    def load(self, path: Path) -> Loaded | None:
        return self._onnx.load(path / FILE)

    @property
    def _onnx(self) -> ExportTarget:
        return EXPORT_TARGETS["onnx"](quantize=self.quantize)


def requirements() -> dict[str, str]:
    """Package -> version of all that the server needs, as they are installed here."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    waiting = [*ROOTS, *FASTER]
    while waiting:
        name = canonicalize_name(waiting.pop())
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:  # one that is not needed here, or only makes it faster
            continue
        if name in found:
            continue
        found[name] = version.partition("+")[0]
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return dict(sorted(found.items()))
