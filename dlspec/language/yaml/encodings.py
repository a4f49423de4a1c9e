"""Bytes -> text. A file that is not UTF-8 is named for what it is, so that one knows how to save it."""

from __future__ import annotations

import codecs
import re

from dlspec.language.diagnostics import Diagnostic, Span

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NAMES = {
    "utf-32": ("UTF-32", ""),
    "utf-16": ("UTF-16", " (Notepad's `Unicode`)"),
    "utf-16-le": ("UTF-16LE", " (Notepad's `Unicode`)"),
    "utf-16-be": ("UTF-16BE", " (Notepad's `Unicode big endian`)"),
    "cp949": ("CP949", " (the Korean Windows encoding, Notepad's `ANSI`)"),
    "cp1252": ("WINDOWS-1252", " (Latin-1, the Western Windows encoding, Notepad's `ANSI`)"),
}


def decode(data: bytes, file: str) -> tuple[str, Diagnostic | None]:
    """The text, and what to say when it is not UTF-8; then the text is the best guess, to be shown."""
    try:
        if _sixteen_bits(data) is None:
            return data.decode("utf-8-sig"), None
        at = 0
    except UnicodeDecodeError as error:
        at = error.start
    encoding = encoding_of(data)
    codec = encoding or "utf-8"
    before = data[:at].decode(codec, "replace")
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    span = Span(file, line, column, line, column + 1)
    if encoding is None:
        message = f"the file is not UTF-8 text: byte 0x{data[at]:02x} stands here"
        help = "save the file as UTF-8 in your editor"
    else:
        name, known_as = NAMES[encoding]
        message = f"the file is saved as {name}{known_as}, and a spec is UTF-8"
        help = (
            "save it as UTF-8: in Notepad `Save as`, `Encoding: UTF-8`; in VS Code `Save with Encoding`; or "
            f"`iconv -f {name} -t UTF-8 old.yaml > new.yaml`"
        )
    return data.decode(codec, "replace").removeprefix("\ufeff"), Diagnostic("not-utf-8", message, span, help=help)


def encoding_in_words(data: bytes) -> str | None:
    """What text that is not UTF-8 is likely saved as, as people know it."""
    encoding = encoding_of(data)
    return None if encoding is None else "".join(NAMES[encoding])


def marked_encoding(data: bytes) -> str | None:
    """The encoding that the mark at the beginning of text says; None: there is none, or it is that of UTF-8."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def encoding_of(data: bytes) -> str | None:
    """What text that is not UTF-8 is likely saved as, as Python calls it."""
    return _sixteen_bits(data) or _eight_bits(data)


def _sixteen_bits(data: bytes) -> str | None:
    """UTF-16 or UTF-32, by its mark or by the zeros beside each Latin letter."""
    if marked := marked_encoding(data):
        return marked
    sample = data[:2000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    enough = len(sample) // 8  # a quarter of the letters are Latin at least: the keys are
    if min(even, odd) <= max(even, odd) // 8 and max(even, odd) > max(enough, 1):
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _eight_bits(data: bytes) -> str | None:
    """CP949 or Latin-1: Korean letters are two high bytes each, Latin ones stand alone."""
    high = re.findall(rb"[\x80-\xff]+", data)
    paired = sum(len(run) for run in high if len(run) % 2 == 0)
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError:
        text = ""
    letters = [c for c in text if c > "\x7f"]
    korean = sum("가" <= c <= "힣" for c in letters)
    if letters and korean * 2 > len(letters) and paired * 2 > sum(map(len, high)):
        return "cp949"
    try:
        western = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [c for c in western if c > "\x7f"]
    return "cp1252" if sum(c.isalpha() or c in "€£°²³µ·–—‘’“”…«»×¿¡" for c in letters) * 2 > len(letters) else None
