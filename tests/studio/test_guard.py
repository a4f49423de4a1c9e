"""Nothing that is not allowed passes. Each group names what went wrong in servers on loopback before."""

import asyncio
import json

import httpx
import pytest

from dlspec.studio.guard import MOST_JSON, Guard
from dlspec.studio.routes import ROUTES

PORT, TOKEN = 8765, "secret"
HOST = {"host": f"127.0.0.1:{PORT}"}
KNOWN = {**HOST, "authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


async def everything(scope, receive, send):
    """An application that answers whatever reaches it."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOWALL")]})
    await send({"type": "http.response.body", "body": b"reached"})


def ask(method="GET", path="/api/files", headers=KNOWN, body=b""):
    """Status and headers of the answer to one request."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }  # fmt: skip
    asyncio.run(Guard(everything, PORT, TOKEN)(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered


def test_who_has_the_address_is_answered():
    assert ask()[0] == 200
    assert ask("POST", headers={**KNOWN, **JSON})[0] == 200
    for name in (f"localhost:{PORT}", f"[::1]:{PORT}"):
        assert ask(headers={**KNOWN, "host": name, "origin": f"http://{name}"})[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:80",
        f"127.0.0.1.nip.io:{PORT}",
        "",
        "0.0.0.0:8765",
    ],
)
@pytest.mark.parametrize("path", ["/", "/assets/studio.js", "/t/x", "/api/files"])
def test_another_name_of_this_machine_is_refused(host, path):
    """DNS rebinding: a stranger's name that points to 127.0.0.1."""
    assert ask(path=path, headers={**KNOWN, "host": host})[0] == 421


def test_no_host_and_two_hosts_are_refused():
    assert ask(headers={"authorization": KNOWN["authorization"]})[0] == 421
    assert ask(headers=[*KNOWN.items(), ("host", "evil.example")])[0] == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"https://127.0.0.1:{PORT}", "http://127.0.0.1:80"])
@pytest.mark.parametrize("method", METHODS)
def test_other_origins_are_refused_by_every_method(origin, method):
    """`null`, which a sandboxed frame sends, was allowed (Gradio); a check of POST and PUT forgot DELETE (Ray)."""
    for path in ("/", "/api/files", "/t/x"):
        assert ask(method, path, {**KNOWN, **JSON, "origin": origin})[0] == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "odd"])
def test_pages_of_other_sites_are_refused(site):
    """A link, an image or a form of another page sends no Origin with GET, but browsers say where it comes from; a
    server on another port of this machine is of the same site."""
    for path in ("/", "/assets/studio.js", "/api/files", "/t/x"):
        assert ask(path=path, headers={**KNOWN, "sec-fetch-site": site})[0] == 403


@pytest.mark.parametrize("method", [each for each in METHODS if each not in ("GET", "HEAD", "POST")])
def test_other_methods_are_refused(method):
    assert ask(method, headers={**KNOWN, **JSON})[0] == 405


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": "Bearer other"},
        {"authorization": TOKEN},
        {"cookie": f"token={TOKEN}"},
        {"authorization": "Bearer "},
    ],
    ids=str,
)
def test_without_the_token_nothing_but_the_page_is_answered(given):
    """The token is neither a cookie, which all ports of a machine share, nor in the query, which logs keep."""
    for method, path in (("GET", "/api/files"), ("POST", "/api/check"), ("POST", "/"), ("GET", "/other")):
        assert ask(method, path, {**HOST, **JSON, **given})[0] == 401
    assert ask(path="/", headers={**HOST, **given})[0] == 200


def test_whatever_route_there_is_needs_the_token():
    """A route that the check of the others did not know was the terminal of marimo."""
    asked = [
        (method, route.path.replace("{key}", "x"))
        for route in ROUTES
        for method in getattr(route, "methods", None) or ("GET", "POST")
    ]
    refused = {(method, path) for method, path in asked if ask(method, path, {**HOST, **JSON})[0] == 401}
    assert {*asked} - refused == {("GET", "/"), ("HEAD", "/"), ("GET", "/t/x"), ("HEAD", "/t/x")}
    assert ("POST", "/api/runs/train") in refused


@pytest.mark.parametrize(
    "sent", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/octet-stream"]
)
def test_forms_and_texts_are_no_json(sent):
    """What a form or a script of another site can send without asking first."""
    assert ask("POST", headers={**KNOWN, "content-type": sent})[0] == 415


def test_only_uploads_take_bytes():
    octets = {**KNOWN, "content-type": "application/octet-stream"}
    assert ask("POST", "/api/uploads/x", octets)[0] == 200
    assert ask("POST", "/api/uploads/x", {**KNOWN, **JSON})[0] == 415
    assert ask("POST", headers={**KNOWN, **JSON, "content-encoding": "gzip"})[0] == 415


def test_a_body_has_an_end():
    assert ask("POST", headers={**KNOWN, **JSON}, body=b" " * (MOST_JSON + 1))[0] == 413


def test_no_websocket_is_accepted():
    """One without the check of the other requests was how strangers got in (marimo)."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    headers = [(name.encode(), value.encode()) for name, value in KNOWN.items()]
    scope = {"type": "websocket", "path": "/api/stream", "headers": headers}
    asyncio.run(Guard(everything, PORT, TOKEN)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("path", ["/", "/api/files", "/t/x"])
@pytest.mark.parametrize("headers", [KNOWN, {}], ids=["answered", "refused"])
def test_every_answer_says_what_a_browser_may_do_with_it(path, headers):
    """Also one that is refused, and whatever a route says itself."""
    _, answered = ask(path=path, headers=headers)
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["x-frame-options"] == "DENY"
    assert answered["cross-origin-resource-policy"] == answered["cross-origin-opener-policy"] == "same-origin"
    assert answered["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answered["content-security-policy"]
    assert "unsafe-inline" not in answered["content-security-policy"].partition("style-src")[0]
    assert "set-cookie" not in answered


def test_a_report_has_no_scripts_and_an_origin_of_its_own():
    """A page or an SVG out of a folder ran with the rights of the server (Gradio, MLflow, Jupyter)."""
    policy = ask(path="/t/x", headers=HOST)[1]["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


def test_styles_are_allowed_by_a_number_that_is_used_once():
    policies = {ask(path="/", headers=HOST)[1]["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3


def test_the_server_itself_refuses_so(studio):
    """The guard is around everything, also what is not found, and the page has the number of its policy."""
    with httpx.Client(base_url=studio.home, timeout=20) as client:
        assert client.get("/api/files").status_code == 401
        assert client.get("/api/files", params={"token": studio.token}).status_code == 401
        assert client.get("/other").status_code == 401
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421
        page = client.get("/")
        nonce = page.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
        assert len(nonce) > 15
        assert f'content="{nonce}"' in page.text
        assert studio.token not in page.text
        assert client.get("/assets/../server.py").status_code in (401, 404)
        assert client.get("/assets/%2e%2e/server.py").status_code == 404
        upgrade = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-key": "x"}
        assert client.get("/api/stream", headers=upgrade).status_code == 401
    with studio.client() as client:
        assert client.get("/other").status_code == 404
        wrong = client.post("/api/check", content=b"[1]", headers=JSON)
        assert (wrong.status_code, json.loads(wrong.text)["error"]) == (400, "the body is not an object")
        assert client.post("/api/check", json={"text": 1, "file": "a.yaml"}).status_code == 400
