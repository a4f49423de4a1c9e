"""The places of a text at which a cure may be written, the likeliest first; which of them is right is tried out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.fields import SpecModel
from dlspec.language.yaml import read_text, to_inline_yaml
from dlspec.language.yaml.editing import EditedText, Edits
from dlspec.language.yaml.parts import Entry, Part, Place
from dlspec.model.layers import LAYERS
from dlspec.spec.fixes.phrases import Cure
from dlspec.spec.spec import SECTIONS, Spec

PAIR = re.compile(r'("[^"]+"|[\w.-]+):(?: (.*))?', re.DOTALL)
WORD = re.compile(r"[\w.-]+(\(\))?")
"""A name with nothing behind it, so that nothing is lost with it."""
USUAL: Mapping[str, int | float] = {
    "units": 64, "filters": 32, "kernel_size": 3, "pool_size": 2, "length": 30, "rate": 0.2, "num_heads": 4,
    "key_dim": 16,
}  # fmt: skip
"""Usual values of keys whose value a cure leaves open."""

OF_A_NAME = frozenset({"unknown-layer", "not-one-key", "wrong-type", "missing-key", "unknown-key", "missing-parameter",
                       "wrong-number-of-inputs"})  # fmt: skip
"""Mistakes of which a cure writes a layer anew."""


@dataclass(frozen=True)
class Target:
    """An entry that a mistake is about.

    Args:
        on_key: whether the mistake is at its key, and not at what stands behind it.
    """

    entry: Entry
    on_key: bool


def candidates(cure: Cure, problem: Diagnostic, text: EditedText) -> Iterator[Edits]:
    """Edits that may be what a cure means, without repetitions."""
    seen: list[Edits] = []
    for edits in _Finder(problem, text).edits_for(cure):
        if edits and edits not in seen and (problem.code == "bad-yaml" or text.may_be_edited(edits)):
            seen.append(edits)
            yield edits


def filled_in(written: str) -> str | None:
    """What a cure writes, with usual values where it leaves them open; None: there are none."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}: {USUAL.get(match[1], '…')}"

    shown = re.sub(r"(\w+): …", fill, written)
    return None if "…" in re.sub(r", …\}", "}", shown) or re.search(r"\b[A-Z]{4,}\b", shown) else shown


class _Finder:
    def __init__(self, problem: Diagnostic, text: EditedText) -> None:
        self.problem, self.text = problem, text
        self.targets = [*_targets(problem, text)]

    def edits_for(self, cure: Cure) -> Iterator[Edits | None]:
        texts = [filled_in(each) for each in cure.texts]
        if None in texts:
            return
        given = [each for each in texts if each is not None]
        if cure.action == "rename":
            yield from self._rename(given[0])
        elif cure.action in ("write", "add") and len(given) > 1:
            yield from self._write_several(given)
        elif cure.action == "write" and self.problem.code == "bad-yaml":
            yield from self._write_line(given[0])
        elif cure.action in ("write", "add"):
            yield from self._write(given[0], cure.place, first=given[0].startswith("dlspec:"))
        elif cure.action == "below":
            yield from self._below(given)
        elif cure.action == "remove":
            yield from self._remove(given[0] if given else "", cure.place)
        elif cure.action == "keep":
            yield from self._remove_all(given)
        elif cure.action == "append":
            yield from self._append(given[0], cure.place)
        elif cure.action in ("last", "replace last"):
            yield from self._last(given[0], replace=cure.action == "replace last")

    # --- names

    @property
    def _unknown(self) -> str:
        """The name that the mistake is about; empty: its message says none."""
        found = re.search(r"`\$?(\w+)`", self.problem.message)
        return found[1] if found else ""

    def _rename(self, name: str) -> Iterator[Edits | None]:
        for target in self.targets:
            entry = target.entry
            if target.on_key or (entry.key is not None and entry.name == self._unknown):
                if entry.name.startswith(f"{name} "):  # `units 8`, without its colon
                    behind = entry.start[0], entry.start[1] + len(name)
                    yield [self.text.edit(behind, behind, ":")]
                else:
                    yield self.text.rename(entry, name)
            elif entry.value.kind == "scalar" and re.match(rf"{re.escape(name)}[ :]", entry.value.text):  # `dense 8`
                yield self.text.replace(entry.value, f"{name}: {entry.value.text[len(name) + 1 :].strip()}")
            elif entry.value.kind == "scalar" and WORD.fullmatch(entry.value.text):
                yield self.text.replace(entry.value, _quoted_alike(self.text, entry.value, name))
        span = self.problem.span
        if span is not None and span.line == span.end_line:  # a part of a text, such as a name in arithmetic
            start = span.line - 1, span.column - 1
            written = "".join(self.text.lines[start[0] : start[0] + 1])[start[1] : span.end_column - 1]
            for found in re.finditer(rf"\b{re.escape(self._unknown)}\b", written) if self._unknown else ():
                at = start[1] + found.start()
                yield [self.text.edit((start[0], at), (start[0], at + len(found[0])), name)]

    # --- texts

    def _write(self, written: str, place: str, *, first: bool = False) -> Iterator[Edits | None]:
        item = written.startswith("- ")
        pair = PAIR.fullmatch(written.removeprefix("- "))
        if pair is None or item:
            yield from self._write_plain(written.removeprefix("- "))
            return
        key, value = pair[1], pair[2] or ""
        if place.startswith("line "):
            yield from self._on_line(int(place[5:]), key, value)
            return
        for target in self.targets:
            yield from self._at(target, written, key, value, place)
        if first and self.text.root is not None:
            yield self.text.insert(self.text.root, written, first=True)
        if key.startswith('"'):
            return
        yield from self._in_section(written, key, value, place)
        for target in self.targets:
            if not target.on_key and target.entry.key is not None and target.entry.value.kind == "scalar":
                yield self.text.replace(target.entry.value, value)

    def _write_plain(self, written: str) -> Iterator[Edits | None]:
        for target in self.targets:
            entry = target.entry
            if entry.key is not None and target.on_key:
                yield self.text.rename(entry, written) if self.problem.code.startswith("unknown-") else None
                continue
            yield self.text.replace(entry.value, written)
            if entry.owner.holder is not None and entry.owner.kind == "mapping" and len(entry.owner.entries) == 1:
                yield self.text.replace(entry.owner, written)

    def _at(self, target: Target, written: str, key: str, value: str, place: str) -> Iterator[Edits | None]:
        """Where the mistake is, and around it."""
        entry = target.entry
        if place and place != "." and entry.path[0] != place:
            return
        if key.startswith('"'):
            yield self.text.rename(entry, key) if target.on_key else None
            return
        if entry.name == key:
            yield self._set(entry, value)
        if target.on_key and written.replace(" ", "") == entry.name:  # `epochs:5`, with the space that is missing
            yield self.text.rename(entry, written)
        if self.problem.code == "unknown-key" and target.on_key and not place:
            yield from self._in_place_of(entry, written, key, value)
        if place == ".":
            return
        beside = entry.owner.entry(key) if entry.owner.kind == "mapping" else None
        if beside is not None and beside is not entry:
            yield self._set(beside, value)
        yield from self._inside(entry, written, key, value)
        if self.problem.code in OF_A_NAME and entry.path[0] in ("model", "blocks"):
            yield self.text.replace(entry.value, written) if entry.key is None else None
            if entry.owner.holder is not None and entry.owner.holder.key is None:
                yield self.text.replace(entry.owner, written)
        if entry.owner.kind == "mapping" and beside is None and entry.path[0] != "model":
            yield self.text.insert(entry.owner, written)
        above = entry.owner.holder
        while above is not None and above.owner.kind == "mapping":
            found = above.owner.entry(key)
            yield self._set(found, value) if found is not None else None
            above = above.owner.holder

    def _in_place_of(self, entry: Entry, written: str, key: str, value: str) -> Iterator[Edits | None]:
        """In place of a key that is not known; where the right one is there already, in that."""
        there = entry.owner.entry(key)
        if there is None or there is entry:
            yield self.text.replace_entry(entry, written)
            return
        removed, set_ = self.text.remove(entry), self._merge(there.value, value) or self._set(there, value)
        yield [*removed, *set_] if removed and set_ else None

    def _inside(self, entry: Entry, written: str, key: str, value: str) -> Iterator[Edits | None]:
        """As one more argument of what the mistake is about."""
        part = entry.value
        named = part.kind == "mapping" and entry.key is None and bool(part.entries)
        holder = part.entries[0] if named else entry
        inner = holder.value
        name = holder.name or (inner.text if inner.kind == "scalar" else "")
        if inner.kind == "mapping":
            there = inner.entry(key)
            yield self._set(there, value) if there is not None else self.text.insert(inner, written)
        elif holder.key is None and name in LAYERS:
            yield self.text.replace(inner, f"{name}: {{{written}}}")
        elif name in LAYERS and (primary := LAYERS[name].primary()) is not None and not inner.empty:
            short = self._written(inner)
            yield self.text.replace(inner, f"{{{primary}: {short}, {written}}}") if short else None
        elif inner.empty:
            yield self.text.replace(inner, f"{{{written}}}")

    def _in_section(self, written: str, key: str, value: str, place: str) -> Iterator[Edits | None]:
        """In the section that has the key: the one that is named, or the only one."""
        root = self.text.root
        if root is None or root.kind != "mapping":
            return
        gone: Edits | None = []
        if self.problem.code == "unknown-key" and self.targets:
            gone = self.text.remove(self.targets[0].entry)
        homes = [".", *(name for name, model in SECTIONS.items() if _takes(model, key))]
        sections = [place] if place else homes if key not in LAYERS else []
        for name in sections:
            added = self._put(root, name, written, key, value)
            yield [*(gone or []), *added] if added else None

    def _put(self, root: Part, name: str, written: str, key: str, value: str) -> Edits | None:
        """The key in a section, or at the top level."""
        if name == ".":
            there = root.entry(key)
            if there is not None:
                return self._merge(there.value, value) or self._set(there, value)
            return self.text.insert(root, _without_rest(written)) if key in Spec.model_fields else None
        section = root.entry(name)
        if section is None:
            return self.text.insert(root, f"{name}: {{{_without_rest(written)}}}")
        if section.value.kind == "mapping" and (there := section.value.entry(key)) is not None:
            return self._merge(there.value, value) or self._set(there, value)
        return self.text.insert(section.value, _without_rest(written))

    def _set(self, entry: Entry, value: str) -> Edits | None:
        """The value of a key."""
        if "…" in value:
            return self._merge(entry.value, value)
        return self.text.replace(entry.value, value)

    def _merge(self, part: Part, value: str) -> Edits | None:
        """The keys of a mapping in braces in one that is there: those that it has are replaced, others added."""
        given = read_text(_without_rest(value)).root.plain() if value.startswith("{") else None
        if not isinstance(given, dict) or part.kind != "mapping":
            return None
        edits: Edits = []
        for key, own in given.items():
            shown = to_inline_yaml({key: own})
            there = part.entry(key)
            behind = shown.partition(": ")[2]
            more = self.text.insert(part, shown) if there is None else self.text.replace(there.value, behind)
            edits += more or []
        return edits

    def _on_line(self, line: int, key: str, value: str) -> Iterator[Edits | None]:
        for entry in self.text.entries():
            if entry.start[0] != line - 1:
                continue
            if entry.name == key:
                yield self.text.replace(entry.value, value)
            elif entry.key is None and entry.value.text == key:
                yield self.text.replace(entry.value, f"{key}: {value}")

    def _write_several(self, texts: list[str]) -> Iterator[Edits | None]:
        """Several items in place of one, or several keys in place of one."""
        for target in self.targets:
            entry = target.entry
            if all(text.startswith("- ") for text in texts):
                while entry.key is not None and entry.owner.holder is not None:
                    entry = entry.owner.holder
                removed = [text.removeprefix("- ") for text in texts]
                first, below = self.text.replace(entry.value, removed[0]), self.text.insert_item(entry, removed[1])
                yield [*first, *below] if first and below else None
            elif target.on_key or entry.key is not None:
                between = ", " if entry.owner.flow else self.text.newline + " " * entry.start[1]
                yield self.text.replace_entry(entry, between.join(texts))

    def _write_line(self, written: str) -> Iterator[Edits | None]:
        """In place of the rest of a line that is no YAML, up to a remark."""
        span = self.problem.span
        if span is None or span.line > len(self.text.lines):
            return
        line = self.text.lines[span.line - 1].removesuffix("\r")
        remark = re.search(r"\s+#.*$", line)
        end = remark.start() if remark and "#" not in written else len(line.rstrip())
        for start in dict.fromkeys((len(line) - len(line.lstrip()), span.column - 1)):
            yield [self.text.edit((span.line - 1, start), (span.line - 1, max(start, end)), written)]

    def _below(self, texts: list[str]) -> Iterator[Edits | None]:
        """An item below the layer, with the key that said it taken out."""
        for target in self.targets:
            removed = self.text.remove(target.entry) if target.entry.key is not None else None
            item = target.entry.owner.holder if target.entry.key is not None else None
            while item is not None and item.key is not None:
                item = item.owner.holder
            added = self.text.insert_item(item, texts[0].removeprefix("- ")) if item is not None else None
            yield [*removed, *added] if removed and added else None

    # --- what goes

    def _remove(self, key: str, place: str) -> Iterator[Edits | None]:
        name, _, value = key.partition(": ")
        if not key:
            for target in self.targets:
                yield self.text.remove(target.entry)
            return
        for entry in self._named(name, place):
            if not value or self._written(entry.value) == value:
                yield self.text.remove(entry)

    def _remove_all(self, keys: list[str]) -> Iterator[Edits | None]:
        edits: Edits = []
        for key in keys:
            found = next((self.text.remove(entry) for entry in self._named(key, "")), None)
            if found is None:
                return
            edits += found
        yield edits

    def _named(self, name: str, place: str) -> Iterator[Entry]:
        """Entries of this name, those at and around the mistake first, the only one in the text last."""
        for target in self.targets:
            entry = target.entry
            near = (entry.value, entry.owner, *(above.owner for above in _above(entry)))
            if not place and name == (entry.name if entry.key is not None else entry.value.text):
                yield entry
            for part in near:
                if not place and part.kind == "mapping" and (found := part.entry(name)) is not None:
                    yield found
                yield from _items_of(part, place, name)
        everywhere = [entry for entry in self.text.entries() if _is_named(entry, name, place)]
        if len(everywhere) == 1:
            yield everywhere[0]

    # --- lists

    def _append(self, item: str, place: str) -> Iterator[Edits | None]:
        for entry in self.text.entries():
            if entry.name == place and entry.path[0] != "model":
                yield self.text.append(entry.value, item)
                yield self.text.prepend(entry.value, item)

    def _last(self, item: str, *, replace: bool) -> Iterator[Edits | None]:
        items = _layers(self.text.root)
        if items is None or not items.entries:
            return
        there = next((entry for entry in items.entries if item in (entry.value.text, _only_key(entry.value))), None)
        added = self.text.append(items, item)
        if replace:
            yield self.text.replace(items.entries[-1].value, item)
        elif there is not None:
            removed = self.text.remove(there)
            yield [*removed, *added] if removed and added else None
        else:
            yield added

    def _written(self, part: Part) -> str:
        """A scalar or what stands in brackets, as it is written, where that is one line."""
        if part.start[0] != part.end[0] or (part.kind in ("list", "mapping") and not part.flow):
            return ""
        return self.text.lines[part.start[0]][part.start[1] : part.end[1]]


def _takes(model: type[SpecModel], key: str) -> bool:
    keys = model.keys()
    return key in keys


def _targets(problem: Diagnostic, text: EditedText) -> Iterator[Target]:
    """What the mistake is about: the key or value at its place, else the innermost value around that; then the
    variable or the block that it came through."""
    if problem.span is None:
        if text.root is not None:
            yield from (Target(entry, on_key=True) for entry in text.root.entries[:1])
        return
    yield from _at_span(problem.span, text)
    for label in problem.span.trail:
        if label.span.file == problem.span.file:
            yield from _at_span(label.span, text)


def _at_span(span: Span, text: EditedText) -> Iterator[Target]:
    place = span.line - 1, span.column - 1
    end = span.end_line - 1, span.end_column - 1
    keys = text.keys_at(place)
    exact = [entry for entry in keys if entry.key is not None and entry.key.end == end]
    values = text.values_at(place)
    yield from (Target(entry, on_key=True) for entry in exact)
    yield from (Target(entry, on_key=False) for entry in reversed(values))
    yield from (Target(entry, on_key=True) for entry in keys if entry not in exact)
    if not keys and not values:
        around = [entry for entry in text.entries() if _around(entry, place)]
        yield from (Target(entry, on_key=False) for entry in around[-1:])


def _around(entry: Entry, place: Place) -> bool:
    return entry.value.kind == "scalar" and entry.value.start <= place < entry.value.end


def _above(entry: Entry) -> Iterator[Entry]:
    holder = entry.owner.holder
    while holder is not None:
        yield holder
        holder = holder.owner.holder


def _is_named(entry: Entry, name: str, place: str) -> bool:
    if not place:
        return entry.name == name and entry.key is not None
    above = entry.owner.holder
    return (entry.name or entry.value.text) == name and above is not None and place in (above.name, above.path[0])


def _items_of(part: Part, place: str, name: str) -> Iterator[Entry]:
    """Entries of this name in the list or mapping `place` of a mapping."""
    listed = part.entry(place) if place and part.kind == "mapping" else None
    for entry in listed.value.entries if listed is not None else ():
        if name in (entry.name, entry.value.text):
            yield entry


def _layers(root: Part | None) -> Part | None:
    """The list of the model's layers."""
    model = root.entry("model") if root is not None and root.kind == "mapping" else None
    if model is None:
        return None
    if model.value.kind == "mapping":
        model = model.value.entry("layers")
    return model.value if model is not None and model.value.kind == "list" else None


def _only_key(part: Part) -> str:
    return part.entries[0].name if part.kind == "mapping" and len(part.entries) == 1 else ""


def _without_rest(written: str) -> str:
    """A mapping without the `…` that stands for what else is in it."""
    return written.replace(", …}", "}")


def _quoted_alike(text: EditedText, part: Part, name: str) -> str:
    """A name in the quotation marks of the one that it takes the place of."""
    mark = text.lines[part.start[0]][part.start[1]] if not part.plain else ""
    return f"{mark}{name}{mark}" if mark in ("'", '"') else name
