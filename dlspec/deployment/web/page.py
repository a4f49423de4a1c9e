"""The page as text: the runtime, a network, what is known of it, and the scripts that answer."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dlspec.runtime.files import finite

HERE = Path(__file__).parent
SERVING = HERE.parent / "serving"
SCRIPTS = ("making", "network", "csv", "pixels", "fields", "pictures", "numbers", "sounds", "answer", "many", "main")
"""Modules of this folder, each after those that it takes from; in the page they are one."""
EXPORTED = ("InferenceSession", "Tensor", "env")
"""What the page takes of the runtime."""


def page_of(model: bytes, facts: Mapping[str, Any]) -> str:
    """The page.

    Args:
        model: a network as ONNX.
        facts: `name`, `description`, `signature`, `preprocessing`, `rows` and `allowed`; see `Web.finish`.
    """
    import dlspec_web

    runtime, scripts, css = _runtime(dlspec_web.script().decode()), _scripts(), _text(HERE / "page.css")
    known = {**facts, "runtime": f"ONNX Runtime Web {dlspec_web.VERSION}", "license": dlspec_web.license()}
    policy = (
        f"default-src 'none'; script-src {_hash(runtime)} {_hash(scripts)} 'wasm-unsafe-eval'; "
        f"style-src {_hash(css)}; base-uri 'none'; form-action 'none'"
    )
    slots = {
        "policy": policy,
        "title": html.escape(str(facts["name"])),
        "css": css,
        "facts": json.dumps(finite(known), ensure_ascii=False).replace("<", "\\u003c"),
        "model": base64.b64encode(model).decode(),
        "module": base64.b64encode(dlspec_web.module()).decode(),
        "runtime": runtime,
        "scripts": scripts,
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda slot: slots[slot[1]], _text(HERE / "page.html"))


def network_inside(page: str) -> bytes:
    """The ONNX file that is in a page."""
    found = re.search(r'<script type="application/octet-stream" id="model">([^<]*)</script>', page)
    if found is None:
        raise ValueError("the page has no network in it")
    return base64.b64decode(found[1])


def _runtime(script: str) -> str:
    """The runtime's module, which also names what it exports for the other script of the page."""
    (exports,) = re.findall(r"export\{([^}]*)\}", script)
    locals = {name: local for local, name in re.findall(r"([\w$]+) as ([\w$]+)", exports)}
    own = ",".join(f"{name}:{locals[name]}" for name in EXPORTED)
    script = re.sub(r"//# sourceMappingURL=\S*", "", script)
    return _inside_html(f"{script.rstrip()}\nglobalThis.onnxruntime={{{own}}};\n")


@cache
def _scripts() -> str:
    files = [SERVING / "preprocessing.mjs", SERVING / "naming.mjs", *(HERE / f"{name}.mjs" for name in SCRIPTS)]
    joined = "\n".join(re.sub(r"^import [^;]*;\n", "", _text(file), flags=re.MULTILINE) for file in files)
    return _inside_html(joined)


def _inside_html(script: str) -> str:
    if re.search(r"<!--|<(/?)script", script, re.IGNORECASE):
        raise ValueError("a script would end the element that it stands in")
    return script


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
