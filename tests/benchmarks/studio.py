"""How fast the page of `dlspec studio` answers: from a key to what it changes, the first paint, and the first epoch.

Run it with: python -m tests.benchmarks.studio. It takes Chromium and Playwright, and half a minute.
"""

from __future__ import annotations

import gzip
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from dlspec.studio.routes.page import PAGE
from tests.studio.servers import SPIRALS, Server, opened, serving

KEYS = 40
LAYERS = 100
WATCH = """() => {
  window.pressed = []
  window.painted = []
  document.addEventListener('keydown', (event) => pressed.push(event.timeStamp), true)
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) painted.push([each.startTime, each.startTime + each.duration])
  }).observe({entryTypes: ['measure']})
}"""


def of_layers(count: int) -> str:
    layers = "".join(f"  - dense: {{units: {number}, activation: relu}}\n" for number in range(2, count + 1))
    return f"dlspec: 1\nname: deep\ndata: {{dataset: spirals}}\nmodel:\n{layers}  - output\ntrain: {{epochs: 1}}\n"


def resident(process: int) -> float:
    """Megabytes of memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def key_to_paint(browser: Any, server: Server) -> list[float]:
    """Milliseconds from a key to diagnostics and drawing of 100 layers on the screen: a mistake is made and mended."""
    with opened(browser, server) as tab:
        tab.page.locator(".pill.good").wait_for()
        tab.type_into(of_layers(LAYERS))
        tab.page.locator("[data-layer=dense_90]").wait_for()
        tab.page.locator(".cm-content").press("ControlOrMeta+Home")
        for _ in range(9):
            tab.page.keyboard.press("ArrowDown")
        tab.page.keyboard.press("End")
        tab.page.keyboard.press("ArrowLeft")
        time.sleep(1)
        tab.page.evaluate(WATCH)
        for number in range(KEYS):
            tab.page.keyboard.press("Backspace" if number % 2 else "x")
            time.sleep(0.25)
        pressed, painted = tab.page.evaluate("[pressed, painted]")
        found = []
        for key in pressed:
            ends = [end for began, end in painted if 0 <= began - key < 200]
            found += [ends[0] - key] if ends else []
        return found


def first_paint(browser: Any, server: Server) -> float:
    """Milliseconds until there is something to see, in a browser that has nothing of the page yet."""
    with opened(browser, server) as tab:
        tab.page.locator(".pill.good").wait_for()
        return tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")


def to_first_epoch(browser: Any, server: Server) -> list[float]:
    """Seconds from Train to the first epoch on the page: by the warm process, twice."""
    found = []
    with opened(browser, server) as tab:
        tab.page.locator(".pill.good").wait_for()
        tab.type_into(SPIRALS)
        for number in (1, 2):
            time.sleep(15)  # until a process has loaded Keras
            began = time.perf_counter()
            tab.page.get_by_role("button", name="Train Ctrl").click()
            tab.page.locator("strong.mono", has_text=f"spiral_mlp/00{number}").wait_for()
            tab.page.locator(".figures", has_text="120 epochs").wait_for(timeout=60_000)
            found.append(time.perf_counter() - began)
            tab.page.locator("[data-outcome]").wait_for(timeout=60_000)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        idle = resident(server.process.pid)
        paints = [first_paint(browser, server) for _ in range(5)]
        keys = key_to_paint(browser, server)
        epochs = to_first_epoch(browser, server)
        after = resident(server.process.pid)
        browser.close()
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in PAGE.rglob("*") if path.is_file())
    keys.sort()
    print(f"key to paint, {LAYERS} layers: median {statistics.median(keys):.0f} ms, "
          f"90% below {keys[int(len(keys) * 0.9)]:.0f} ms, of {len(keys)} keys")  # fmt: skip
    print(f"first paint: median {statistics.median(paints):.0f} ms of {len(paints)}")
    print(f"page: {size / 1000:.0f} KB gzip")
    print(f"server: {idle:.0f} MB idle, {after:.0f} MB after two runs")
    print(f"Train to first epoch: {', '.join(f'{seconds:.1f} s' for seconds in epochs)}")


if __name__ == "__main__":
    main()
