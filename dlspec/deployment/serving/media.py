"""Pictures and sounds in files, as `data:` addresses in JSON."""

from __future__ import annotations

import base64
import binascii
import io
import wave
from typing import Any

import numpy as np

from .problems import Problem, Refused

MOST_PIXELS = 64 * 2**20


def is_sound(shape: list[int | None]) -> bool:
    return len(shape) == 1


def read_media(
    text: str, shape: list[int | None], column: str, row: int, rate: int | None = None
) -> tuple[np.ndarray, list[Problem]]:
    """A file as values of the shape that the network takes.

    Args:
        text: `data:image/png;base64,...` or `data:audio/wav;base64,...`, or base64 alone.
        rate: of sounds, samples a second that the network takes; None: that is not known.

    Returns:
        The values, and what a reader of the prediction should know.

    Raises:
        Refused: it is no such file.
    """
    tail = text.partition(",")[2] if text.startswith("data:") else text
    try:
        content = base64.b64decode(tail, validate=True)
    except (binascii.Error, ValueError):
        raise _mistake(row, column, "has a text that is no file in base64") from None
    if is_sound(shape) or (content[:4] == b"RIFF" and b"WAVE" in content[:16]):
        return _sound(content, shape, column, row, rate)
    return _picture(content, shape, column, row)


def _mistake(
    row: int, column: str, said: str, help: str = "write the values themselves, as lists of numbers"
) -> Refused:
    return Refused(422, [Problem(row, column, f"`{column}` {said}", help)])


def _picture(content: bytes, shape: list[int | None], column: str, row: int) -> tuple[np.ndarray, list[Problem]]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise _mistake(row, column, "has a picture, and this server has no Pillow to read it") from None
    if len(shape) not in (2, 3) or None in shape[:2]:
        raise _mistake(row, column, f"has a picture, where the shape {shape} is needed")
    height, width = int(shape[0] or 0), int(shape[1] or 0)
    channels = int(shape[2] or 0) if len(shape) == 3 else 1
    if channels not in (1, 3):
        raise _mistake(row, column, f"has a picture, where {channels} channels are needed")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _mistake(row, column, "has a picture of too many pixels", "make it smaller")
            deep = opened.mode.startswith(("I", "F"))
            upright: Any = ImageOps.exif_transpose(opened)
            clear = "A" in upright.getbands() or "transparency" in upright.info
            picture = upright.convert("RGB" if channels == 3 else "L")
            picture.load()
    except Refused:
        raise
    except Exception as error:  # Pillow raises whatever it meets
        raise _mistake(row, column, f"has a picture that cannot be read: {error}") from None
    if deep or clear:
        what = "more than 8 bits a pixel" if deep else "pixels that one can see through"
        raise _mistake(row, column, f"has a picture with {what}", "save it with 8 bits a channel and none for opacity")
    warnings = []
    if picture.size != (width, height):
        said = f"the picture of {picture.width} x {picture.height} pixels was scaled to {width} x {height}"
        warnings.append(Problem(row, column, said))
        picture = picture.resize((width, height), Image.Resampling.BOX if picture.width > width else None)
    return np.asarray(picture, "float64").reshape(shape), warnings  # type: ignore[arg-type]


def _sound(
    content: bytes, shape: list[int | None], column: str, row: int, expected: int | None
) -> tuple[np.ndarray, list[Problem]]:
    try:
        with wave.open(io.BytesIO(content)) as opened:
            width, channels, rate = opened.getsampwidth(), opened.getnchannels(), opened.getframerate()
            frames = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise _mistake(row, column, f"has no WAV file that can be read: {error}") from None
    if expected is not None and rate != expected:
        said = f"has a sound of {rate:,} samples a second, where {expected:,} are needed"
        raise _mistake(row, column, said, f"bring it to {expected:,}")
    if width not in (1, 2, 4):
        raise _mistake(row, column, f"has a WAV file of {8 * width} bits", "save it with 16 bits")
    values = np.frombuffer(frames, {1: "u1", 2: "<i2", 4: "<i4"}[width]).astype("float64")
    values = (values - 128) / 128 if width == 1 else values / 2.0 ** (8 * width - 1)
    values = values[: len(values) // channels * channels].reshape(-1, channels).mean(axis=1)
    wanted = int(shape[0] or len(values))
    warnings = []
    if expected is None:
        said = f"the sound has {rate:,} samples a second, which should be those of training"
        warnings.append(Problem(row, column, said))
    if len(values) != wanted:
        did = "was cut" if len(values) > wanted else "was filled with silence"
        warnings.append(Problem(row, column, f"the sound of {len(values):,} samples {did} to {wanted:,}"))
    found = np.zeros(wanted)
    found[: len(values)] = values[:wanted]
    return found, warnings
