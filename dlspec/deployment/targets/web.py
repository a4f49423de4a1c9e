"""One page that runs the network in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.deployment.base import EXPORT_TARGETS, ExportTarget, Loaded
from dlspec.deployment.targets.onnx import Onnx
from dlspec.runtime.files import written_whole

if TYPE_CHECKING:
    from dlspec.deployment.steps import Program


@EXPORT_TARGETS.register
class Web(ExportTarget):
    """A page in one file, opened by a double click: a form and the answer, computed in the browser, without a server or
    a request."""

    of_places = False
    suffixes: ClassVar = (".html",)
    modules: ClassVar = (*Onnx.modules, "dlspec_web")
    examples: ClassVar = ["web"]

    def write(self, model: Any, path: Path) -> Program | None:
        with TemporaryDirectory(prefix="dlspec-web-") as folder:
            file = Path(folder) / f"{path.stem}.onnx"
            outside = Onnx().write(model, file)
            _write(file.read_bytes(), {"name": path.stem}, path)
        return outside

    def load(self, path: Path) -> Loaded:
        from dlspec.deployment.web.page import network_inside

        with TemporaryDirectory(prefix="dlspec-web-") as folder:
            file = Path(folder) / "network.onnx"
            file.write_bytes(network_inside(path.read_text(encoding="utf-8")))
            loaded = Onnx().load(file)
        return Loaded(loaded.run, loaded.batch, f"{loaded.runtime}; the page checks itself in the browser")

    def finish(self, path: Path, facts: Mapping[str, Any]) -> None:
        from dlspec.deployment.web.page import network_inside

        _write(network_inside(path.read_text(encoding="utf-8")), facts, path)


def _write(model: bytes, facts: Mapping[str, Any], path: Path) -> None:
    from dlspec.deployment.web.page import page_of

    with written_whole(path) as draft:
        draft.write_text(page_of(model, facts), encoding="utf-8", newline="\n")
