"""What comes again in a network, as blocks with parameters and as `repeat`.

Of all stretches of layers that come several times with the same types, the one is made a block that shortens the text
most, and so on, until nothing is won (compare Re-Pair, Larsson and Moffat, 1999). Where two uses differ in a value, it
becomes a parameter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dlspec.adoption.items import Item, numbers_named, walk
from dlspec.adoption.layout import flow, item_text
from dlspec.adoption.names import name_of_block
from dlspec.adoption.parameters import Slot, Unlike, parametrize

LARGE = 500
"""Layers from which on fewer ways are tried."""
LONGEST = 40
"""Entries of a list that a block may be made of."""
MOST_PARAMETERS = 5
SHORT = 50
"""Characters of a single layer up to which it is no block of its own."""
COST_OF_BLOCK, COST_OF_USE, COST_OF_PARAMETER, COST_OF_LINE = 90, 14, 12, 8
"""What a block, each of its uses, each value given in a use, and a line cost a reader, in characters."""


@dataclass(frozen=True)
class Block:
    """A block of the spec.

    Args:
        parameters: name -> default; None: it must be given.
    """

    name: str
    parameters: dict[str, Any]
    body: tuple[Item, ...]


@dataclass
class Folded:
    """The layers of a network and the blocks that they use."""

    items: tuple[Item, ...]
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class _Way:
    """A way to go about it.

    Args:
        at_first: the longest stretch that is repeated before blocks are looked for.
        between: likewise, while they are.
    """

    at_first: int
    between: int


WAYS = (_Way(1, 1), _Way(1, LONGEST), _Way(LONGEST, LONGEST), _Way(0, 1))


def fold(items: Sequence[Item]) -> Folded:
    """The same network with blocks and `repeat`, in the way that gives the shortest text."""
    ways = WAYS if sum(1 for _ in walk(items)) <= LARGE else WAYS[:2]
    return min((_fold(items, way) for way in ways), key=_length)


def _fold(items: Sequence[Item], way: _Way) -> Folded:
    folded = Folded(tuple(items))
    _repeat(folded, way.at_first)
    while True:
        found = _best(folded)
        if found is None:
            before = folded.items, folded.blocks
            _repeat(folded, LONGEST)
            if all(one is other for one, other in zip(before, (folded.items, folded.blocks), strict=True)):
                break
            continue
        _use(folded, found)
        _repeat(folded, way.between)
    folded.blocks = _used_first(folded)
    return _renamed(folded)


def _length(folded: Folded) -> int:
    """What all of it costs a reader, in characters."""
    lists = (folded.items, *(block.body for block in folded.blocks))
    parameters = sum(20 * len(block.parameters) for block in folded.blocks)
    return sum(_cost(item) for items in lists for item in items) + COST_OF_BLOCK * len(folded.blocks) + parameters


def _repeat(folded: Folded, longest: int) -> None:
    """Puts `repeat` in the place of equal layers that follow each other."""
    named = referred(folded)
    folded.items = _repeated(folded.items, named, longest)
    bodies = [_repeated(block.body, named, longest) for block in folded.blocks]
    if any(body is not block.body for body, block in zip(bodies, folded.blocks, strict=True)):
        pairs = zip(folded.blocks, bodies, strict=True)
        folded.blocks = [replace(block, body=body) for block, body in pairs]


def _renamed(folded: Folded) -> Folded:
    """The same, where blocks are numbered in the order in which they stand."""
    names: dict[str, str] = {}
    for block in folded.blocks:
        names[block.name] = name_of_block(block.body, {*names.values()}, names)
    blocks = [replace(block, name=names[block.name], body=_with_names(block.body, names)) for block in folded.blocks]
    return Folded(_with_names(folded.items, names), blocks)


def _with_names(items: Sequence[Item], names: Mapping[str, str]) -> tuple[Item, ...]:
    return tuple(
        replace(
            item,
            word=names.get(item.word, item.word) if item.defaults is not None else item.word,
            paths=tuple(_with_names(path, names) for path in item.paths),
        )
        for item in items
    )


# --- finding


@dataclass(frozen=True)
class _Found:
    """A stretch of layers that comes several times.

    Args:
        places: the list, and the place in it where each begins.
        slots: what differs, with the value at each place.
    """

    places: tuple[tuple[int, int], ...]
    body: tuple[Item, ...]
    slots: tuple[Slot, ...]
    won: float


def _lists(folded: Folded) -> list[tuple[Item, ...]]:
    """Every list of layers, those inside others included."""
    found: list[tuple[Item, ...]] = []
    left = [folded.items, *(block.body for block in folded.blocks)]
    while left:
        items = left.pop(0)
        found.append(items)
        left += [path for item in items for path in item.paths]
    return found


def _best(folded: Folded) -> _Found | None:
    lists = _lists(folded)
    outside = referred(folded)
    places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for i, items in enumerate(lists):
        kinds = [skeleton(item) for item in items]
        firsts = [skeleton(item, first=True) for item in items]
        for start in range(len(items)):
            if items[start].fixed:
                continue
            for end in range(start + 1, min(len(items), start + LONGEST) + 1):
                if items[end - 1].fixed:
                    break
                places.setdefault((firsts[start], *kinds[start + 1 : end]), []).append((i, start))
    most = []
    for key, where in places.items():
        apart = _apart(where, len(key))
        if len(apart) > 1 and not _is_periodic(key):
            (i, start), uses = apart[0], len(apart)
            size = sum(_cost(item) for item in lists[i][start : start + len(key)])
            bound = max((uses - 1) * size * 1.5 - COST_OF_BLOCK - COST_OF_USE * uses, 0)
            most.append((bound, len(key), apart))
    best: _Found | None = None
    for bound, length, apart in sorted(most, key=lambda each: -each[0]):
        if bound <= (best.won if best else 0):
            break
        found = _as_block(lists, apart, length, outside)
        if found is not None and found.won > (best.won if best else 0):
            best = found
    return best


def _is_periodic(key: tuple[str, ...]) -> bool:
    """Whether a stretch is several of one sort: then one of them is the block."""
    size = len(key)
    return any(size % part == 0 and key[part:] == key[:-part] for part in range(1, size // 2 + 1))


def _apart(places: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """The places that do not overlap, from the left."""
    found: list[tuple[int, int]] = []
    for i, start in places:
        if not found or found[-1][0] != i or found[-1][1] + length <= start:
            found.append((i, start))
    return found


def _as_block(
    lists: list[tuple[Item, ...]], places: list[tuple[int, int]], length: int, outside: Mapping[int, int]
) -> _Found | None:
    stretches = [lists[i][start : start + length] for i, start in places]
    kept = [(place, stretch) for place, stretch in zip(places, stretches, strict=True) if _closed(stretch, outside)]
    if len(kept) < 2:
        return None
    try:
        body, slots = parametrize([stretch for _, stretch in kept])
    except Unlike:
        return None
    if len(slots) > MOST_PARAMETERS or (len(body) == 1 and not body[0].paths and len(item_text(body[0])) < SHORT):
        return None
    before = sum(_cost(item) for _, stretch in kept for item in stretch)
    given = sum(COST_OF_PARAMETER + len(slot.name) + len(flow(value)) - 4 for slot in slots
                for value in slot.values if value != slot.default)  # fmt: skip
    after = sum(_cost(item) for item in body) + COST_OF_BLOCK + COST_OF_USE * len(kept) + given + 20 * len(slots)
    places = [place for place, _ in kept]
    return _Found(tuple(places), body, slots, (before - after) * _wholeness(lists, places, length))


def _wholeness(lists: list[tuple[Item, ...]], places: Sequence[tuple[int, int]], length: int) -> float:
    """How much of what is won counts: less where stretches begin or end between a layer and what belongs to it."""
    cuts = 0
    for i, start in places:
        items, end = lists[i], start + length
        cuts += start > 0 and belongs(items[start - 1], items[start])
        cuts += end < len(items) and belongs(items[end - 1], items[end])
    return float(0.5 ** (cuts / len(places)))


def belongs(above: Item, below: Item) -> bool:
    """Whether a layer belongs to the one above it: a normalization or an activation to what it follows."""
    first = below
    while first.first is not None:
        first = first.first
    last = above
    while last.last is not None:
        last = last.last
    activating = first.word in ("activation", "relu", "leaky_relu", "prelu", "elu", "softmax")
    if last.word in ("skip", "branches"):
        return activating
    weighted = any(part in last.word for part in ("conv", "dense")) or last.word == "dense"
    normalizing = first.word.endswith("_normalization") and first.word != "layer_normalization"
    return (weighted and (normalizing or activating)) or (last.word.endswith("_normalization") and activating)


def _closed(stretch: Sequence[Item], outside: Mapping[int, int]) -> bool:
    """Whether nothing outside of it refers to a layer in it but the last one."""
    inside = {item.number for item in walk(stretch)} - {stretch[-1].number}
    within = Counter(number for item in walk(stretch) for number in numbers_named(item))
    return all(outside.get(number, 0) == within[number] for number in inside)


def referred(folded: Folded) -> Counter[int]:
    """How often each layer is named by another one."""
    lists = (folded.items, *(block.body for block in folded.blocks))
    return Counter(number for items in lists for item in walk(items) for number in numbers_named(item))


def _cost(item: Item) -> int:
    return len(item_text(item)) + COST_OF_LINE * _lines(item)


def _lines(item: Item) -> int:
    return 1 + sum(_lines(inner) for path in item.paths for inner in path)


def skeleton(item: Item, first: bool = False) -> str:
    """What an item has in common with those that one block may stand for: types, not values.

    Args:
        first: where it takes its single input is said by the use of the block.
    """
    return item.text(lambda: _skeleton(item, first), f"skeleton {first}")


def _skeleton(item: Item, first: bool) -> str:
    keys = ",".join(item.arguments) if item.word not in ("skip", "branches") else flow(item.arguments)
    inner = "|".join("[" + ";".join(skeleton(each) for each in path) + "]" for path in item.paths)
    sources = item.sources if item.sources is not None and not (first and len(item.sources) == 1) else ()
    return f"{item.word}({keys}){inner}<{len(sources)}>"


# --- using


def _use(folded: Folded, found: _Found) -> None:
    """Puts uses of a new block in the places of what it stands for."""
    taken = {block.name for block in folded.blocks}
    name = name_of_block(found.body, taken)
    parameters = {slot.name: slot.default for slot in found.slots}
    lists, length = _lists(folded), len(found.body)
    uses: dict[int, Item] = {}  # the number of the first item -> what stands there instead
    for nth, (i, start) in enumerate(found.places):
        stretch = lists[i][start : start + length]
        given = {slot.name: slot.values[nth] for slot in found.slots}
        first = stretch[0].sources
        sources = first if first is not None and len(first) == 1 else None
        uses[id(stretch[0])] = Item(
            name,
            stretch[-1].number,
            given,
            sources=sources,
            defaults=parameters,
            first=found.body[0],
            last=found.body[-1],
        )
    folded.items = _replaced(folded.items, uses, length)
    folded.blocks = [replace(block, body=_replaced(block.body, uses, length)) for block in folded.blocks]
    folded.blocks.append(Block(name, parameters, found.body))


def _replaced(items: tuple[Item, ...], uses: dict[int, Item], length: int) -> tuple[Item, ...]:
    done: list[Item] = []
    at = 0
    while at < len(items):
        use = uses.get(id(items[at]))
        if use is not None:
            done.append(use)
            at += length
            continue
        item = items[at]
        paths = tuple(_replaced(path, uses, length) for path in item.paths)
        same = all(one is other for one, other in zip(paths, item.paths, strict=True))
        done.append(item if same else replace(item, paths=paths))
        at += 1
    return items if len(done) == len(items) and all(a is b for a, b in zip(done, items, strict=True)) else tuple(done)


# --- repeating


def _repeated(items: tuple[Item, ...], named: Mapping[int, int], longest: int) -> tuple[Item, ...]:
    """The same items, equal ones that follow each other as `repeat`, short stretches first."""
    inside = tuple(_inside_repeated(item, named, longest) for item in items)
    items = items if all(one is other for one, other in zip(items, inside, strict=True)) else inside
    length = 1
    while length <= min(len(items) // 2, longest):
        items = _repeated_of(items, length, named)
        length += 1
    return items


def _repeated_of(items: tuple[Item, ...], length: int, named: Mapping[int, int]) -> tuple[Item, ...]:
    """The same with `repeat` in the place of stretches of one length."""
    done: list[Item] = []
    at = 0
    while at < len(items):
        times = _times(items, at, length, named)
        later = at + 1 < len(items) and belongs(items[at - 1], items[at]) if at else False
        if times > 1 and not (later and _times(items, at + 1, length, named) == times):
            stretch = items[at : at + length * times]
            done.append(
                Item(
                    "repeat",
                    stretch[-1].number,
                    {"times": times},
                    (_nameless(stretch[:length]),),
                    first=stretch[0],
                    last=stretch[-1],
                )
            )
            at += length * times
        else:
            done.append(items[at])
            at += 1
    return items if len(done) == len(items) else tuple(done)


def _nameless(items: Sequence[Item]) -> tuple[Item, ...]:
    """Without names that only one of several layers had."""
    return tuple(replace(item, name=None, paths=tuple(_nameless(path) for path in item.paths)) for item in items)


def _times(items: Sequence[Item], at: int, length: int, named: Mapping[int, int]) -> int:
    """How often a stretch comes from here on, one after another; 1 where `repeat` would save nothing."""
    texts = [item_text(item) for item in items[at : at + length]]
    if len(texts) < length or not all(_may_repeat(item, named) for item in items[at : at + length]):
        return 1
    times = 1
    while True:
        after = items[at + times * length : at + (times + 1) * length]
        if [item_text(item) for item in after] != texts or not all(_may_repeat(item, named) for item in after):
            break
        times += 1
    return times if (times - 1) * (sum(map(len, texts)) + COST_OF_LINE * length) > 35 else 1


def _inside_repeated(item: Item, named: Mapping[int, int], longest: int) -> Item:
    paths = tuple(_repeated(path, named, longest) for path in item.paths)
    same = all(one is other for one, other in zip(paths, item.paths, strict=True))
    return item if same else replace(item, paths=paths)


def _may_repeat(item: Item, named: Mapping[int, int]) -> bool:
    inside = [*walk([item])]
    return not any(each.fixed or each.sources or each.number in named or each.layers for each in inside)


def _used_first(folded: Folded) -> list[Block]:
    """The blocks in an order in which each stands before those that use it."""
    by_name = {block.name: block for block in folded.blocks}
    done: dict[str, Block] = {}

    def put(block: Block) -> None:
        for item in walk(block.body):
            if item.word in by_name and item.word not in done:
                put(by_name[item.word])
        done[block.name] = block

    for item in walk(folded.items):
        if item.word in by_name and item.word not in done:
            put(by_name[item.word])
    return list(done.values())


def blocks_used(folded: Folded) -> Iterator[str]:
    """The names of blocks, once for each use."""
    names = {block.name for block in folded.blocks}
    for items in (folded.items, *(block.body for block in folded.blocks)):
        yield from (item.word for item in walk(items) if item.word in names)
