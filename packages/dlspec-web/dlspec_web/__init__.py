"""ONNX Runtime Web as pages need it: its script and its WebAssembly module, compared with their hashes when read."""

from __future__ import annotations

import hashlib
from importlib.resources import files

VERSION = "1.30.0"
"""Of onnxruntime-web."""
ARCHIVE = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
"""SHA-256 of `onnxruntime-web-1.30.0.tgz`, out of which the files are."""
SCRIPT, MODULE = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm.gz"
HASHES = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    MODULE: "9a202915ab712f2ac4504f9fd8c634d244a11e9f9e734361471a1fe6e7f984c0",
}
"""SHA-256 of each file."""
UNPACKED = "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
"""SHA-256 of the module unpacked, `dist/ort-wasm-simd-threaded.wasm`."""
LICENSES = ("LICENSE.onnxruntime", "ThirdPartyNotices.onnxruntime.txt")


class Damaged(Exception):
    """A file of the package is not the one that was packed."""


def script() -> bytes:
    """The runtime's script, an ES module."""
    return _read(SCRIPT)


def module() -> bytes:
    """The WebAssembly module, gzipped."""
    return _read(MODULE)


def license() -> str:
    """The license of the runtime."""
    return (files(__package__) / LICENSES[0]).read_text(encoding="utf-8")


def _read(name: str) -> bytes:
    data = (files(__package__) / name).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != HASHES[name]:
        raise Damaged(f"`{name}` has the SHA-256 {found}, and not {HASHES[name]}")
    return data
