"""A network taken apart -> the text of its spec."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlspec.adoption.data_wanted import Wanted
from dlspec.adoption.folding import Folded, blocks_used, fold, referred
from dlspec.adoption.items import Item, walk
from dlspec.adoption.layout import Blank, flow, lines_of, section, value_of
from dlspec.adoption.names import SHORT
from dlspec.adoption.shaping import shape
from dlspec.adoption.variables import name_values
from dlspec.data.signature import INPUT
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.from_keras.names import plain_name
from dlspec.model.from_keras.network import Network
from dlspec.model.from_keras.words import NoWord


@dataclass(frozen=True)
class Written:
    """A spec.

    Args:
        text: as YAML.
        order: numbers of the calls whose layers it lays, in the order in which it does; without those that are shared.
        blocks: how many blocks it has.
        uses: how often they are used.
    """

    text: str
    order: tuple[int, ...]
    blocks: int
    uses: int


def write_spec(
    network: Network, wanted: Wanted, name: str, source: str, train: Mapping[str, Any], data: str | None
) -> Written:
    """The spec of a network.

    Args:
        source: what it was adopted from, for a comment.
        train: the section `train`, as plain values.
        data: the section `data` as YAML, where the user gave it.
    """
    items = _with_outputs(shape(network), network, wanted)
    order = tuple(item.number for item in walk(items) if item.word != "shared")
    items, variables = name_values(items)
    folded = fold(items)
    names = _names(folded, network)
    source = re.sub(r"[^\x20-\x7e]", "?", source)  # a name of a file may hold anything
    lines = [f"# The network of {source}, by `dlspec adopt`.", "dlspec: 1", f"name: {to_inline_yaml(name)}", ""]
    lines += _data(wanted, data)
    if network.precision != "float32":
        lines += ["", f"runtime: {{precision: {network.precision}}}"]
    if variables:
        lines += ["", *section("variables", variables)]
    if folded.blocks:
        lines += ["", *_blocks(folded, names)]
    lines += ["", *_model(folded, names, network, wanted)]
    if train:
        lines += ["", *section("train", dict(train))]
    return Written("\n".join(lines) + "\n", order, len(folded.blocks), len([*blocks_used(folded)]))


def _with_outputs(items: list[Item], network: Network, wanted: Wanted) -> list[Item]:
    """The layers; those that make one of several outputs stand behind all others, as they are laid."""
    if wanted.outputs is None:
        return items
    ends = [number for _, number in network.outputs]
    taken = {source for item in walk(items) for source in (*(item.sources or ()), *item.layers)}
    found: dict[int, Item] = {}
    kept: list[Item] = []
    above: int | None = 0 if len(network.given) == 1 else None
    for item in items:
        if item.number not in ends:
            if kept and kept[-1].number != above and item.sources is None:
                raise NoWord(f"what comes out of its output `{_name_of(network, above)}` goes on to other layers")
            kept.append(item)
        else:
            sources = item.sources or ((above,) if above is not None else None)
            found[item.number] = replace(item, sources=sources, fixed=True, name=None)
        above = item.number
    if len(found) < len(set(ends)) or len(set(ends)) < len(ends) or any(number in taken for number in ends):
        raise NoWord("two of its outputs are one, or one of them goes on to other layers")
    if not kept:
        raise NoWord("its outputs take inputs as they are, with no layer between")
    return kept + [found[number] for number in ends]


def _name_of(network: Network, number: int | None) -> str:
    return next((name for name, end in network.outputs if end == number), "")


def _data(wanted: Wanted, data: str | None) -> Iterator[str]:
    if data is not None:
        yield "data:"
        yield from (f"  {line}" if line.strip() else line for line in data.splitlines())
        return
    yield "data:"
    for line in wanted.comment:
        yield f"  # {line}"
    for key, value in wanted.section.items():
        note = "  # the model takes numbers as they are" if key == "scale" else ""
        yield from (f"  {line}{note}" for line in section(key, value))


def _blocks(folded: Folded, names: Mapping[int, str]) -> Iterator[str]:
    yield "blocks:"
    for block in folded.blocks:
        layers = [value_of(item, names) for item in block.body]
        yield f"  {block.name}:"
        if block.parameters:
            given = {key: Blank() if default is None else default for key, default in block.parameters.items()}
            yield f"    parameters: {flow(given)}"
        yield "    layers:"
        yield from lines_of(layers, 6)


def _model(folded: Folded, names: Mapping[int, str], network: Network, wanted: Wanted) -> Iterator[str]:
    items = folded.items
    ends = {number: name for name, number in network.outputs} if wanted.outputs is not None else {}
    layers = [value_of(item, names) for item in items if item.number not in ends]
    if wanted.inputs is None and not ends:
        yield "model:"
        yield from lines_of(layers, 2)
        return
    yield "model:"
    if wanted.inputs is not None:
        yield "  inputs:"
        for (_, columns), number in zip(wanted.inputs.items(), range(len(network.given)), strict=True):
            yield from (f"    {line}" for line in section(names[number], columns))
    yield "  layers:"
    yield from lines_of(layers, 4)
    if ends and wanted.outputs is not None:
        yield "  outputs:"
        for item in items:
            if item.number in ends:
                below = item.sources[0] if item.sources else None
                name = ends[item.number]
                given = {"target": wanted.outputs[name], **({"from": names[below]} if isinstance(below, int) else {})}
                yield f"    {plain_name(name)}: {flow(given)}"


def _names(folded: Folded, network: Network) -> dict[int, str]:
    """What each layer is called that another one names, or whose name says something."""
    named, taken = referred(folded), set[str]()
    names: dict[int, str] = {}
    if len(network.given) == 1:
        names[0] = INPUT
    else:
        for i, given in enumerate(network.given):
            names[i] = _unused(plain_name(given.name), taken)
            taken.add(names[i])
    ends = {number for _, number in network.outputs} if len(network.outputs) > 1 else set()
    taken |= {plain_name(name) for name, _ in network.outputs} if ends else set()
    lists: Sequence[Sequence[Item]] = (folded.items, *(block.body for block in folded.blocks))
    shared: list[Item] = []
    for items in lists:
        for item in walk(items):
            if item.word == "shared":
                shared.append(item)
            elif item.number in ends:
                continue
            elif item.name is not None or named[item.number]:
                names[item.number] = _unused(item.name or _made_up(item), taken)
                taken.add(names[item.number])
    return names | _names_of_shared(shared, names)


def _names_of_shared(shared: Sequence[Item], names: Mapping[int, str]) -> dict[int, str]:
    """What a layer that is applied once more is called, as the graph names it."""
    again: Counter[str] = Counter()
    found = {}
    for item in shared:
        for number in item.layers:
            name = f"{names[number]}_again"
            again[name] += 1
            found[item.number] = name if again[name] == 1 else f"{name}_{again[name]}"
    return found


def _made_up(item: Item) -> str:
    """A name for a layer that has none that says something."""
    words = {"skip": "added", "branches": "merged", "concatenate": "joined", "add": "added", "flatten": "flat",
             "dense": "hidden", "embedding": "vectors", "multiply": "product", **SHORT}  # fmt: skip
    if item.word == "activation" and isinstance(item.arguments["activation"], str):
        return str(item.arguments["activation"])
    return words.get(item.word, item.word if item.defaults is not None else f"{item.word}_a")


def _unused(name: str, taken: set[str]) -> str:
    tried, number = name, 1
    while tried in taken:
        number += 1
        tried = f"{name}_{number}"
    return tried
