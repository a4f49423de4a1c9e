"""A studio in a process of its own, and a browser that opens it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT

AXE = ROOT / "packages" / "studio" / "node_modules" / "axe-core" / "axe.min.js"
SPIRALS = (ROOT / "specs" / "spiral_mlp.yaml").read_text(encoding="utf-8")
needs_browser = pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium on this machine")


@dataclass
class Server:
    """One that runs.

    Args:
        folder: its root.
        address: what it printed, with the token.
        process: of the server.
    """

    folder: Path
    address: str
    process: subprocess.Popen

    @property
    def home(self) -> str:
        return self.address.partition("/#")[0]

    @property
    def token(self) -> str:
        return self.address.partition("token=")[2]

    def client(self, **headers: str) -> httpx.Client:
        given = {"authorization": f"Bearer {self.token}", **headers}
        return httpx.Client(base_url=self.home, headers=given, timeout=60)

    def ask(self, path: str, **body: Any) -> Any:
        with self.client() as client:
            answer = client.post(path, json=body) if body else client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_for_run(self, name: str, *states: str, seconds: float = 90) -> dict:
        """The summary of a run once it is in one of these states."""
        until = time.monotonic() + seconds
        while True:
            found = self.ask("/api/runs")
            run = next((run for run in found["runs"] if run["name"] == name and run["state"] in states), None)
            if run is not None:
                return run
            assert time.monotonic() < until, found
            time.sleep(0.1)


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Server]:
    """A studio of a folder, ended at the end of the block together with what it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dlspec", "studio", str(folder), "--no-browser", "--port", "0", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        printed = ""
        while not (found := re.search(r"http://\S+", printed)):
            line = process.stdout.readline()
            assert line, f"the studio ended: {printed}"
            printed += line
        yield Server(folder, found[0], process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()


@dataclass
class Tab:
    """A page of the studio.

    Attributes:
        page: of Playwright.
        complaints: errors that it threw or logged.
        hosts: whom it asked.
    """

    page: Any
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def violations(self) -> list[str]:
        """What axe finds that keeps people from using the page."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed: `npm ci` in packages/studio")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [f"{each['id']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]

    def type_into(self, text: str) -> None:
        """Replaces the text of the spec."""
        self.page.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.press("Backspace")
        self.page.keyboard.insert_text(text)

    @property
    def text(self) -> str:
        """The spec as it is edited."""
        return self.page.evaluate("JSON.parse(sessionStorage.getItem('dlspec-draft')).text")


@contextmanager
def opened(browser: Any, server: Server, **context: Any) -> Iterator[Tab]:
    """A tab of its own, without anything that other tabs kept."""
    settings = {"viewport": {"width": 1400, "height": 860}, "locale": "en-US", **context}
    own = browser.new_context(**settings)
    try:
        tab = Tab(own.new_page())
        tab.page.set_default_timeout(20_000)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("console", lambda said: said.type == "error" and tab.complaints.append(said.text))
        tab.page.on("request", lambda asked: tab.hosts.add(asked.url.split("/")[2] if "//" in asked.url else ""))
        tab.page.goto(server.address)
        yield tab
    finally:
        own.close()
