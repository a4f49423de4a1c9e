"""What a real browser makes of a page."""

import re
import shutil
import subprocess

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
