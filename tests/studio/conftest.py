"""One studio for all tests of a worker here, and one browser for those of a file: the event loop of Playwright would be
in the way of others."""

import pytest

from tests.studio.servers import opened, serving


@pytest.fixture(scope="package")
def studio(tmp_path_factory):
    """A studio of an empty folder."""
    with serving(tmp_path_factory.mktemp("studio")) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser, studio):
    """A new tab of the studio, wide and light, in English."""
    with opened(browser, studio) as page:
        yield page
        assert page.complaints == []
        assert page.hosts <= {studio.home.partition("//")[2], ""}
