"""Calls of layers -> a list of layers with `skip`, `branches` and `from`, as a person would draw the network.

The graph is reduced as series-parallel graphs are (Valdes et al., 1982): what follows one layer alone joins its chain,
and chains from one place to one merging layer become branches. What is left is written with `from`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlspec.adoption.items import Item, of_layer
from dlspec.adoption.names import telling_name
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.network import Call, Network
from dlspec.model.from_keras.words import written
from dlspec.model.layers.base import Merging

SMALL = 20
"""Layers up to which a network is small enough that each name in it was likely chosen."""


@dataclass(frozen=True)
class _Chain:
    """Items of which each takes what the one before it gives.

    Args:
        takes: numbers of what the first one takes.
        merge: the layer of the first one, where that merges several inputs.
    """

    items: tuple[Item, ...]
    takes: tuple[int, ...]
    merge: Any = None

    @property
    def out(self) -> int:
        return self.items[-1].number


def shape(network: Network) -> list[Item]:
    """The layers of a network as a list."""
    shared = {call.again for call in network.calls if call.again is not None}
    used = _used(network)
    strict = len(used) > SMALL
    chains = {
        call.number: _Chain((_item(call, call.number in shared, strict),), call.inputs, _merge(call)) for call in used
    }
    outputs = [number for _, number in network.outputs]
    while _join(chains, outputs) or _merge_paths(chains, outputs):
        pass
    return _in_line(_in_order(chains, outputs), len(network.given))


def _used(network: Network) -> list[Call]:
    """The calls that lead to an output, and the first calls of layers that do so again."""
    by_number, used = network.by_number(), set[int]()
    left = [number for _, number in network.outputs]
    while left:
        number = left.pop()
        call = by_number.get(number)
        if call is None or number in used:
            continue
        used.add(number)
        left += [*call.inputs, *([call.again] if call.again is not None else [])]
    return [call for call in network.calls if call.number in used]


def _item(call: Call, is_shared: bool, strict: bool) -> Item:
    if call.again is not None:
        return Item("shared", call.number, layers=(call.again,), fixed=True)
    name = telling_name(call.place[-1], call.layer.type_name, strict) if call.is_layer else None
    if is_shared and name is None and len(call.place) > 1:
        name = plain_name("_".join(call.place[-2:]))
    return of_layer(call.layer, call.number, fixed=is_shared, name=name)


def _merge(call: Call) -> Any:
    return call.layer if isinstance(call.layer, Merging) and len(call.inputs) > 1 else None


def _consumers(chains: Mapping[int, _Chain], outputs: list[int]) -> Counter[int]:
    """How often each number is taken; an output counts, too."""
    counts = Counter(outputs)
    for chain in chains.values():
        counts.update(chain.takes)
        for item in chain.items:
            counts.update(item.layers if item.word == "shared" and item.layers[0] not in chains else ())
    return counts


def _join(chains: dict[int, _Chain], outputs: list[int]) -> bool:
    """Joins chains of which one alone takes the other; returns whether there were any."""
    counts, joined = _consumers(chains, outputs), False
    for number in [*chains]:
        chain = chains.get(number)
        if chain is None or len(chain.takes) != 1:
            continue
        below = chains.get(chain.takes[0])
        if below is None or counts[below.out] != 1:
            continue
        del chains[below.out]
        chains[number] = _Chain(_one_after_another(below.items, chain.items), below.takes, below.merge)
        joined = True
    return joined


def _one_after_another(first: tuple[Item, ...], second: tuple[Item, ...]) -> tuple[Item, ...]:
    """Both; layers that are shared one after another are one entry."""
    if first[-1].word == second[0].word == "shared":
        both = replace(second[0], layers=first[-1].layers + second[0].layers)
        return (*first[:-1], both, *second[1:])
    return first + second


def _merge_paths(chains: dict[int, _Chain], outputs: list[int]) -> bool:
    """Chains from one place to one merging layer become `skip` or `branches`; returns whether there were any."""
    counts, merged = _consumers(chains, outputs), False
    for number in [*chains]:
        chain = chains.get(number)
        if chain is None or chain.merge is None:
            continue
        inner = [chains.get(taken) for taken in chain.takes]
        paths = [
            path if path is not None and counts[path.out] == 1 and len(path.takes) == 1 else None for path in inner
        ]
        starts = {path.takes[0] if path else taken for path, taken in zip(paths, chain.takes, strict=True)}
        if len(starts) != 1:  # a path may be empty: what it begins with is what is merged
            continue
        for path in paths:
            if path is not None:
                del chains[path.out]
        items = [path.items if path else () for path in paths]
        chains[number] = _Chain((_group(chain.items[0], chain.merge, items), *chain.items[1:]), tuple(starts))
        merged = True
    return merged


def _group(first: Item, merge: Any, paths: list[tuple[Item, ...]]) -> Item:
    plain = written(merge) == "add"
    if plain and len(paths) == 2 and () in paths and paths != [(), ()]:
        return replace(first, word="skip", arguments={}, paths=tuple(path for path in paths if path), name=None)
    arguments = {} if written(merge) == "concatenate" else {"merge": written(merge)}
    return replace(first, word="branches", arguments=arguments, paths=tuple(paths), name=None)


def _in_order(chains: Mapping[int, _Chain], outputs: list[int]) -> list[_Chain]:
    """The chains in an order in which each stands behind what it takes, and near to it."""
    home = {number: out for out, chain in chains.items() for number in _numbers(chain)}
    done: dict[int, None] = {}
    for output in outputs:
        left = [(home.get(output), False)]
        while left:
            out, ready = left.pop()
            if out is None or out in done:
                continue
            if ready:
                done[out] = None
                continue
            left.append((out, True))
            refers = [number for item in chains[out].items for number in item.layers]
            needs = [home.get(number) for number in (*refers, *chains[out].takes)]
            left += [(need, False) for need in reversed(needs) if need != out]
    return [chains[out] for out in done]


def _numbers(chain: _Chain) -> list[int]:
    found = []
    left = [*chain.items]
    while left:
        item = left.pop()
        found.append(item.number)
        left += [inner for path in item.paths for inner in path]
    return found


def _in_line(chains: list[_Chain], inputs: int) -> list[Item]:
    """All chains one behind the other; the first item of each says what it takes where that is not above it."""
    items: list[Item] = []
    above = 0 if inputs == 1 else None
    for chain in chains:
        first = chain.items[0]
        if chain.takes != (above,):
            first = replace(first, sources=chain.takes)
        items += [first, *chain.items[1:]]
        above = chain.out
    return items
