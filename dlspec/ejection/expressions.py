"""`$name` and `$(width * 2)` of a spec as Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.ejection.python import Code, literal
from dlspec.language.yaml import Node
from dlspec.spec.composition.arithmetic import calculate
from dlspec.spec.composition.variables import REFERENCE

Number = int | float
SAFE = "_of_spec_"
"""Stands before names while they are read, since a spec may call something `in` or `lambda`."""


@dataclass(frozen=True)
class Names:
    """What stands for the variables of a spec, or for the parameters of a block, at a place in the script.

    Args:
        values: of those that are plain values.
        called: gives the Python name of one of them.
    """

    values: Mapping[str, Any]
    called: Callable[[str], Code]

    def source(self, value: Any) -> Any:
        """A value as it is written in a spec, with names in place of `$name`; None where they stand for more than plain
        values, or it is text around them."""
        if isinstance(value, list):
            items = [self.source(item) for item in value]
            if any(item is None for item in items):
                return None
            return Code(f"({', '.join(map(literal, items))}{',' if len(items) == 1 else ''})")
        if isinstance(value, str) and "$" in value:
            return self._expression(value)
        return None if isinstance(value, dict) else value

    def value(self, node: Node) -> Any:
        """The plain value that a node has; None where it has none."""
        written = node.plain()
        if not isinstance(written, str) or "$" not in written:
            return None if isinstance(written, dict) else written
        found = REFERENCE.fullmatch(written)
        if found is None or found[1]:
            return None
        if found[2]:
            return self.values.get(found[2])
        return calculate(found[3], self.values.__getitem__)

    def _expression(self, text: str) -> Code | None:
        found = REFERENCE.fullmatch(text)
        if found is None or found[1]:
            return None
        if found[2]:
            return self.called(found[2]) if found[2] in self.values else None
        try:
            tree = ast.parse(re.sub(r"\b([A-Za-z_])", rf"{SAFE}\1", found[3].strip()), mode="eval")
        except SyntaxError:  # such as `010`, which is ten in a spec
            return None
        used = {node.id.removeprefix(SAFE) for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if not used <= {*self.values}:
            return None
        tree = ast.fix_missing_locations(_Translated(self).visit(tree))
        return Code(re.sub(r"(\w+) \*\* (\w+)", r"\1**\2", ast.unparse(tree)))


@dataclass
class _Translated(ast.NodeTransformer):
    """The names of the script, and `//` where a spec's `/` leaves nothing over, which stays a whole number there."""

    names: Names

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        exact = isinstance(node.op, ast.Div) and isinstance(self._value(node), int)
        changed = self.generic_visit(node)
        if exact and isinstance(changed, ast.BinOp):
            changed.op = ast.FloorDiv()
        return changed

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(str(self.names.called(node.id.removeprefix(SAFE))), node.ctx)

    def _value(self, node: ast.AST) -> Number:
        return calculate(ast.unparse(node), lambda name: self.names.values[name.removeprefix(SAFE)])
