"""`repeat: {each: …}`: copies of a list of layers that differ in the values of some names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.fields import show_value
from dlspec.language.words import did_you_mean
from dlspec.language.yaml import MAX_NODES, Node
from dlspec.spec.composition.variables import Scope

REPEAT = "repeat"
KEYS = ("each", "layers", "from")


@dataclass(frozen=True)
class Copies:
    """What a `repeat` lays.

    Args:
        values: of each copy, name -> value.
        layers: the list that is laid in each.
        from_: what the first layer of the first copy takes.
    """

    values: list[dict[str, Node]]
    layers: Node
    from_: Node | None


def copies_of(written: Mapping[str, Node], place: Span, scope: Scope) -> Copies | Diagnostic:
    """The copies that `each` asks for, or what is wrong with it.

    Args:
        written: the keys of the `repeat`, of which `each` is one.
        place: where it stands.
    """
    if "times" in written:
        message = "`times` and `each` exclude each other: there are as many copies as `each` has values"
        return Diagnostic("wrong-value", message, _key(written["times"]), help="remove `times`")
    unknown = next((key for key in written if key not in KEYS), None)
    if unknown is not None:
        message = f"`repeat` has no key `{unknown}`"
        return Diagnostic("unknown-key", message, _key(written[unknown]), help=did_you_mean(unknown, KEYS))
    layers = written.get("layers")
    if layers is None or not isinstance(layers.value, list) or not layers.value:
        message = "`repeat` needs a list of `layers`"
        return Diagnostic("missing-key", message, place, help="add `layers: [...]`")
    each = scope.fill_in(written["each"])
    problem = _wrong_lists(each)
    if problem is not None:
        return problem
    assert isinstance(each.value, dict), "that was looked at"
    lists = {name: node.value for name, node in each.value.items() if isinstance(node.value, list)}
    longest = max(map(len, lists.values()))
    values = [{name: values[i] for name, values in lists.items()} for i in range(longest)]
    return Copies(values, layers, written.get("from"))


def numbered_copies(written: Mapping[str, Node], scope: Scope) -> Copies | None:
    """The copies of `repeat: {times: 3, layers: […]}`; None: it is not written so, which is reported elsewhere."""
    if not {"times", "layers"} <= {*written} <= {"times", "layers", "from"}:
        return None
    times, layers = scope.fill_in(written["times"]).value, written["layers"]
    if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= MAX_NODES or not _values(layers):
        return None
    return Copies([{}] * times, layers, written.get("from"))


def _wrong_lists(each: Node) -> Diagnostic | None:
    """Several lists run side by side, so they are equally long."""
    help = "write such as `each: {dilation: [1, 2, 4]}`"
    if not isinstance(each.value, dict) or not each.value:
        message = f"`each` is a mapping of names and lists, got {show_value(each.plain())}"
        return Diagnostic("wrong-type", message, each.span, help=help)
    for name, node in each.value.items():
        if not isinstance(node.value, list) or not node.value:
            got = "an empty list" if node.value == [] else show_value(node.plain())
            message = f"`{name}` is a list of values here, one for each copy, got {got}"
            return Diagnostic("wrong-type", message, node.span, help=help)
    (first, node), *others = each.value.items()
    wanted = len(_values(node))
    for name, other in others:
        if len(_values(other)) != wanted:
            message = f"`{name}` has {len(_values(other))}, and `{first}` {wanted} of the values that run side by side"
            label = Label(_key(node), f"{wanted} here")
            return Diagnostic("wrong-value", message, _key(other), labels=(label,), help=f"write {wanted} values")
    return None


def _values(node: Node) -> list[Node]:
    return node.value if isinstance(node.value, list) else []


def _key(node: Node) -> Span:
    return node.key or node.span
