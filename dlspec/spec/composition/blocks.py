"""`blocks`: reusable lists of layers with parameters, written out wherever a model uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Label, Severity, Span
from dlspec.language.fields import show_value
from dlspec.language.words import did_you_mean, one_of
from dlspec.language.yaml import MAX_NODES, Document, Node
from dlspec.model.layers import LAYERS
from dlspec.spec.composition.copies import REPEAT, Copies, copies_of, numbered_copies
from dlspec.spec.composition.local_names import LocalNames
from dlspec.spec.composition.variables import Scope

REFERRING = ("from", "state_from")
"""What refers to layers, besides `layers` of `shared`: where the input and the first state come from."""
TIMESTEPS = "time_distributed"
OWN_KEYS = ("from", "name")
"""What the use of a block takes besides its parameters: input of its first layer, name of its last one."""


@dataclass(frozen=True)
class Block:
    """A list of layers with parameters.

    Args:
        parameters: name -> default; a default of nothing must be given where the block is used.
    """

    name: str
    parameters: dict[str, Node]
    layers: list[Node]
    span: Span
    broken: bool = False

    @property
    def needed(self) -> list[str]:
        """The parameters without a default."""
        return [name for name, default in self.parameters.items() if default.value is None]

    @property
    def short(self) -> str | None:
        """The parameter whose value may stand directly behind the name: the only one, or the only one needed."""
        alone = [*self.parameters] if len(self.parameters) == 1 else self.needed
        return alone[0] if len(alone) == 1 else None


def expand_blocks(document: Document, scope: Scope) -> None:
    """Puts layers in place of every block that the model uses, and fills in what its layers refer to."""
    values = document.root.value
    assert isinstance(values, dict), "a spec that is written out is a mapping"
    given = values.pop("blocks", None)
    blocks = {} if given is None else {block.name: block for block in read_blocks(given, document)}
    document.blocks = {name: block.span for name, block in blocks.items()}
    collects = any(map(_collects, [*values.values()] if given is None else [*values.values(), given]))
    expander = _Expander(blocks, document, collects)
    if "model" in values:
        said, recovered, model = len(document.problems), document.recovered, values["model"]
        try:
            values["model"] = expander.model(model, scope)
            if expander.names.clash:  # once more, now that all names are known
                del document.problems[said:]
                document.recovered = recovered
                expander = _Expander(blocks, document, collects, LocalNames(expander.names.found))
                values["model"] = expander.model(model, scope)
        except _TooFar as error:
            document.problems.append(error.problem)
            document.recovered = True
            del values["model"]
            return
    document.addresses = expander.names.addresses
    for block in blocks.values():
        known = block.name in expander.used or block.name in LAYERS  # of which there is a mistake of its own
        if not known and block.span.file == document.file:  # a base has some for others to use
            document.problems.append(
                Diagnostic(
                    "unused-block",
                    f"nothing uses the block `{block.name}`",
                    block.span,
                    Severity.WARNING,
                    help=f"write `- {block.name}` where it belongs, or remove it",
                )
            )


def read_blocks(given: Node, document: Document) -> Iterator[Block]:
    """The blocks of a spec; what is wrong with one is added to the problems of the document."""
    if given.value is None:
        return
    if not isinstance(given.value, dict):
        document.problems.append(
            Diagnostic("wrong-type", f"`blocks` must be a mapping, got {show_value(given.plain())}", given.span)
        )
        return
    for name, node in given.value.items():
        span = node.key or node.span
        if name in LAYERS:
            document.problems.append(
                Diagnostic(
                    "block-hides-layer",
                    f"`{name}` is the name of a layer",
                    span,
                    help="choose another name for the block",
                )
            )
            document.recovered = True  # its uses are those of the block
        problem = _wrong_form(name, node)
        if problem:
            document.problems.append(problem)
            document.recovered = True
            yield Block(name, {}, [], span, broken=True)  # so that its uses are not unknown as well
            continue
        layers = node if isinstance(node.value, list) else node.child("layers")
        parameters = node.child("parameters") if isinstance(node.value, dict) else None
        assert layers is not None, "a block has layers"
        assert isinstance(layers.value, list), "its layers are a list"
        defaults = parameters.value if parameters is not None and isinstance(parameters.value, dict) else {}
        yield Block(name, defaults, layers.value, span)


def _wrong_form(name: str, node: Node) -> Diagnostic | None:
    help = f"write `{name}: {{parameters: {{…}}, layers: [...]}}`"
    if isinstance(node.value, list) and node.value:
        return None
    if not isinstance(node.value, dict):
        return Diagnostic("wrong-type", f"the block `{name}` must hold `layers`", node.key or node.span, help=help)
    unknown = [key for key in node.value if key not in ("parameters", "layers")]
    if unknown:
        at = node.value[unknown[0]]
        near = did_you_mean(unknown[0], ("parameters", "layers"))
        return Diagnostic("unknown-key", f"a block has no key `{unknown[0]}`", at.key or at.span, help=near)
    layers, parameters = node.child("layers"), node.child("parameters")
    if layers is None or not isinstance(layers.value, list) or not layers.value:
        return Diagnostic(
            "missing-key", f"the block `{name}` has no list of `layers`", node.key or node.span, help=help
        )
    if parameters is not None and not isinstance(parameters.value, dict | None):
        return Diagnostic(
            "wrong-type",
            f"`parameters` must be a mapping of names and defaults, got {show_value(parameters.plain())}",
            parameters.span,
            help=_as_parameters(parameters),
        )
    given = parameters.value if parameters is not None and isinstance(parameters.value, dict) else {}
    taken = [key for key in given if key in OWN_KEYS]
    if taken:
        return Diagnostic("wrong-value", f"`{taken[0]}` cannot be a parameter: every block takes it", node.key)
    return None


MUST_BE_GIVEN = "nothing behind a name means that it must be given"


def _as_parameters(written: Node) -> str:
    """What to write for the parameters of a block."""
    names = written.plain() if isinstance(written.value, list) else []
    keys = ", ".join(f"{name}: " for name in names if isinstance(name, str))
    if not keys:
        return f"write names and values, such as `parameters: {{filters: 64}}`; {MUST_BE_GIVEN}"
    return f"write `parameters: {{{keys}}}`; {MUST_BE_GIVEN}"


class _TooFar(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem


class _Expander:
    def __init__(
        self, blocks: dict[str, Block], document: Document, collects: bool, names: LocalNames | None = None
    ) -> None:
        self.blocks = blocks
        self.document = document
        self.names = names or LocalNames()
        self.used: set[str] = set()
        self.nodes = 0
        self.collects = collects
        inside = [layer for block in blocks.values() for layer in block.layers]
        self.names_inside = any(_has(layer, key) for layer in inside for key in ("name", "into"))
        self.lost_copies = False

    def model(self, model: Node, scope: Scope) -> Node:
        if isinstance(model.value, dict):
            values = {
                key: self._list(node, scope, ()) if key == "layers" else scope.fill_in(node)
                for key, node in model.value.items()
            }
            if "outputs" in values:
                values["outputs"] = self._outputs(values["outputs"])
            return replace(model, value=values)
        return self._list(model, scope, ())

    def _list(self, node: Node, scope: Scope, inside: tuple[str, ...], named: bool = False) -> Node:
        """A list of items, or of lists of items.

        Args:
            named: whether the last layer gets a name.
        """
        if not isinstance(node.value, list):
            return scope.fill_in(node)
        items: list[Node] = []
        for item in node.value:
            items += (
                [self._list(item, scope, inside)]
                if isinstance(item.value, list)
                else self._item(item, scope, inside, named and item is node.value[-1])
            )
        return replace(node, value=items, size=1 + sum(item.size for item in items))

    def _item(self, item: Node, scope: Scope, inside: tuple[str, ...], named: bool = False) -> list[Node]:
        name, arguments = split_item(item)
        if name in self.blocks and not (name in inside and name in LAYERS):
            return self._use(self.blocks[name], item, arguments, scope, inside, named)
        if inside:
            self.nodes += item.size
        lists = getattr(LAYERS.get(name), "lists", ())
        if name is None or arguments is None:
            return [scope.fill_in(item)]
        if name == TIMESTEPS and self._holds_block(arguments):
            return self._at_each_timestep(item, arguments, scope, inside)
        if name == REPEAT and isinstance(arguments.value, dict):
            written = {key: node for key, node in arguments.value.items() if node.value is not None}
            copies = copies_of(written, _place(item), scope) if "each" in written else None
            if copies is None and (named or self.collects or (self.names_inside and self._uses_block(arguments))):
                copies = numbered_copies(written, scope)
            if isinstance(copies, Diagnostic):
                self.document.problems.append(copies)
                self.document.recovered = self.lost_copies = True
                return []
            if copies is not None:
                return self._copies(item, copies, scope, inside, named)
        if isinstance(arguments.value, dict):
            values = {key: node if key in lists else scope.fill_in(node) for key, node in arguments.value.items()}
            for key in (*REFERRING, "layers") if name == "shared" else REFERRING:
                if key in values and (key != "state_from" or isinstance(values[key].value, str)):
                    found = self._refer(values[key])
                    if found is None:
                        return []
                    values[key] = found
            values |= {key: self._list(values[key], scope, inside) for key in lists if key in values}
            for key in getattr(LAYERS.get(name), "naming", ()):
                values |= {key: self.names.give(values[key])} if key in values else {}
            size = 1 + sum(node.size for node in values.values())
            return [replace(item, value={name: replace(arguments, value=values, size=size)}, size=1 + size)]
        if lists:
            return [replace(item, value={name: self._list(arguments, scope, inside)})]
        filled = scope.fill_in(arguments)
        referred = self._refer(filled) if name == "shared" else filled
        return [replace(item, value={name: referred}, size=1 + filled.size)] if referred is not None else []

    def _copies(
        self, item: Node, copies: Copies, scope: Scope, inside: tuple[str, ...], named: bool = False
    ) -> list[Node]:
        """The layers of a `repeat`, written out for each copy, whose names are local to it."""
        first, used = len(self.names.found), set[str]()
        items: list[Node] = []
        for number, values in enumerate(copies.values, 1):
            self._count(1 + copies.layers.size, item, "`repeat` expands")
            self.names.enter()
            inner = Scope(values, self.document, outer=scope, known=values)
            laid = self._list(copies.layers, inner, inside, named and number == len(copies.values))
            self.names.leave()
            items += laid.value if isinstance(laid.value, list) else []
            used |= inner.used
        self.names.end_repeat(first)
        for name, node in copies.values[0].items():
            if name not in used:
                self.document.problems.append(
                    Diagnostic(
                        "unused-variable",
                        f"no layer of the `repeat` uses `{name}`",
                        node.key or node.span,
                        Severity.WARNING,
                        help=f"write `${name}` where it belongs, or `times: {len(copies.values)}` in place of `each`",
                    )
                )
        source = None if copies.from_ is None else self._refer(scope.fill_in(copies.from_))
        if source is not None and items:
            items[0] = self._give(items[0], "from", source)
        return items

    def _count(self, nodes: int, item: Node, what: str) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            message = f"{what} to more than {MAX_NODES:,} values here"
            raise _TooFar(Diagnostic("expands-too-far", message, _place(item)))

    def _refer(self, names: Node) -> Node | None:
        """What refers to layers: a name, `{all: name}` for the copies of the `repeat` just above, or a list of both.
        None: there are no such copies, which is reported."""
        if isinstance(names.value, list):
            found: list[Node] = []
            for name in names.value:
                each = self._refer(name)
                if each is None:
                    return None
                found += each.value if isinstance(each.value, list) else [each]
            return replace(names, value=found)
        if not isinstance(names.value, dict) or [*names.value] != ["all"]:
            found_one = self.names.refer(names)
            if isinstance(found_one.value, str) and "." in found_one.value:
                help = did_you_mean(found_one.value, self.names.addresses)
                self._say("unknown-layer-name", f"no layer above is named `{found_one.value}`", names.span, help)
                return None
            return found_one
        node = names.value["all"]
        wanted = node.plain()
        called = self.names.copies(wanted) if isinstance(wanted, str) else []
        if not called and not self.lost_copies:
            known = self.names.names_of_copies()
            message = f"no copy of a `repeat` above has a layer named `{wanted}`"
            help = did_you_mean(str(wanted), known) or f"give a layer of the `repeat` the `name: {wanted}`"
            self._say("unknown-layer-name", message, node.span, help)
        return replace(names, value=[Node(each, node.span, origin=node.origin) for each in called]) if called else None

    def _refer_in(self, own: dict[str, Node]) -> None:
        """Fills in what `from` refers to, or takes it out where there are no such layers."""
        if "from" in own:
            found = self._refer(own.pop("from"))
            own |= {} if found is None else {"from": found}

    def _uses_block(self, node: Node) -> bool:
        """Whether a block is used in it, whose layers have addresses in each copy."""
        if isinstance(node.value, list):
            return any(split_item(item)[0] in self.blocks or self._uses_block(item) for item in node.value)
        return isinstance(node.value, dict) and any(map(self._uses_block, node.value.values()))

    def _holds_block(self, arguments: Node) -> bool:
        """Whether a layer around another one holds a block."""
        inner = arguments.child("layer") if isinstance(arguments.value, dict) else None
        return split_item(inner or arguments)[0] in self.blocks

    def _at_each_timestep(self, item: Node, arguments: Node, scope: Scope, inside: tuple[str, ...]) -> list[Node]:
        """`time_distributed` around each layer of a block, which together do what it would do around all of them."""
        inner = arguments.child("layer") if isinstance(arguments.value, dict) else None
        own: dict[str, Node] = {}
        if inner is not None and isinstance(arguments.value, dict):
            own = {key: scope.fill_in(node) for key, node in arguments.value.items() if key != "layer"}
        held = inner or arguments
        items = []
        for layer in self._item(held, scope, inside):
            name, below = split_item(layer)
            values = dict(below.value) if below is not None and isinstance(below.value, dict) else None
            outside = {key: values.pop(key) for key in OWN_KEYS if key in values} if values is not None else {}
            if name is not None and values is not None and below is not None and outside:
                layer = replace(layer, value={name: replace(below, value=values)} if values else name)
            around = replace(arguments, value={"layer": layer, **outside})
            items.append(replace(item, value={TIMESTEPS: around}))
        if items:
            self._refer_in(own)
        if items and "name" in own:
            own["name"] = self.names.give(own["name"])
        for key, node in own.items():
            for at in {"from": [0], "name": [-1]}.get(key, range(len(items))):
                items[at] = self._give(items[at], key, node)
        return items

    def _outputs(self, outputs: Node) -> Node:
        """The outputs of the network, of which each may name the layer below it."""
        if not isinstance(outputs.value, dict):
            return outputs
        values = dict(outputs.value)
        for key, node in values.items():
            if isinstance(node.value, dict) and "from" in node.value:
                values[key] = replace(node, value={**node.value, "from": self.names.refer(node.value["from"])})
        return replace(outputs, value=values)

    def _use(
        self,
        block: Block,
        item: Node,
        arguments: Node | None,
        scope: Scope,
        inside: tuple[str, ...],
        named: bool = False,
    ) -> list[Node]:
        self.used.add(block.name)
        self.nodes += 1
        if block.name in inside:
            circle = " -> ".join(f"`{name}`" for name in (*inside[inside.index(block.name) :], block.name))
            self._say("recursive-block", f"a block uses itself: {circle}", _place(item))
            return []
        given, own = self._arguments(block, item, arguments, scope)
        self._refer_in(own)
        self.names.enter(block.name)
        inner = Scope(block.parameters, self.document, outer=scope.outermost, known=given)
        items: list[Node] = []
        for layer in block.layers:
            self._count(0, item, "blocks expand")
            last = (named or "name" in own) and layer is block.layers[-1]
            items += self._item(_used_at(layer, _place(item)), inner, (*inside, block.name), last)
        self.names.leave()
        if "name" in own:
            own["name"] = self.names.give(own["name"])
        for name, at in (("from", 0), ("name", -1)):
            if name in own and items:
                items[at] = self._give(items[at], name, own[name])
        return items

    def _arguments(
        self, block: Block, item: Node, arguments: Node | None, scope: Scope
    ) -> tuple[dict[str, Node], dict[str, Node]]:
        """What the use gives to the parameters, and what to the layers themselves."""
        if arguments is None or arguments.value is None or block.broken:
            values: dict[str, Node] = {}
        elif isinstance(arguments.value, dict):
            values = {key: scope.fill_in(node) for key, node in arguments.value.items()}
        elif (name := block.short) is not None:
            values = {name: scope.fill_in(arguments)}
        else:
            what = f"parameters by name: {one_of(block.parameters)}" if block.parameters else "no value"
            keys = ", ".join(f"{name}: …" for name in block.needed or block.parameters)
            help = f"write `{block.name}: {{{keys}}}`" if block.parameters else f"write `{block.name}` alone"
            self._say("wrong-type", f"the block `{block.name}` takes {what}", arguments.span, help)
            return {}, {}
        for name, node in values.items():
            if name not in block.parameters and name not in OWN_KEYS:
                known = [*block.parameters, *OWN_KEYS]
                self._say(
                    "unknown-parameter",
                    f"the block `{block.name}` has no parameter `{name}`",
                    node.key or node.span,
                    did_you_mean(name, known),
                )
        near = [name for name in values if name not in block.parameters and name not in OWN_KEYS]
        for name, default in block.parameters.items():
            if default.value is None and name not in values and not near:
                self._say(
                    "missing-parameter",
                    f"the block `{block.name}` needs `{name}`",
                    _place(item),
                    f"write `{block.name}: {{{name}: …}}`",
                    Label(default.key or default.span, "has no default"),
                )
        own = {name: node for name, node in values.items() if name in OWN_KEYS}
        return {name: node for name, node in values.items() if name in block.parameters}, own

    def _give(self, item: Node, key: str, value: Node) -> Node:
        """The layer with a key that the use of its block wrote."""
        name, arguments = split_item(item)
        kind = LAYERS.get(name)
        if name is None or kind is None:
            return item
        held: dict[str, Node] = {}
        if arguments is not None and arguments.value is not None:
            _, unwritten = kind.unfold(arguments.plain())
            short = unwritten or (None if isinstance(arguments.value, dict) else kind.primary())
            held = {short: arguments} if short else dict(arguments.value) if isinstance(arguments.value, dict) else {}
        if key in held:
            self._say(
                "wrong-value",
                f"`{key}` is written where the block is used, and in the block itself",
                value.key or value.span,
                "remove one of the two",
                Label(held[key].key or held[key].span, "written here as well"),
            )
            return item
        held[key] = value
        return replace(item, value={name: Node(held, item.span, key=item.key, origin=item.origin)})

    def _say(self, code: str, message: str, span: Span, help: str | None = None, *labels: Label) -> None:
        self.document.problems.append(Diagnostic(code, message, span, help=help, labels=labels))
        self.document.recovered = True  # what stands here now is not what was meant


def split_item(item: Node) -> tuple[str | None, Node | None]:
    """The name of an item of a list of layers, and what stands behind it."""
    if isinstance(item.value, str):
        return item.value, None
    if isinstance(item.value, dict) and len(item.value) == 1:
        ((name, arguments),) = item.value.items()
        return name, arguments
    return None, None


def _has(node: Node, key: str) -> bool:
    """Whether something in it has this key."""
    if isinstance(node.value, list):
        return any(_has(below, key) for below in node.value)
    return isinstance(node.value, dict) and (
        key in node.value or any(_has(below, key) for below in node.value.values())
    )


def _collects(node: Node) -> bool:
    """Whether some layer takes a layer in all copies of a `repeat`, by `from: {all: name}`."""
    if isinstance(node.value, list):
        return any(map(_collects, node.value))
    if not isinstance(node.value, dict):
        return False
    from_ = node.value.get("from")
    sources = [] if from_ is None else from_.value if isinstance(from_.value, list) else [from_]
    return any(source.child("all") for source in sources) or any(map(_collects, node.value.values()))


def _place(item: Node) -> Span:
    """The name of the block where it is used."""
    if isinstance(item.value, dict):
        for node in item.value.values():
            return node.key or item.span
    return item.span


def _used_at(node: Node, place: Span) -> Node:
    """A copy of what a block holds that remembers where the block is used."""
    used = (Label(replace(place, trail=()), "used here"), *place.trail)

    def passed(span: Span) -> Span:
        return replace(span, trail=(*span.trail, *used))

    value: Any = node.value
    if isinstance(value, dict):
        value = {key: _used_at(below, place) for key, below in value.items()}
    elif isinstance(value, list):
        value = [_used_at(below, place) for below in value]
    return replace(node, value=value, span=passed(node.span), key=passed(node.key) if node.key else None)
