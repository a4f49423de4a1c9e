"""`extends: base.yaml`: a spec that changes another one. Mappings merge, everything else replaces.

`null` takes a key of the base back. Where another name stands in place of one with arguments, these go with it, and
where another method of pretraining does, so do the settings that it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dlspec.data.section import SOURCES
from dlspec.language.diagnostics import Diagnostic, Label
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml import Document, Node, read_file
from dlspec.pretraining import PRETRAINING

MAX_FILES = 20
NAMED = ("dataset", "optimizer", "loss", "schedule", "corruption")
"""Keys whose mapping is a name with its arguments: `{adam: …}` replaces `{sgd: …}`."""
WITH_SOURCE = ("data", "unlabeled")


def extend(document: Document) -> Document:
    """The spec on top of those that it extends, the first of them lowest."""
    if not isinstance(document.root.value, dict) or "extends" not in document.root.value:
        return document
    return _extend(document, Path(document.file).parent.resolve(), (Path(document.file).resolve(),), [0])


def _extend(document: Document, tree: Path, above: tuple[Path, ...], read: list[int]) -> Document:
    """
    Args:
        tree: the folder that no file may lie outside of.
        above: the files that led here, for cycles.
        read: how many files have been read so far.
    """
    values = document.root.value
    assert isinstance(values, dict), "only a mapping extends"
    named = values.pop("extends", None)
    merged: Node | None = None
    for node in [] if named is None else _names(named, document):
        base = _read(node, document, tree, above, read)
        if base is None:
            continue
        if isinstance(base.root.value, dict) and "extends" in base.root.value:
            base = _extend(base, tree, (*above, Path(base.file).resolve()), read)
        document.texts = {**base.texts, **document.texts}
        document.problems += base.problems
        document.recovered |= base.recovered
        if isinstance(base.root.value, dict):
            merged = base.root if merged is None else merge(merged, base.root)
    if merged is not None:
        document.root = merge(merged, document.root)
    return document


def _names(named: Node, document: Document) -> list[Node]:
    nodes = named.value if isinstance(named.value, list) else [named]
    wrong = [node for node in nodes if not isinstance(node.value, str)]
    for node in wrong:
        document.problems.append(
            Diagnostic("wrong-type", "`extends` names a spec, or a list of specs", node.span, help="write a file name")
        )
    return [node for node in nodes if isinstance(node.value, str)]


def _read(node: Node, document: Document, tree: Path, above: tuple[Path, ...], read: list[int]) -> Document | None:
    """The spec that the node names, or None and a problem."""
    path = Path(document.file).parent / str(node.value)
    if "\0" in str(node.value):
        problem = Diagnostic("file-unreadable", "no file has a name with a NUL in it", node.span, help="name a spec")
        document.problems.append(problem)
        return None
    resolved = path.resolve()
    if not resolved.is_relative_to(tree):
        problem = Diagnostic(
            "outside-folder",
            f"`{node.value}` lies outside the folder of the spec, where `extends` does not reach",
            node.span,
            help="put it into that folder, or below it",
        )
    elif resolved in above:
        names = [path.name for path in (*above[above.index(resolved) :], resolved)]
        problem = Diagnostic(
            "extends-cycle",
            f"specs extend each other in a circle: {' -> '.join(names)}",
            node.span,
            help="remove one of the `extends`",
        )
    elif read[0] >= MAX_FILES:
        problem = Diagnostic("expands-too-far", f"more than {MAX_FILES} files extend each other", node.span)
    else:
        read[0] += 1
        try:
            base = (document.read_beside or read_file)(path)
        except DataError as error:
            beside = f"{path.parent}/" if str(path.parent) != "." else ""
            document.problems += [
                replace(problem, span=node.span, help=problem.help and problem.help.replace(f"`{beside}", "`"))
                for problem in error.diagnostics
            ]
            document.recovered = True
            return None
        mark(base.root, f"extends {node.value}")
        base.problems = [
            replace(problem, labels=(*problem.labels, Label(node.span, "extended here"))) for problem in base.problems
        ]
        return base
    document.problems.append(problem)
    document.recovered = True  # what is missing may stand there
    return None


def mark(node: Node, origin: str) -> None:
    """Says of a value and everything below it who wrote it."""
    node.origin = origin
    below = node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
    for child in below:
        mark(child, origin)


def merge(base: Node, top: Node, key: str | None = None) -> Node:
    """`top` on `base`: keys of both are merged, and where they cannot be, `top` is what holds."""
    if not isinstance(base.value, dict) or not isinstance(top.value, dict):
        return top
    if key in NAMED and set(base.value) != set(top.value):
        return top
    values = without_other_sources(base.value, top.value) if key in WITH_SOURCE else dict(base.value)
    if key == "pretrain" and "method" in top.value:
        values = without_other_method(values, top.value["method"])
    for name, node in top.value.items():
        if node.value is None and name in values and key != "parameters":  # which says that it must be given
            del values[name]
        else:
            values[name] = merge(values[name], node, name) if name in values else node
    size = 1 + sum(node.size for node in values.values())
    return replace(top, value=values, size=size)


def without_other_sources(base: Mapping[str, Node], added: Iterable[str]) -> dict[str, Node]:
    """The keys of `data` or `unlabeled` without the source, where another one is added."""
    other = any(name in SOURCES and name not in base for name in added)
    return {name: node for name, node in base.items() if not (other and name in SOURCES)}


def without_other_method(base: Mapping[str, Node], method: Node) -> dict[str, Node]:
    """The keys of `pretrain` without those that the method of the base has, and this one has not."""
    before = base["method"].value if "method" in base else None
    if method.value == before or method.value not in PRETRAINING or before not in PRETRAINING:
        return dict(base)
    gone = {*PRETRAINING[str(before)].keys()} - {*PRETRAINING[str(method.value)].keys()}
    kept = {name: node for name, node in base.items() if name not in gone}
    layers = kept.get("per_layer")
    if layers is not None and isinstance(layers.value, dict):
        kept["per_layer"] = replace(
            layers,
            value={
                name: replace(own, value={key: node for key, node in own.value.items() if key not in gone})
                if isinstance(own.value, dict)
                else own
                for name, own in layers.value.items()
            },
        )
    return kept
