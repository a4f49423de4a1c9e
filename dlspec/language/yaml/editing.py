"""Edits of YAML text: a key renamed, a value replaced, an entry removed or added; the rest stays byte for byte.

Each function gives the edits, or None where the text has a form that it does not touch.
"""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Edit, Span
from dlspec.language.yaml.parts import Entry, Part, Place, read_parts, walk

Edits = list[Edit]


class EditedText:
    """A YAML text with its parts.

    Args:
        file: its name, as it stands in the spans of edits.
        text: as it is written.
        as_read: with what YAML needs in place of lines that are none, in as many lines; by default the same.

    Attributes:
        root: None: it has no parts that could be edited.
    """

    def __init__(self, file: str, text: str, as_read: str | None = None) -> None:
        self.file, self.text = file, text
        self.lines = text.split("\n")
        read = text if as_read is None else as_read
        self.root = read_parts(read)
        written = read.split("\n")
        if len(written) != len(self.lines):
            self.root = None
        self._changed = {number for number, line in enumerate(self.lines) if line != written[number]} if (
            self.root is not None and read != text
        ) else set()  # fmt: skip

    def entries(self) -> Iterator[Entry]:
        """All entries, outer ones first."""
        return walk(self.root) if self.root is not None else iter(())

    def keys_at(self, place: Place) -> list[Entry]:
        """Entries whose key begins there."""
        return [entry for entry in self.entries() if entry.key is not None and entry.key.start == place]

    def values_at(self, place: Place) -> list[Entry]:
        """Entries whose value begins there, outer ones first."""
        return [entry for entry in self.entries() if entry.value.start == place]

    def may_be_edited(self, edits: Edits) -> bool:
        """Whether no line is touched that YAML has read otherwise than it is written."""
        touched = (line for edit in edits for line in range(edit.span.line - 1, edit.span.end_line))
        return not any(line in self._changed for line in touched)

    # --- one edit

    def edit(self, start: Place, end: Place, text: str) -> Edit:
        return Edit(Span(self.file, start[0] + 1, start[1] + 1, end[0] + 1, end[1] + 1), text)

    def replace(self, part: Part, text: str) -> Edits | None:
        """Another value in the place of one."""
        holder = part.holder
        if part.kind in ("list", "mapping") and not part.flow and holder is not None and holder.key is not None:
            colon = self._behind_colon(holder)
            return None if colon is None else [self.edit(colon, part.end, f" {text}")]
        if part.empty:
            colon = self._behind_colon(holder) if holder is not None and holder.key is not None else None
            if colon is None:
                return None
            return [self.edit(colon, colon, f" {text}")]
        return [self.edit(part.start, part.end, text)]

    def rename(self, entry: Entry, name: str) -> Edits | None:
        """Another key in front of the same value."""
        if entry.key is None or entry.key.kind != "scalar":
            return None
        return [self.edit(entry.key.start, entry.key.end, name)]

    def replace_entry(self, entry: Entry, text: str) -> Edits | None:
        """Another entry, `key: value`, in the place of one."""
        if entry.value.empty and entry.key is not None:
            colon = self._behind_colon(entry)
            return [self.edit(entry.start, colon or entry.key.end, text)]
        return [self.edit(entry.start, entry.end, text)]

    def remove(self, entry: Entry) -> Edits | None:
        """The text without an entry; of its only one, an empty mapping or list is left."""
        owner, index = entry.owner, entry.index
        if len(owner.entries) == 1 and not owner.flow and owner.holder is not None:
            return self.replace(owner, "{}" if owner.kind == "mapping" else "[]")
        if owner.flow:
            return self._remove_from_flow(owner, index)
        return self._remove_lines(entry)

    def _remove_from_flow(self, owner: Part, index: int) -> Edits:
        entries = owner.entries
        if index + 1 < len(entries):
            return [self.edit(entries[index].start, entries[index + 1].start, "")]
        if index:
            return [self.edit(self._end(entries[index - 1]), self._end(entries[index]), "")]
        return [self.edit((owner.start[0], owner.start[1] + 1), self._end(entries[index]), "")]

    def _end(self, entry: Entry) -> Place:
        """Where an entry ends, with its colon where nothing stands behind it."""
        if entry.value.empty and entry.key is not None:
            return self._behind_colon(entry) or entry.key.end
        return entry.end

    def _remove_lines(self, entry: Entry) -> Edits | None:
        start, end = entry.start, self._end(entry)
        before = self.lines[start[0]][: start[1]]
        behind = self.lines[end[0]][end[1] :].strip()
        if behind and not behind.startswith("#"):
            return None
        if entry.owner.kind == "list" and before.rstrip().endswith("-"):
            dash = len(before.rstrip()) - 1
            before, start = before[:dash], (start[0], dash)
        if before.strip():  # the first key behind `- `: the next one takes its place
            entries = entry.owner.entries
            after = entries[entry.index + 1] if entry.index + 1 < len(entries) else None
            if after is None or after.start[0] != end[0] + 1:
                return None
            return [self.edit(start, after.start, "")]
        if end[0] + 1 < len(self.lines):
            return [self.edit((start[0], 0), (end[0] + 1, 0), "")]
        if start[0] == 0:
            return [self.edit((0, 0), (end[0], len(self.lines[end[0]])), "")]
        return [self.edit((start[0] - 1, len(self.lines[start[0] - 1])), (end[0], len(self.lines[end[0]])), "")]

    def insert(self, mapping: Part, text: str, *, first: bool = False) -> Edits | None:
        """`key: value` as the last entry of a mapping, or as its first one; into nothing, in braces."""
        if mapping.empty:
            return self.replace(mapping, f"{{{text}}}")
        if mapping.kind != "mapping":
            return None
        if mapping.flow:
            return self._insert_into_flow(mapping, text)
        if not mapping.entries:
            return None
        if first:
            return [self.edit(mapping.start, mapping.start, f"{text}{self.newline}{' ' * mapping.start[1]}")]
        return self._insert_line(mapping.entries[-1], " " * mapping.start[1] + text)

    def append(self, items: Part, text: str) -> Edits | None:
        """`text` as the last item of a list."""
        return self.insert_item(items.entries[-1], text) if items.kind == "list" and items.entries else None

    def prepend(self, items: Part, text: str) -> Edits | None:
        """`text` as the first item of a list."""
        if items.kind != "list" or not items.entries:
            return None
        first = items.entries[0].start
        if items.flow:
            return [self.edit(first, first, f"{text}, ")]
        dash = len(self.lines[first[0]][: first[1]].rstrip()) - 1
        return [self.edit((first[0], dash), (first[0], dash), f"- {text}{self.newline}{' ' * dash}")]

    def insert_item(self, above: Entry, text: str) -> Edits | None:
        """`text` as the item of a list below another one."""
        if above.owner.flow:
            return [self.edit(above.end, above.end, f", {text}")]
        line = self.lines[above.value.start[0]]
        dash = line[: above.value.start[1]].rstrip()
        if not dash.endswith("-"):
            return None
        return self._insert_line(above, " " * (len(dash) - 1) + f"- {text}")

    def _insert_into_flow(self, owner: Part, text: str) -> Edits:
        if owner.entries:
            end = self._end(owner.entries[-1])
            return [self.edit(end, end, f", {text}")]
        inside = (owner.start[0], owner.start[1] + 1)
        return [self.edit(inside, inside, text)]

    def _insert_line(self, above: Entry, line: str) -> Edits:
        at, _ = self._end(above)
        written = self.lines[at].removesuffix("\r")
        place = at, len(written)
        return [self.edit(place, place, self.newline + line)]

    def _behind_colon(self, entry: Entry) -> Place | None:
        """The place behind the colon of a key, on its own line."""
        if entry.key is None:
            return None
        line, column = entry.key.end
        rest = self.lines[line][column:]
        gap = len(rest) - len(rest.lstrip(" "))
        return (line, column + gap + 1) if rest[gap : gap + 1] == ":" else None

    @property
    def newline(self) -> str:
        """How its lines end."""
        return "\r\n" if "\r\n" in self.text else "\n"
