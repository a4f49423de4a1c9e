"""A client of yaml-language-server over standard input and output, as much of one as the tests need."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

PATIENCE = 60
"""Seconds to wait for an answer before the test fails."""

_FEATURES = {
    "validate": True,
    "completion": True,
    "hover": True,
    "schemaStore": {"enable": False},
    "disableDefaultProperties": True,
}


def find_server() -> str | None:
    """The program that `$YAML_LANGUAGE_SERVER` names, or the one on the path."""
    return os.environ.get("YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")


class LanguageClient:
    """Opens documents in a running server and asks what an editor would ask.

    Args:
        folder: where documents lie; a schema that the first line names is relative to it.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.replies: queue.Queue[dict] = queue.Queue()
        self.number = 0
        threading.Thread(target=self._listen, daemon=True).start()
        capabilities = {
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
            "workspace": {"configuration": True},
        }
        self.ask("initialize", {"processId": os.getpid(), "rootUri": folder.as_uri(), "capabilities": capabilities})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"yaml": _FEATURES}}})

    def close(self) -> None:
        """Ends the server."""
        self.ask("shutdown", None)
        self._send({"method": "exit", "params": None})
        self.process.wait(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()

    def open(self, name: str, text: str) -> str:
        """Opens a document; returns its URI."""
        uri = (self.folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return uri

    def diagnostics(self, name: str, text: str) -> list[tuple[int, str]]:
        """Line, from 1, and message of everything that the server finds."""
        uri = self.open(name, text)
        while True:
            message = self.replies.get(timeout=PATIENCE)
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found = message["params"]["diagnostics"]
                return [(each["range"]["start"]["line"] + 1, each["message"]) for each in found]

    def completions(self, name: str, text: str) -> list[dict]:
        """What is offered at the mark `|`."""
        answer = self._at_mark("textDocument/completion", name, text)
        return answer["items"] if isinstance(answer, dict) else answer or []

    def hover(self, name: str, text: str) -> str:
        """What is shown over the mark `|`, as Markdown."""
        answer = self._at_mark("textDocument/hover", name, text)
        return answer["contents"]["value"] if answer else ""

    def _at_mark(self, method: str, name: str, text: str):
        before, _, after = text.partition("|")
        uri = self.open(name, before + after)
        *lines, last = before.split("\n")
        position = {"line": len(lines), "character": len(last)}
        return self.ask(method, {"textDocument": {"uri": uri}, "position": position})

    def ask(self, method: str, params):
        """Sends a request and returns its result."""
        self.number += 1
        number = self.number
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self.replies.get(timeout=PATIENCE)
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message.get("result")

    def _send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _listen(self) -> None:
        while True:
            length = 0
            while line := self.process.stdout.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                return
            message = json.loads(self.process.stdout.read(length))
            if "id" in message and "method" in message:  # the server asks for settings
                wanted = message["params"].get("items", []) if message.get("params") else []
                result = [_FEATURES if each.get("section") == "yaml" else {} for each in wanted]
                self._send({"id": message["id"], "result": result if wanted else None})
            else:
                self.replies.put(message)
