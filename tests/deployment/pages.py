"""A page in Chromium, told what to do through its own pipe."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Page:
    """One page of a browser.

    Args:
        write, read: ends of the pipes that it listens on and answers by.
    """

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, os.fdopen(read, "rb")
        self._numbers = itertools.count(1)
        self._session: str | None = None
        self._rest = b""
        self.events: list[dict] = []

    def _message(self) -> dict:
        while b"\0" not in self._rest:
            part = self._read.read1(65536)
            assert part, "the browser is gone"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def ask(self, method: str, **parameters: Any) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, address: str, width: int, dark: bool) -> None:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[feature])
        self.ask("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, script: str, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not self.run(f"!!({script})"):
            assert time.monotonic() < until, self.run("document.body.innerText")
            time.sleep(0.05)

    def choose(self, selector: str, file: Path) -> None:
        """Gives a file to an input of files."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    @property
    def complaints(self) -> list[str]:
        """What the browser logged: errors of scripts, and what its policy refused."""
        logged = [each["params"]["entry"]["text"] for each in self.events if each["method"] == "Log.entryAdded"]
        thrown = [str(each["params"]) for each in self.events if each["method"] == "Runtime.exceptionThrown"]
        return [text for text in logged if "422" not in text] + thrown

    @property
    def hosts(self) -> set[str]:
        """Which hosts it asked."""
        asked = [each for each in self.events if each["method"] == "Network.requestWillBeSent"]
        urls = [each["params"]["request"]["url"] for each in asked]
        return {url.split("/")[2] for url in urls if url.startswith("http")}


@contextmanager
def page(address: str, home: Path, width: int = 1200, dark: bool = False) -> Iterator[Page]:
    """A page in a browser of its own."""
    told, write = os.pipe()
    read, answers = os.pipe()
    for end in (told, answers):
        os.set_inheritable(end, True)
    words = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={home / 'browser'}",
        "--remote-debugging-pipe",
    ]  # fmt: skip
    script = f'exec "$@" 3<&{told} 4>&{answers}'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *words], pass_fds=(told, answers), stderr=subprocess.DEVNULL
    )
    os.close(told)
    os.close(answers)
    found = Page(write, read)
    try:
        found.open(address, width, dark)
        yield found
    finally:
        process.kill()
        process.wait()
        os.close(write)
        found._read.close()
