"""The page in a real browser: what somebody does who has never seen it."""

import re
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.studio.servers import SPIRALS, needs_browser, opened, serving

pytestmark = needs_browser
LONGER = SPIRALS.replace("epochs: 120", "epochs: 200").replace("  early_stopping: {patience: 30}\n", "")
"""So many epochs that several pictures fit into a tenth of their time."""


def wait_for_check(tab, text="No mistakes"):
    tab.page.get_by_text(text).first.wait_for()


def test_it_opens_on_the_spirals_checked_and_drawn_with_a_hint(tab):
    wait_for_check(tab)
    boxes = tab.page.locator("[data-layer]")
    names = [box.get_attribute("data-layer") for box in boxes.all()]
    assert names == ["input", "dense_1", "dense_2", "dense_3", "output"]
    assert "(batch, 16)" in boxes.nth(1).text_content()
    assert tab.page.get_by_text("Press Train and watch the plane bend").is_visible()
    assert tab.text == SPIRALS
    assert "token" not in tab.page.url


def test_mistakes_stand_on_their_lines_and_are_mended(tab):
    wait_for_check(tab)
    tab.type_into(SPIRALS.replace("units: 8, activation: tanh", "unit: 8, activation: tanh"))
    wait_for_check(tab, "1 mistake")
    message = tab.page.locator("li.error", has_text="units")
    message.wait_for()
    assert "broken" in tab.page.locator("[data-layer=dense_3]").get_attribute("class")
    tab.page.locator(".cm-lintRange-error").wait_for()
    message.get_by_role("button", name="Line 17").click()
    tab.page.locator(".cm-activeLine", has_text="unit: 8").wait_for()
    message.locator("button.cure").click()
    wait_for_check(tab)
    assert tab.text == SPIRALS
    assert tab.page.locator("li.error").count() == 0


def test_boxes_and_lines_belong_together(tab):
    wait_for_check(tab)
    tab.page.locator("[data-layer=dense_2] [role=button]").first.click()
    tab.page.locator("[data-layer=dense_2].at").wait_for()
    tab.page.keyboard.press("ArrowDown")
    tab.page.locator("[data-layer=dense_3].at").wait_for()
    tab.page.get_by_role("button", name="Fewer units in dense_1").click()
    tab.page.locator("[data-layer=dense_1]", has_text="(batch, 12)").wait_for()
    assert tab.text == SPIRALS.replace("units: 16", "units: 12", 1)
    tab.page.get_by_role("button", name="More units in dense_1").press("Enter")
    tab.page.locator("[data-layer=dense_1]", has_text="(batch, 16)").wait_for()
    assert tab.text == SPIRALS


def test_layers_blocks_and_templates_are_put_in(tab):
    wait_for_check(tab)
    tab.page.locator("[data-layer=dense_2] [role=button]").first.click()
    tab.page.get_by_role("button", name="Insert").click()
    tab.page.get_by_role("searchbox").fill("dropout")
    tab.page.locator("[data-item=dropout]").click()
    tab.page.locator("[data-layer=dropout_1]").wait_for()
    lines = tab.text.splitlines()
    assert re.match(r"  - dropout", lines[lines.index("  - dense: {units: 8, activation: tanh}") - 1])
    tab.page.get_by_role("button", name="Insert").click()
    tab.page.get_by_role("button", name="Templates").click()
    tab.page.on("dialog", lambda dialog: dialog.accept())
    tab.page.locator("[data-item=iris_branches]").click()
    tab.page.get_by_text("Which iris it is").first.wait_for()
    wait_for_check(tab)
    assert tab.page.get_by_label("File").input_value() == "iris_branches.yaml"


def test_plain_words_in_both_languages(tab):
    wait_for_check(tab)
    tab.page.get_by_role("button", name="In plain words").click()
    tab.page.get_by_text("All random numbers come from seed 7").or_(tab.page.get_by_text("seed 7")).first.wait_for()
    tab.page.get_by_role("button", name="한국어").click()
    tab.page.get_by_text("난수는 모두 시드 7에서").wait_for()
    assert tab.page.get_by_role("tab", name="편집").get_attribute("aria-selected") == "true"
    assert tab.page.locator("html").get_attribute("lang") == "ko"
    assert tab.page.get_by_text("오류 없음").is_visible()


def test_spirals_are_trained_and_watched_to_the_verdict(tab, studio):
    """The one training of the everyday tests: also its curves, its report and its confusions."""
    wait_for_check(tab)
    tab.type_into(LONGER)
    tab.page.get_by_role("button", name="Train Ctrl").click()
    tab.page.locator(".uplot").wait_for(timeout=60_000)
    verdict = tab.page.locator("[data-outcome]")
    verdict.wait_for(timeout=60_000)
    assert "beats" in verdict.text_content()
    assert verdict.get_attribute("data-outcome") == "better"
    assert tab.page.get_by_text("200 of 200 epochs").is_visible()
    tab.page.get_by_role("tab", name="Watch").click()
    epoch = tab.page.get_by_label("Epoch", exact=True)
    tab.page.locator("[data-kind=plane] canvas").first.wait_for()
    last = painted(tab, "[data-kind=plane] canvas")
    epoch.press("Home")
    tab.page.get_by_text("Epoch 1", exact=True).wait_for()
    tab.page.wait_for_function(
        "last => document.querySelector('[data-kind=plane] canvas').toDataURL() !== last", arg=last
    )
    tab.page.get_by_role("button", name="Latest").click()
    tab.page.wait_for_function(
        "last => document.querySelector('[data-kind=plane] canvas').toDataURL() === last", arg=last
    )
    cell = tab.page.get_by_role("button", name="of first taken for first")
    cell.click()
    tab.page.get_by_text("of first, taken for first").wait_for()
    tab.page.locator("[aria-live] th", has_text="spiral").wait_for()  # the samples, by their columns
    assert tab.violations() == []
    with tab.page.context.expect_page() as shown:
        tab.page.get_by_role("button", name="Open the report").click()
    report = shown.value
    report.wait_for_load_state()
    assert "spiral_mlp" in report.title()
    report.reload()  # its address is used up
    assert "used already" in report.content()
    runs = studio.ask("/api/runs")
    assert [(run["name"], run["state"]) for run in runs["runs"]] == [("spiral_mlp/001", "finished")]
    resolved = (studio.folder / "runs/spiral_mlp/001/spec.yaml").read_text(encoding="utf-8")
    assert resolved == LONGER


def painted(tab, selector):
    """What a canvas shows."""
    return tab.page.locator(selector).first.evaluate("canvas => canvas.toDataURL()")


def test_dlspec_completes_and_explains(tab):
    wait_for_check(tab)
    tab.page.locator(".cm-line", has_text="early_stopping").click()
    tab.page.keyboard.press("End")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("class_w")
    tab.page.keyboard.press("Control+Space")
    tab.page.locator(".cm-tooltip-autocomplete li", has_text="class_weight").wait_for()
    tab.page.wait_for_timeout(120)  # CodeMirror takes no key that was meant for the text
    tab.page.keyboard.press("Enter")
    tab.page.locator(".cm-line", has_text="class_weight:").wait_for()
    tab.page.locator(".cm-line", has_text="early_stopping").hover(position={"x": 60, "y": 8})
    tab.page.locator(".cm-tooltip .told", has_text="When training ends before its last epoch").wait_for()


@pytest.mark.slow
def test_a_run_is_stopped_and_goes_on(browser, tmp_path):
    """From the page, and again after it was opened anew; a second run waits for its turn and is taken back."""
    long = SPIRALS.replace("epochs: 120", "epochs: 200000").replace("  early_stopping: {patience: 30}\n", "")
    with serving(tmp_path) as server, opened(browser, server) as tab:
        page = tab.page
        wait_for_check(tab)
        tab.type_into(long)
        page.get_by_role("button", name="Train Ctrl").click()
        page.locator("[data-state=running]").wait_for(timeout=60_000)
        page.locator(".uplot").wait_for()
        page.get_by_role("button", name="Train Ctrl").click()
        page.locator("[data-state=waiting]").wait_for()
        page.get_by_role("button", name="Take back").click()
        page.get_by_role("tab", name="Watch").click()
        page.get_by_label("Run", exact=True).select_option("spiral_mlp/001")
        page.get_by_role("button", name="Stop").click()
        page.locator("[data-state=stopped]").wait_for(timeout=60_000)
        before = server.ask("/api/runs/show", run="spiral_mlp/001")["history"]
        page.reload()
        page.get_by_role("tab", name="Watch").click()
        page.get_by_label("Run", exact=True).select_option("spiral_mlp/001")
        page.locator("[data-state=stopped]").wait_for()
        page.get_by_role("button", name="Go on").click()
        page.locator("[data-state=running]").wait_for(timeout=60_000)
        page.get_by_text(f"{len(before)} of 200000").wait_for(state="detached", timeout=60_000)
        page.get_by_role("button", name="Stop").click()
        page.locator("[data-state=stopped]").wait_for(timeout=60_000)
        after = server.ask("/api/runs/show", run="spiral_mlp/001")["history"]
        assert after[: len(before)] == before
        assert [row["epoch"] for row in after] == [*range(1, len(after) + 1)]
        assert len(after) > len(before) > 0
        assert tab.complaints == []


@pytest.mark.parametrize("dark", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["light", "dark"])
def test_nothing_keeps_people_from_using_it(browser, studio, dark):
    """axe, wide and on a phone, in both colors and languages."""
    scheme = "dark" if dark else "light"
    for viewport, locale in (({"width": 1400, "height": 860}, "en-US"), ({"width": 390, "height": 800}, "ko-KR")):
        with opened(browser, studio, viewport=viewport, locale=locale, color_scheme=scheme) as tab:
            tab.page.locator(".cm-content").wait_for()
            wait_for_check(tab, "No mistakes" if locale == "en-US" else "오류 없음")
            assert tab.violations() == []
            assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            tab.page.get_by_role("button", name="Insert" if locale == "en-US" else "넣기").click()
            tab.page.locator("[data-item=dense]").wait_for()
            assert tab.violations() == []
            assert tab.complaints == []


def test_on_a_phone_the_panes_are_tabs(browser, studio):
    with opened(browser, studio, viewport={"width": 390, "height": 800}) as tab:
        wait_for_check(tab)
        assert not tab.page.locator("[data-layer=dense_1]").is_visible()
        tab.page.get_by_role("button", name="Network").click()
        tab.page.locator("[data-layer=dense_1]").wait_for()
        assert not tab.page.locator(".cm-content").is_visible()
        tab.page.locator("[data-layer=dense_1] [role=button]").first.click()  # which leads to the text
        tab.page.locator(".cm-content").wait_for()


def test_all_of_it_is_reached_by_keys(tab):
    wait_for_check(tab)
    tab.page.get_by_role("tab", name="Edit").focus()
    tab.page.keyboard.press("ArrowRight")
    assert tab.page.get_by_role("tab", name="Watch").get_attribute("aria-selected") == "true"
    tab.page.keyboard.press("ArrowLeft")
    tab.page.locator(".cm-content").focus()
    tab.page.keyboard.press("Tab")  # leaves the editor
    assert not tab.page.evaluate("document.activeElement.classList.contains('cm-content')")
    names = set()
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        names.add(tab.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"))
    assert "More units in dense_1" in names
    assert any(name.startswith("dense_3") and "(batch, 8)" in name for name in names)
    tab.page.get_by_role("button", name="Insert").press("Enter")
    tab.page.keyboard.press("Escape")
    tab.page.locator("dialog").wait_for(state="detached")


def test_a_hidden_tab_holds_no_connection(browser, studio):
    """Browsers have six for a server, whatever the number of tabs."""
    with opened(browser, studio) as tab:
        wait_for_check(tab)
        hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true}); "
        hide += "document.dispatchEvent(new Event('visibilitychange')) }"
        with tab.page.expect_event("requestfailed", lambda asked: "/api/stream" in asked.url):
            tab.page.evaluate(hide, True)
        with tab.page.expect_request("**/api/stream*"):
            tab.page.evaluate(hide, False)


def test_without_the_token_the_page_says_what_to_do(browser, studio):
    context = browser.new_context()
    page = context.new_page()
    page.goto(studio.home)
    page.get_by_text("Open the address that").wait_for()
    context.close()


TRIES = """async ([home, token]) => {
  const found = []
  const one = async (path, options) => {
    const answer = await fetch(home + path, options).catch(() => null)
    found.push(answer ? `${answer.type} ${answer.status}` : 'refused')
  }
  await one('/api/files', {headers: {authorization: `Bearer ${token}`}})
  await one('/api/runs/train', {method: 'POST', body: '{}', mode: 'no-cors'})
  await one('/api/runs/train', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}'})
  await one('/', {})
  await new Promise((done) => {
    const socket = new WebSocket(home.replace('http', 'ws') + '/api/stream')
    const end = (word) => () => done(found.push(word))
    Object.assign(socket, {onclose: end('refused'), onopen: end('open')})
  })
  await new Promise((done) => {
    const image = new Image()
    const end = (word) => () => done(found.push(word))
    Object.assign(image, {onerror: end('refused'), onload: end('shown'), src: home + '/assets/index.css'})
  })
  return found
}"""
"""What a page of another site tries."""


@pytest.fixture
def stranger():
    """The address of a server on another port of this machine, which browsers count to the same site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    SimpleHTTPRequestHandler.log_message = lambda *words: None
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/nothing"
    server.shutdown()
    server.server_close()


def test_a_strangers_page_in_the_same_browser_gets_nothing(browser, studio, stranger):
    """It can neither read nor start anything, whatever it tries, had it the token even."""
    before = studio.ask("/api/runs")
    context = browser.new_context()
    page = context.new_page()
    page.goto(stranger)
    found = page.evaluate(TRIES, [studio.home, studio.token])
    assert found == ["refused"] * 6
    assert studio.ask("/api/runs") == before
    context.close()
