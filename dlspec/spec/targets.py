"""What the columns that are predicted ask of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from dlspec.data.datasets import Column, Description
from dlspec.data.features.base import truth_of
from dlspec.data.forms import Form
from dlspec.data.section import DataSpec
from dlspec.data.signature import Label, Signature, Target
from dlspec.data.sources.rows import MAX_CLASSES
from dlspec.data.split import Window
from dlspec.data.target import TagOfWords, Tags
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.shapes import Path, Shape
from dlspec.model.graph_builder import make_graph
from dlspec.model.layers.core import Output
from dlspec.model.layers.imaging import CROPS
from dlspec.spec.spec import Spec
from dlspec.spec.tag_targets import tags_of

GIVEN_BY: dict[Form, str] = {"value": "one number", "quantiles": "quantiles", "mixture": "a mixture"}
"""What a number is given by, in words."""
WRITTEN_AS: dict[Form, str] = {"quantiles": "{quantiles: [0.1, 0.5, 0.9]}", "mixture": "{mixture: 5}"}
"""What a number is given by -> what an `output` says that does so."""


def target_of(description: Description, name: str) -> Target | None:
    """What the column asks of a network; None where it is not there or cannot be predicted."""
    column = description.column(name)
    if column is None or column.kind not in ("number", "class") or column.shape:
        return None
    return Target(name, "class" if column.classes else "number", column.classes, column.unit)


def target_of_columns(description: Description, names: Sequence[str], data: DataSpec) -> Target | None:
    """What the columns ask of a network; None: what they hold cannot be predicted, or not together."""
    columns = [column for name in names if (column := description.column(name))]
    said, series = data.target_type, description.layout == "series"
    if len(columns) == 1 == len(names) and columns[0].numbered and said in (None, "category"):
        return _at_places(columns[0], "class")
    if len(columns) == 1 == len(names) and columns[0].shape and said in ("category", "numeric"):
        return _at_places(columns[0], "class" if said == "category" else "number")
    if len(columns) < len(names) or any(column.shape for column in columns):
        return None
    name = ", ".join(names)
    if isinstance(said, TagOfWords):
        return tags_of(columns[0], data)
    if isinstance(said, Tags):
        tags = tuple(Label(tag, name, tag) for tag in columns[0].classes)
        return Target(name, "labels", labels=tags, separator=said.tags) if columns[0].kind == "tags" else None
    if len(columns) > 1 and said != "numeric" and not series:
        words = [(truth_of(column.classes), column) for column in columns]
        labels = tuple(
            Label(column.name, column.name, word, next(other for other in column.classes if other != word))
            for word, column in words
            if word is not None
        )
        if len(labels) == len(columns):
            return Target(name, "labels", labels=labels)
    if series and data.window and data.window.each and len(columns) == 1:
        own = _numbers(name, columns, None) if said == "numeric" else target_of(description, name)
        return None if own is None else replace(own, places=(data.window.length,))
    ahead = series and data.window and data.window.steps > 1 and columns[0].kind == "number"
    if said == "numeric" or len(columns) > 1 or ahead:
        return _numbers(name, columns, data.window if series else None)
    found = target_of(description, name)
    return found if found is None or said != "category" else replace(found, one_hot=columns[0].one_hot)


def _at_places(column: Column, kind: Literal["class", "number"]) -> Target | None:
    """A class or a number at each place of an array; a last axis of size 1 is no place of a class."""
    if column.kind != kind:
        return None
    flat = kind == "class" and column.shape[-1] == 1 and len(column.shape) > 1
    places = column.shape[:-1] if flat else column.shape
    return Target(column.name, kind, column.classes, column.unit, places=places, numbered=column.numbered)


def several_written(spec: Spec) -> tuple[Output, Path] | None:
    """The `output` of which quantiles or a mixture are asked, and its place; None: there is none, or there are several
    outputs."""
    if not spec.has("model"):
        return None
    if spec.model.outputs:
        (name, given), *others = spec.model.outputs.items()
        layer = given.layer(name)
        return (layer, ("model", "outputs", name)) if layer.values_each and not others else None
    outputs = [(item, path) for item, path in spec.model.items() if isinstance(item, Output) and item.values_each]
    return (outputs[-1][0], (*outputs[-1][1], "output")) if outputs else None


def with_form(spec: Spec, target: Target) -> Target:
    """A number, or several, of which the `output` puts out quantiles or a mixture; else the target as it is."""
    written = several_written(spec)
    if written is None or target.kind != "number" or target.places:
        return target
    start = (0.5, 0.2) if spec.data.scale == "min_max" else (0.0, 1.0)
    return replace(target, levels=written[0].levels, mixture=written[0].mixture or 0, start=start)


def with_fitted_output(spec: Spec, target: Target) -> Target:
    """A class whose loss is of what comes to `output`, which is fitted after training; else the target as it is."""
    loss = spec.train.loss if spec.has("train") else None
    if loss is None or loss.fitted is None or target.kind != "class" or target.places or spec.model.outputs:
        return target
    return replace(target, fitted=loss.fitted)


def with_unit_each(spec: Spec, signature: Signature) -> Signature:
    """Of two classes, whose network ends in a unit for each, the same with such a target; else as it is."""
    target = signature.target
    if not target.by_one_unit or target.tokens or not spec.has("model") or spec.model.outputs:
        return signature
    last = spec.model.layers[-1]
    if isinstance(last, Output) and last.units is None:
        return signature
    graph, _ = make_graph(spec.model, signature)
    ends = graph[graph.outputs[0]]
    if ends.output_shape != (None, *target.places, 2) or getattr(ends.layer, "units", 2) is None:
        return signature
    return replace(signature, target=replace(target, unit_each=True))


def cut_by(spec: Spec, target: Target, seen: Shape) -> Target:
    """The classes of the pixels that are left where a layer of the network cuts pictures, in use to their middle.

    Args:
        seen: the shape of what the network sees, batch first.
    """
    if target.kind != "class" or len(target.places) != 2 or tuple(seen[1:3]) != target.places or not spec.has("model"):
        return target
    cuts = [layer for layer in spec.model.layers if layer.type_name in CROPS]
    if len(cuts) != 1:
        return target
    sizes = (int(getattr(cuts[0], "height", 0)), int(getattr(cuts[0], "width", 0)))
    if not all(0 < size < have for size, have in zip(sizes, target.places, strict=True)):
        return target
    return replace(target, places=sizes, cut_from=target.places)


def _numbers(name: str, columns: Sequence[Column], window: Window | None) -> Target | None:
    """The columns as numbers, at each of the timesteps of a series that are predicted."""
    steps = range(window.horizon, window.reach + 1) if window else range(1)
    if any(column.kind != "number" for column in columns):
        return None
    units = {column.unit for column in columns}
    unit = columns[0].unit if len(units) == 1 else None
    if len(columns) == len(steps) == 1:
        return Target(name, "number", unit=unit)
    each = tuple(Column(column.name, unit=column.unit) for column in columns for _ in steps)
    return Target(name, "number", unit=unit, columns=each, steps=(*steps,) * len(columns) if window else ())


def wrong_classes(spec: Spec, target: Target) -> Diagnostic | None:
    """A class needs others beside it, and each takes an output of the network."""
    span = spec.span("data", "target") if spec.data.target else spec.key_span("data")
    count = len(target.classes or target.labels)
    what = "tag" if target.separator or target.of_words else "label" if target.labels else "class"
    if target.kind == "class" and count < 2:
        kind = "tag" if target.of_words else "class"
        of = f"one {kind}, `{target.classes[0]}`" if target.classes else f"no {kind}"
        message = f"`{target.name}` has {of}, and so there is nothing to tell apart"
        return Diagnostic("one-class", message, span, help="predict another column, or add samples of another class")
    if target.kind == "labels" and not count:
        return Diagnostic("one-class", f"`{target.name}` has no tag in any row", span, help="predict another column")
    if count > MAX_CLASSES:
        message = f"`{target.name}` has more than {MAX_CLASSES:,} different {what}{'es' if what == 'class' else 's'}"
        cure = "take rare ones together" + (", or check what separates them" if target.separator else "")
        return Diagnostic("too-many-classes", f"{message}, and a network has an output for each", span, help=cure)
    return None
