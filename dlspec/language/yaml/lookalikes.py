"""Signs that an Asian keyboard, a word processor or a web page puts where YAML needs a plain one.

`name：lstm` with a full-width colon is no key to YAML, and a non-breaking space no indentation. Such a sign is a
diagnostic at its place, and reading goes on as if the right one stood there. In quotation marks, in block text, in
comments and within a value these signs are what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from dlspec.language.diagnostics import Diagnostic, Edit, Fix, Span

SIGNS = {
    "：": (":", "colon", "`:` and a space"),
    "，": (",", "comma", "`,`"),
    "［": ("[", "bracket", "`[`"),
    "］": ("]", "bracket", "`]`"),
    "｛": ("{", "brace", "`{`"),
    "｝": ("}", "brace", "`}`"),
    "＃": ("#", "number sign", "`#`"),
    "－": ("-", "hyphen", "`-` and a space"),
}
SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_NAMES = {"\u00a0": "non-breaking", "\u202f": "non-breaking", "\u2007": "non-breaking", "\u3000": "full-width"}
_ANY = re.compile(f"[{''.join(SIGNS)}{SPACES}]")
_BLANK = f" \t{SPACES}"
_KEY = re.compile(rf"\w[\w.-]*[{_BLANK}]*")
_BLOCK_TEXT = re.compile(r"[|>][0-9+-]*\s*(#.*)?")
_ESCAPES = {'"': "\\", "'": "''"}
MAX_SHOWN = 50
MAX_TEXT = 1_000_000
"""Longer texts are no specs that someone typed."""


@dataclass(slots=True)
class Mended:
    """Lines as YAML needs them, and what was wrong.

    `put_in` says for a line (from 0) at which columns a space stands that was not written: behind `:`.
    """

    lines: list[str]
    problems: list[Diagnostic] = field(default_factory=list)
    put_in: dict[int, list[int]] = field(default_factory=dict)

    def column(self, line: int, column: int) -> int:
        """The column as it was written."""
        return column - sum(place < column for place in self.put_in.get(line, ()))

    def as_written(self, span: Span) -> Span:
        if not self.put_in:
            return span
        start = self.column(span.line - 1, span.column - 1) + 1
        end = self.column(span.end_line - 1, span.end_column - 1) + 1
        return replace(span, column=start, end_column=max(end, start + 1) if span.line == span.end_line else end)


def mend(text: str, file: str) -> Mended:
    """The lines of the text with plain signs where others were typed."""
    lines = text.split("\n")
    if len(text) > MAX_TEXT or not _ANY.search(text):
        return Mended(lines)
    mended = Mended([])
    scanner = _Scanner(file, mended.problems)
    for number, line in enumerate(lines):
        scanner.read(number, line)
        mended.lines.append(scanner.written())
        if scanner.put_in:
            mended.put_in[number] = scanner.put_in
    if len(mended.problems) > MAX_SHOWN:
        more = len(mended.problems) - MAX_SHOWN
        del mended.problems[MAX_SHOWN:]
        mended.problems[-1] = replace(mended.problems[-1], notes=(f"{more:,} more signs like these follow",))
    return mended


class _Scanner:
    """Follows quotation marks, brackets and block text from line to line, to tell signs from text."""

    def __init__(self, file: str, problems: list[Diagnostic]) -> None:
        self.file = file
        self.problems = problems
        self.open: list[str] = []  # brackets
        self.quote = ""
        self.block: int | None = None  # text of `|` or `>` is indented deeper than this
        self.plain: int | None = None  # a value goes on in lines that are indented deeper than this

    def read(self, number: int, line: str) -> None:
        self.number, self.line, self.chars = number, line, list(line)
        self.spaces: list[int] = []  # where a space is missing
        content = len(line) - len(line.lstrip(_BLANK))
        blank = content == len(line)
        if self.block is not None and not self.quote:
            if blank:
                return
            if content > self.block:
                self._space(0, min(content, self.block + 1))
                return
            self.block = None
        if self.plain is not None and not self.open and not self.quote:
            if blank or content > self.plain:
                return
            self.plain = None
        at = 0
        self.column = content  # of the key or `-` that the rest of the line belongs to
        self.may_be_key = not self.quote
        while at < len(line):
            at = self._quoted(at) if self.quote else self._token(at)

    def written(self) -> str:
        for place in reversed(self.spaces):
            self.chars.insert(place, " ")
        return "".join(self.chars)

    @property
    def put_in(self) -> list[int]:
        return [place + index for index, place in enumerate(self.spaces)]

    def _token(self, at: int) -> int:
        """Reads what stands at `at`, where a token may begin, and returns where the next one may."""
        line = self.line
        sign = line[at]
        if sign in _BLANK:
            end = at + len(line[at:]) - len(line[at:].lstrip(_BLANK))
            self._space(at, end)
            return end
        if sign == "#" and (at == 0 or line[at - 1] in _BLANK):
            return len(line)
        if sign == "＃" and not line[:at].strip(_BLANK):
            self._sign(at)
            return len(line)
        if sign in "\"'":
            self.quote = sign
            return at + 1
        if sign in "[{［｛":
            self._sign(at)
            self.open.append(SIGNS.get(sign, (sign,))[0])
            self.may_be_key = True
            return at + 1
        if self.open and sign in "]}］｝,，":
            self._sign(at)
            if sign in ",，":
                self.may_be_key = True
            else:
                self.open.pop()
            return at + 1
        if sign in "-－" and not self.open and line[at + 1 : at + 2].strip(_BLANK) == "":
            self._sign(at)
            self.column = at
            return at + 1
        if sign == ":" or (sign == "：" and self.may_be_key):
            self._colon(at)
            return at + 1
        if sign in "|>" and not self.open and _BLOCK_TEXT.fullmatch(line, at):
            self.block = self.column
            return len(line)
        if sign in "&*!" and not line[:at].endswith(tuple("\"'")):
            return at + len(re.match(r"\S*", line[at:])[0])  # type: ignore[index]
        return self._plain(at)

    def _plain(self, at: int) -> int:
        """Reads text without quotation marks; returns where it ends."""
        line, brackets, end = self.line, 0, at
        while end < len(line):
            sign, behind = line[end], line[end + 1 : end + 2]
            if sign == ":" and (not behind.strip(_BLANK) or (self.open and behind in ",[]{}")):
                break
            if sign == "：" and self.may_be_key and _KEY.fullmatch(line, at, end):
                break
            if sign == "#" and line[end - 1] in _BLANK:
                break
            if sign in "［｛":
                brackets += 1
            elif sign in "］｝" and brackets:
                brackets -= 1
            elif self.open and sign in ",]}，］｝":
                break
            end += 1
        text = line[at:end]
        self._space(at + len(text.rstrip(_BLANK)), end)
        if line[end : end + 1] in (":", "："):
            self.column = at if not self.open else self.column
        elif not self.open:
            self.plain = self.column
        return end

    def _quoted(self, at: int) -> int:
        """Reads on to the closing quotation mark; returns what comes behind it."""
        line = self.line
        while at < len(line):
            if line[at : at + (2 if self.quote == "'" else 1)] == _ESCAPES[self.quote]:
                at += 2
            elif line[at] == self.quote:
                self.quote = ""
                return at + 1
            else:
                at += 1
        return at

    def _colon(self, at: int) -> None:
        self._sign(at)
        self.may_be_key = False
        behind = self.line[at + 1 : at + 2]
        if self.line[at] == "：" and behind and behind not in _BLANK:
            self.spaces.append(at + 1)

    def _sign(self, at: int) -> None:
        sign = self.line[at]
        if sign not in SIGNS:
            return
        self.chars[at], name, typed = SIGNS[sign]
        behind = self.line[at + 1 : at + 2]
        blank = " " if typed.endswith("a space") and behind and behind not in _BLANK else ""
        said = f"`{sign}` is a full-width {name}, which YAML takes for text"
        self._problem("full-width-sign", said, (at, at + 1), typed, self.chars[at] + blank)

    def _space(self, start: int, end: int) -> None:
        """Makes odd spaces from `start` to `end` plain ones."""
        odd = [at for at in range(start, end) if self.line[at] in SPACES]
        if not odd:
            return
        for at in odd:
            self.chars[at] = " "
        space = self.line[odd[0]]
        message = f"a {_NAMES.get(space, 'typographic')} space (U+{ord(space):04X}) stands here"
        stretch = odd[0], odd[-1] + 1
        plain = "".join(" " if sign in SPACES else sign for sign in self.line[odd[0] : odd[-1] + 1])
        self._problem("odd-space", message, stretch, "an ordinary space", plain)

    def _problem(self, code: str, message: str, stretch: tuple[int, int], typed: str, plain: str) -> None:
        """Says what is wrong with a stretch of the line, and which plain signs belong there."""
        start, end = stretch
        span = Span(self.file, self.number + 1, start + 1, self.number + 1, end + 1)
        help = f"type {typed}"
        self.problems.append(Diagnostic(code, message, span, help=help, fixes=(Fix(help, (Edit(span, plain),)),)))
