"""24,000 requests, of which one in a hundred is broken, slow or cut off: every whole one is answered rightly."""

import asyncio
import itertools
import json
import random
import signal
from collections import Counter

import pytest

from tests.deployment.servers import serving

REQUESTS, CLIENTS, ODD = 24_000, 24, 100
WARDS, ANSWERS = ("north", "south", "east", "wäst"), ("yes", "no")
ROWS = [[{"ward": ward, "garden": garden}] for ward, garden in itertools.product(WARDS, ANSWERS)]
BODIES = [json.dumps({"rows": rows * (1 + place % 3)}).encode() for place, rows in enumerate(ROWS)]


def request(body, path="/predict", length=None, close=False):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *["Connection: close"] * close, "", ""]).encode() + body


BROKEN = {
    "no json": (request(b'{"rows": [{"ward"'), 400),
    "not a number": (request(b'{"rows": [{"ward": NaN, "garden": "yes"}]}'), 400),
    "a wrong type": (request(b'{"rows": [{"ward": [], "garden": "yes"}]}'), 422),
    "no column": (request(b'{"rows": [{"ward": "north"}]}'), 422),
    "no rows": (request(b'{"rows": []}'), 422),
    "another path": (request(BODIES[0], "/predictions"), 404),
    "another site": (request(BODIES[0]).replace(b"Host:", b"Origin: http://evil.example\r\nHost:"), 403),
    "another host": (request(BODIES[0]).replace(b"Host: localhost", b"Host: evil.example"), 421),
    "too large": (request(b" " * (2**20 + 7)), 413),
    "too many rows": (request(json.dumps(ROWS[0] * 1001).encode()), 413),
    "no http": (b"GARBAGE\x00\x01\r\n\r\n", 400),
    "a wrong length": (request(BODIES[0], length="x"), 400),
}
ODD_KINDS = [*BROKEN, "slow", "never whole", "cut off", "cut off while it waits"]


async def answered(reader):
    """Status and content of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return int(head.split()[1]), await reader.readexactly(length)


async def odd_request(port, kind, expected, count):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    place = random.randrange(len(BODIES))
    whole = request(BODIES[place])
    try:
        if kind in BROKEN:
            sent, status = BROKEN[kind]
            writer.write(sent)
            try:
                found, content = await answered(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                found, content = "no answer", b""
            said = found == status and (
                kind in ("no http", "a wrong length") or json.loads(content)["errors"][0]["message"]
            )
            count[kind, "right" if said else f"wrong: {found}"] += 1
        elif kind == "slow":
            for i in range(0, len(whole), 40):
                writer.write(whole[i : i + 40])
                await asyncio.sleep(0.05)
            count[kind, "right" if await answered(reader) == (200, expected[place]) else "wrong"] += 1
        elif kind == "never whole":
            writer.write(whole[:-3])
            count[kind, "right" if (await answered(reader))[0] == 408 else "wrong"] += 1
        else:
            writer.write(whole if kind == "cut off while it waits" else whole[:-3])
            await writer.drain()
            count[kind, "right"] += 1
    finally:
        writer.transport.abort() if kind.startswith("cut") else writer.close()


async def attack(port, expected):
    """How many of each kind were answered rightly."""
    count, waiting = Counter(), iter(range(REQUESTS))
    kinds, others = itertools.cycle(ODD_KINDS), []

    async def client():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in waiting:
            if number % ODD == 0:
                others.append(asyncio.create_task(odd_request(port, next(kinds), expected, count)))
                continue
            place = number % len(BODIES)
            writer.write(request(BODIES[place]))
            right = await answered(reader) == (200, expected[place])
            count["whole", "right" if right else "wrong"] += 1
        writer.close()

    async with asyncio.timeout(400):
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        await asyncio.gather(*others)
    return count


@pytest.mark.slow
def test_every_whole_request_is_answered_and_every_broken_one_told(exported, tmp_path):
    with serving(exported("numbers"), "--body", "1", "--rows", "1000", home=tmp_path) as server:
        expected = [server.client.post("/predict", content=body).content for body in BODIES]
        count = asyncio.run(attack(server.port, expected))
        assert {kind: number for kind, number in count.items() if kind[1] != "right"} == {}
        assert count["whole", "right"] == REQUESTS - REQUESTS // ODD
        assert sum(count.values()) == REQUESTS
        assert {kind for kind, _ in count} == {"whole", *ODD_KINDS}
        print(dict(count))
        again = [server.client.post("/predict", content=body).content for body in BODIES]
        assert again == expected
        assert "dlspec_waiting_rows 0" in server.client.get("/metrics").text
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=40) == 0
    assert "Traceback" not in server.printed
