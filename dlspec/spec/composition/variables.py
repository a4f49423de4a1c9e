"""`variables`: names for values, used as `$name` or in arithmetic as `$(name * 2)`; `$$` is a dollar sign."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.language.fields import show_value
from dlspec.language.words import did_you_mean
from dlspec.language.yaml import MAX_NODES, Document, Node
from dlspec.spec.composition.arithmetic import ArithmeticProblem, Number, calculate

REFERENCE = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\(([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*)\))")
"""`$$`, `$name` or `$(…)` with parentheses up to two deep inside."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def read_variables(document: Document) -> Scope:
    """The variables of the spec, taken out of it."""
    assert isinstance(document.root.value, dict), "a spec that is written out is a mapping"
    document.variables = _read(document.root.value.pop("variables", None), document)
    return Scope(document.variables, document)


def fill_in_variables(document: Document, scope: Scope) -> None:
    """Puts a value in place of every `$name` and `$(…)` outside of the model, whose blocks have names of their own."""
    values = document.root.value
    assert isinstance(values, dict), "a spec that is written out is a mapping"
    document.root = replace(
        document.root, value={key: node if key == "model" else scope.fill_in(node) for key, node in values.items()}
    )
    said = len(document.problems)
    for name in scope.given:
        scope.value_of(name)  # what is wrong with it, also where nothing uses it
    wrong = {problem.span for problem in document.problems[said:]}
    for name, node in scope.given.items():
        if name not in scope.used and node.span not in wrong and node.span.file == document.file:
            document.problems.append(
                Diagnostic(
                    "unused-variable",
                    f"nothing uses the variable `{name}`",
                    node.key or node.span,
                    Severity.WARNING,
                    help=f"write `${name}` where it belongs, or remove it",
                )
            )


def _read(given: Node | None, document: Document) -> dict[str, Node]:
    if given is None or given.value is None:
        return {}
    if not isinstance(given.value, dict):
        document.problems.append(
            Diagnostic(
                "wrong-type",
                f"`variables` must be a mapping of names, got {show_value(given.plain())}",
                given.span,
                help="write names and their values, such as `variables: {width: 64}`",
            )
        )
        return {}
    for name, node in given.value.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            document.problems.append(
                Diagnostic(
                    "wrong-value",
                    f"a variable's name is made of letters, digits and `_`, got `{name}`",
                    node.key or node.span,
                )
            )
    return dict(given.value)


class Scope:
    """Names and their values, at a place in the spec.

    Args:
        given: name -> what was written for it, which may use other names.
        outer: where names are looked up that are not given here.
        known: name -> value, its references filled in already.
    """

    def __init__(
        self,
        given: Mapping[str, Node],
        document: Document,
        *,
        outer: Scope | None = None,
        known: Mapping[str, Node] | None = None,
    ) -> None:
        self.given = given
        self.document = document
        self.outer = outer
        self.used: set[str] = set()
        self.nodes = 0
        self._values: dict[str, Node | None] = dict(known or {})
        self._open: list[str] = []

    @property
    def outermost(self) -> Scope:
        """The variables of the spec."""
        return self.outer.outermost if self.outer else self

    @property
    def noun(self) -> str:
        return "parameter or variable" if self.outer else "variable"

    def knows(self, name: str) -> bool:
        return name in self.given or (self.outer is not None and self.outer.knows(name))

    def names(self) -> list[str]:
        return [*self.given, *(self.outer.names() if self.outer else [])]

    def value_of(self, name: str) -> Node | None:
        """The value, its own references filled in; None where it has none because of a mistake."""
        if name not in self.given:
            return self.outer.value_of(name) if self.outer else None
        if name in self._open:
            circle = " -> ".join(f"${each}" for each in (*self._open[self._open.index(name) :], name))
            self._say("variable-cycle", f"variables use each other in a circle: {circle}", self.given[name])
            return None
        if name not in self._values:
            self._open.append(name)
            self._values[name] = self.fill_in(self.given[name])
            self._open.pop()
        return self._values[name]

    def mark_used(self, name: str) -> None:
        if name in self.given:
            self.used.add(name)
        elif self.outer:
            self.outer.mark_used(name)

    def fill_in(self, node: Node) -> Node:
        """The node with a value in place of every reference."""
        if isinstance(node.value, dict):
            values = {key: self.fill_in(below) for key, below in node.value.items()}
            return replace(node, value=values, size=1 + sum(below.size for below in values.values()))
        if isinstance(node.value, list):
            items = [self.fill_in(below) for below in node.value]
            return replace(node, value=items, size=1 + sum(below.size for below in items))
        if not isinstance(node.value, str) or "$" not in node.value:
            return node
        return self._fill_in_text(node, node.value)

    def _fill_in_text(self, node: Node, text: str) -> Node:
        whole = REFERENCE.fullmatch(text)
        if whole and not whole[1]:
            return self._refer(node, whole)
        if text.startswith("$(") and not REFERENCE.match(text):
            self._say("bad-arithmetic", f"`{text}`: `)` is missing, or there are too many", node)
            return replace(node, value=None)
        parts = []
        last = 0
        for match in REFERENCE.finditer(text):
            parts.append(text[last : match.start()])
            last = match.end()
            value = "$" if match[1] else self._refer(node, match).value
            if isinstance(value, dict | list):
                self._say("wrong-type", f"`{match[0]}` stands inside text, and is {show_value(value)}", node)
                value = ""
            parts.append("true" if value is True else "false" if value is False else str(value))
        return replace(node, value="".join(parts) + text[last:])

    def _refer(self, node: Node, match: re.Match[str]) -> Node:
        name = match[2] or (match[3].strip() if _NAME.fullmatch(match[3].strip()) else None)
        if name:  # `$(name)_out` is `$name` before a letter
            found = self._look_up(name, node)
            if found is None:
                return replace(node, value=None)
            self.outermost.nodes += found.size
            if self.outermost.nodes > MAX_NODES:
                self._say("expands-too-far", f"`${name}` expands to more than {MAX_NODES:,} values", node)
                return replace(node, value=None)
            return _at(found, node, name)
        try:
            return replace(node, value=calculate(match[3], lambda name: self._number(name, node)))
        except ArithmeticProblem as problem:
            self._say(
                "bad-arithmetic",
                f"`{match[0]}` cannot be calculated: {problem}",
                node,
                help=f"write `{match[0].replace('^', '**')}`"
                if "^" in match[0]
                else "write numbers, names, `+ - * / // % **` and parentheses, such as `$(width * 2)`",
            )
        except _Said:
            pass
        return replace(node, value=None)

    def _look_up(self, name: str, node: Node) -> Node | None:
        if not self.knows(name):
            self._say(
                "unknown-variable",
                f"there is no {self.noun} `{name}`",
                node,
                help=self._longer_than_known(name)
                or did_you_mean(name, self.names())
                or f"add `{name}` under `variables`, or write `$${name}` for a dollar sign",
            )
            return None
        self.mark_used(name)
        return self.value_of(name)

    def _longer_than_known(self, name: str) -> str | None:
        """`$n_out`, where `n` is known."""
        known = next((own for own in sorted(self.names(), key=len, reverse=True) if name.startswith(f"{own}_")), None)
        return f"write `$({known}){name.removeprefix(known)}` for the value of `{known}` in front" if known else None

    def _number(self, name: str, node: Node) -> Number:
        found = self._look_up(name, node)
        if found is None:
            raise _Said
        if isinstance(found.value, bool) or not isinstance(found.value, int | float):
            raise ArithmeticProblem(f"`{name}` is {show_value(found.plain())}, and numbers are needed")
        return found.value

    def _say(self, code: str, message: str, node: Node, help: str | None = None) -> None:
        self.document.problems.append(Diagnostic(code, message, node.span, help=help))
        self.document.recovered = True  # what stands here is not what was meant, so its absence says nothing


class _Said(Exception):
    """What is wrong has been said."""


def _at(found: Node, place: Node, name: str) -> Node:
    """The value as if it were written where it is used, with the place that it comes from."""
    origin = Label(found.span, f"`${name}` is {_short(found.plain())}")
    span = replace(place.span, trail=(*place.span.trail, origin))

    def moved(node: Node) -> Node:
        value: Any = node.value
        if isinstance(value, dict):
            value = {key: moved(below) for key, below in value.items()}
        elif isinstance(value, list):
            value = [moved(below) for below in value]
        return replace(node, value=value, span=span, key=None if node is found else span, origin=place.origin)

    return replace(moved(found), key=place.key)


def _short(value: Any) -> str:
    shown = show_value(value).removeprefix("the text ").strip("`")
    return shown if len(shown) <= 40 else "given here"
