"""Quantities with a unit: sizes, times and latencies, as a spec writes them and as dlspec shows them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator

from dlspec.language.fields import mistake, show_value

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def count_bytes(size: str) -> int:
    """`50 MB` as a number of bytes."""
    number, unit = re.fullmatch(r"([\d.]+) ?([KMGT]?B)", size).groups()  # type: ignore[union-attr]
    return round(float(number) * UNITS[unit])


def _size(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)? ?[KMGT]?B", value) or not count_bytes(value):
        meant = re.match(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)", str(value), re.IGNORECASE)
        given = meant is not None and meant[2] and float(meant[1]) > 0
        help = f"write `{meant[1]} {meant[2].upper()}B`" if meant and given else "write a number and a unit: `50 MB`"
        raise mistake("wrong-value", f"a size is a number and a unit, got {show_value(value)}", help=help)
    return value


TIME_UNITS = {"s": 1, "min": 60, "h": 3600}


def count_seconds(time: str) -> float:
    """`5 min` as a number of seconds."""
    number, unit = re.fullmatch(r"([\d.]+) ?(s|min|h)", time).groups()  # type: ignore[union-attr]
    return float(number) * TIME_UNITS[unit]


def _time(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)? ?(s|min|h)", value) or not count_seconds(value):
        spelt = r"\s*(\d+(?:\.\d+)?)\s*(?:(s|m|h)|(s)ec(?:onds?)?|(m)in(?:utes?)?|(h)ours?|)\s*"
        meant = re.fullmatch(spelt, str(value), re.IGNORECASE)
        letter = next((group for group in meant.groups()[1:] if group), "s").lower() if meant else "s"
        unit = {"m": "min", "h": "h"}.get(letter, "s")
        given = meant is not None and float(meant[1]) > 0
        help = f"write `{meant[1]} {unit}`" if meant and given else "write a number and a unit: `30 s`, `5 min`, `1 h`"
        raise mistake("wrong-value", f"a time is a number and a unit, got {show_value(value)}", help=help)
    return value


Time = Annotated[str, PlainValidator(_time)]
"""How long, such as `5 min`; `count_seconds` reads it."""


LATENCY_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def count_milliseconds(time: str) -> float:
    """`5 ms` as a number of milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+) ?(us|ms|s)", time).groups()  # type: ignore[union-attr]
    return float(number) * LATENCY_UNITS[unit]


def _latency(value: Any) -> str:
    known = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)? ?(us|ms|s)", value)
    if not known or not count_milliseconds(value):
        meant = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([µμu]s|m|ms|msecs?|milliseconds?|)\s*", str(value), re.IGNORECASE)
        unit = "us" if meant and meant[2][:1] in "µμuU" and meant[2] else "ms"
        given = meant is not None and float(meant[1]) > 0
        help = f"write `{meant[1]} {unit}`" if meant and given else "write a number and a unit: `5 ms`, `200 us`, `1 s`"
        raise mistake("wrong-value", f"a latency is a number and a unit, got {show_value(value)}", help=help)
    return str(value)


Latency = Annotated[str, PlainValidator(_latency)]
"""How long one sample may take, such as `5 ms`; `count_milliseconds` reads it."""


def show_bytes(count: float) -> str:
    """`1.4 MB`; decimal units, three digits."""
    unit = next((unit for unit in reversed(UNITS) if count >= UNITS[unit]), "B")
    scaled = count / UNITS[unit]
    return f"{scaled:.{0 if unit == 'B' or scaled >= 99.5 else 1}f} {unit}"


def show_seconds(seconds: float) -> str:
    """`8 s`, `1:05`, `2:03:00`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


Bytes = Annotated[str, PlainValidator(_size)]
"""A size such as `50 MB`; `count_bytes` reads it."""
