"""What a real browser makes of a page."""

import base64
import json
import os
import re
import select
import shutil
import subprocess
import time
from contextlib import contextmanager

import pytest

needs_browser = pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium on this machine")

_MEASURE = (
    "<script>addEventListener('load', () => { const svgs = [...document.querySelectorAll('figure svg')];"
    "document.title = JSON.stringify([document.documentElement.scrollWidth - innerWidth,"
    "Math.min(...svgs.map(s => s.getBoundingClientRect().height)) > 15]) })</script>"
)


def measured(html, folder, width):
    """How many pixels a page sticks out to the right at this width, and whether every figure is drawn.

    The page measures itself, by a script that its own policy would not let run; so that is taken out.
    """
    page = folder / f"page_{width}.html"
    own = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    page.write_text(own.replace("</body>", f"{_MEASURE}</body>"), encoding="utf-8")
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={folder / 'p'}",
         f"--window-size={width},900", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    found = re.search(r"<title>\[(-?\d+),(true|false)\]</title>", shown.stdout)
    assert found, f"the browser did not measure the page: {shown.stdout[:300]} {shown.stderr[-300:]}"
    return int(found[1]), found[2] == "true"


class Tab:
    """A page that is open in Chromium, driven through its pipe.

    Attributes:
        requests: the addresses of everything that the page asked for.
        errors: what it threw, and what it wrote to the console as an error.
    """

    def __init__(self, to, back):
        self._to, self._back, self._count, self._rest = to, back, 0, b""
        self.requests, self.errors, self._session, self._loaded = [], [], None, False

    def send(self, method, **params):
        """The result of a command of the DevTools protocol."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._count:
                assert "error" not in found, (method, found["error"])
                return found["result"]

    def _next(self):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._back], [], [], 90)
            data = os.read(self._back, 1 << 20) if ready else b""
            assert data, "the browser does not answer"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        found = json.loads(line)
        said = found.get("params", {})
        if found.get("method") == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif found.get("method") == "Runtime.exceptionThrown":
            self.errors.append(said["exceptionDetails"])
        elif found.get("method") == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.errors.append(said["entry"]["text"])
        elif found.get("method") == "Page.loadEventFired":
            self._loaded = True
        return found

    def open(self, address, width, height, dark):
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        phone = width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False  # about:blank was
        self.send("Page.navigate", url=address)
        while not self._loaded:
            self._next()

    def evaluate(self, expression):
        """The value of an expression of JavaScript; a promise is waited for."""
        found = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, expression, seconds=60):
        """Until an expression, which is no element, is true; returns its value."""
        ends = time.monotonic() + seconds
        while not (found := self.evaluate(expression)):
            assert time.monotonic() < ends, f"`{expression}` stays {found!r}: {self.errors}"
            time.sleep(0.05)
        return found

    def screenshot(self, path, whole=False):
        found = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def opened(address, folder, width=390, height=844, dark=False):
    """A `Tab` with the page at an address."""
    theirs, to = os.pipe()
    back, ours = os.pipe()

    def pipes():
        """The browser reads commands from 3, and writes what it has to say to 4."""
        first, second = os.dup(theirs), os.dup(ours)
        os.dup2(first, 3)
        os.dup2(second, 4)

    browser = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", f"--user-data-dir={folder / 'profile'}",
         "--remote-debugging-pipe"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False,
    )  # fmt: skip
    os.close(theirs)
    os.close(ours)
    try:
        tab = Tab(to, back)
        tab.open(address, width, height, dark)
        yield tab
    finally:
        os.close(to)
        os.close(back)
        browser.terminate()
        browser.wait(20)
