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
    "cp932": ("SHIFT_JIS", " (the Japanese Windows encoding, Notepad's `ANSI`)"),
    "gb18030": ("GB18030", " (a Chinese encoding)"),
    "cp1252": ("WINDOWS-1252", " (Latin-1, the Western Windows encoding, Notepad's `ANSI`)"),
}

MOSTLY = 0.8
"""The share of letters of one script in text of that script; signs, and letters of others, are the rest."""


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
    """CP949, Shift-JIS, GB 18030 or Latin-1.

    Korean letters are two bytes, most of them from A1 on, and nearly all are syllables; Japanese ones begin with a byte
    from 81 to 9F, which Western text has for rare signs alone; of Chinese ones about half would be Korean syllables.
    """
    high = re.findall(rb"[\x80-\xff]+", data)
    paired = sum(len(run) for run in high if len(run) % 2 == 0)
    in_pairs = paired * 2 > sum(map(len, high))
    if in_pairs and _share(data, "cp949", "가", "힣") > MOSTLY and _common_syllables(data):
        return "cp949"
    low = sum(0x81 <= byte <= 0x9F for run in high for byte in run)
    if low * 4 > sum(map(len, high)) and _share(data, "cp932", "\u3040", "\u9fff") > MOSTLY:
        return "cp932"
    if in_pairs and _share(data, "gb18030", "\u4e00", "\u9fff") > MOSTLY:
        return "gb18030"
    try:
        western = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [c for c in western if c > "\x7f"]
    return "cp1252" if sum(c.isalpha() or c in "€£°²³µ·–—‘’“”…«»×¿¡" for c in letters) * 2 > len(letters) else None


def _common_syllables(data: bytes) -> bool:
    """Whether most syllables of Korean text are among those of EUC-KR, as in all text that means something."""
    codes = [c.encode("cp949") for c in data.decode("cp949", "ignore") if "가" <= c <= "힣"]
    return sum(min(code) >= 0xA1 for code in codes) > 0.75 * len(codes)


def _share(data: bytes, encoding: str, first: str, last: str) -> float:
    """The share of letters of a script among those beyond ASCII; 0 where the text is not of the encoding."""
    try:
        letters = [c for c in data.decode(encoding) if c > "\x7f"]
    except UnicodeDecodeError as error:
        if error.start < len(data) - 2:  # else it ends within a letter
            return 0.0
        letters = [c for c in data[: error.start].decode(encoding) if c > "\x7f"]
    return sum(first <= c <= last for c in letters) / len(letters) if letters else 0.0
