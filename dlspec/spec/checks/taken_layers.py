"""Rules about layers that come from another run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics import Diagnostic, Label, Severity, Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.language.yaml import read_file
from dlspec.model.weights import RESOLVED, layer_sizes
from dlspec.pretraining import Taken
from dlspec.pretraining.section import Entry
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.checks.pretraining import entries_to_check, taken_by
from dlspec.spec.other_run import find_layers_file
from dlspec.spec.planning import place_layers
from dlspec.spec.spec import Spec
from dlspec.training.plan import StagePlace


@rule
def other_run_has_layers(checked: Checked) -> Iterator[Diagnostic]:
    """What `from` names is a run, with layers of these names and sizes."""
    for entry in entries_to_check(checked):
        if entry.method.from_ is not None:
            yield from _has_layers(checked, entry)


def _has_layers(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    method, spec, graph = entry.method, checked.spec, checked.graph
    span = spec.span(*entry.path, "from")
    try:
        source = find_layers_file(spec, entry)
        assert source is not None, "`from` names it"
        sizes = layer_sizes(source)
    except DataError as error:
        yield from (replace(d, span=d.span or span) for d in error.diagnostics)
        return
    chosen = method.chosen(graph)
    missing = [layer for layer in chosen if layer.name not in sizes]
    if missing and (isinstance(method, Taken) or len(missing) == len(chosen)):
        some = missing if len(missing) < 4 else missing[:3]
        yield Diagnostic(
            "unknown-layer-name",
            f"that run has no layer {one_of([layer.name for layer in some])}",
            span,
            help=f"it has {one_of(sizes)}; `name` gives layers here the same names, and `layers` says which to take"
            + ("" if isinstance(method, Taken) else "; without `from` they are pretrained"),
        )
    for layer in chosen:
        if layer.name in sizes and None not in layer.input_shapes and sizes[layer.name] != layer.parameters:
            yield Diagnostic(
                "shape-mismatch",
                f"`{layer.name}` has {layer.parameters:,} weights here, and {sizes[layer.name]:,} in that run",
                spec.key_span(*layer.path, layer.type_name),
                labels=(Label(span, "taken from here"),),
                help="give it the same size and input, or another name"
                if method.layers is None
                else "give it the same size and input, or take it out of `layers`",
            )


@rule
def layers_of_another_run_fit(checked: Checked) -> Iterator[Diagnostic]:
    """Layers that come from a run on the same data must not have seen what is the test part here, nor other scales."""
    if checked.signature is None or not checked.spec.has("data"):
        return
    for entry in entries_to_check(checked):
        if entry.method.from_ is not None:
            yield from _layers_fit(checked, entry)


def _layers_fit(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    spec, taken = checked.spec, taken_by(checked, entry)
    try:
        source = find_layers_file(spec, entry)
        other = other_spec(source) if source else None
    except DataError:
        return
    if source is None or other is None or not taken:
        return
    span = spec.span(*entry.path, "from")
    yield from seen_before(checked, other, source.parent, span)
    theirs, own = other["data"].get("scale", "standard"), spec.data.scale
    if theirs != own and any(place.at_input for place in _places(checked, taken).values()):
        yield Diagnostic(
            "other-scale",
            f"the layers were trained there on `scale: {theirs}`, and see `scale: {own}` here",
            span,
            Severity.WARNING,
            help=f"write `scale: {theirs}` under `data`",
        )


@rule
def networks_of_runs_have_not_seen_the_test_part(checked: Checked) -> Iterator[Diagnostic]:
    """A network that is taken over from a run on the same data must not have been trained on what is tested here."""
    spec = checked.spec
    if checked.signature is None or not spec.has("data") or not spec.has("model"):
        return
    for item, path in spec.model.items():
        for key in item.files:
            file = spec.model.folder_of(*path[1:], item.type_name) / getattr(item, key)
            folder = file if file.is_dir() else file.parent
            other = other_spec(folder / RESOLVED)
            if other is not None:
                yield from seen_before(checked, other, folder, spec.key_span(*path, item.type_name))


def seen_before(checked: Checked, other: Mapping[str, Any], folder: Path, span: Span) -> Iterator[Diagnostic]:
    """Whether a run, whose resolved spec is in a folder, was trained on samples of the test part here."""
    spec, signature = checked.spec, checked.signature
    assert signature is not None, "without it nothing is known of the test part"
    if spec.data.first_target_names not in ([], [*signature.target.names]):  # the first output decides the split
        return
    compared = spec.evaluate.compare if spec.has("evaluate") else None
    generated = spec.data.dataset is not None and spec.data.dataset.generated  # each seed has samples of its own
    other_seed = spec.seed != other.get("seed")
    same = _same_data(spec, other, folder) and not (generated and other_seed)
    if not same or signature.test_rows:
        return
    by_seed = signature.window is None and spec.data.split.drawn and not generated
    folds = spec.data.split.times_trained > 1  # that run was trained on what other folds are tested on
    here = folds or _other_test_part(spec, other) or (by_seed and other_seed)
    same_parts = f"write `seed: {other.get('seed')}` and the same `split`"
    if here or (by_seed and compared is not None and compared.without_pretraining.seeds > 1):
        yield Diagnostic(
            "seen-test-part",
            "that run was trained on the same data in other parts, and so on samples of this test part",
            span if here else spec.key_span("evaluate", "compare"),
            Severity.WARNING,
            help="test without folds" if folds else same_parts if here else "write `seeds: 1`",
        )


def _places(checked: Checked, names: tuple[str, ...]) -> dict[str, StagePlace]:
    graph = checked.graph
    return place_layers(checked.spec, graph, [graph[name] for name in names])


def other_spec(source: Path) -> dict[str, Any] | None:
    """The resolved spec of the run that layers come from, as plain values, where it is there."""
    file = source.parent / RESOLVED
    try:
        values = read_file(file).root.plain() if file.is_file() else None
    except DataError:
        return None
    return values if isinstance(values, dict) and isinstance(values.get("data"), dict) else None


def _same_data(spec: Spec, other: Mapping[str, Any], folder: Path) -> bool:
    """Whether another run, whose resolved spec is in `folder`, was trained on the same source."""
    theirs = other["data"]
    if spec.data.dataset is not None:
        return theirs.get("dataset") == spec.data.dataset.written()
    for key in ("table", "series"):
        own = getattr(spec.data, key)
        if own is not None:
            written = theirs.get(key) or []
            named = written if isinstance(written, list) else [written]
            span = spec.span("data", key)
            base = Path(span.file).parent if span.in_file else spec.document.folder
            return {(folder / path).resolve() for path in named} == {(base / path).resolve() for path in own}
    return False


def _other_test_part(spec: Spec, other: Mapping[str, Any]) -> bool:
    """Whether another run, with the same seed, keeps other samples for the test, which it takes out first."""
    theirs = other["data"].get("split") or {}
    other_rows = (other["data"].get("missing") == "drop") != (spec.data.missing == "drop")
    own = spec.data.split.written()
    drawn_otherwise = theirs.get("by") not in (None, own["by"])
    compared = [key for key in own if key not in ("validation", "by")]
    return other_rows or drawn_otherwise or any(_named(theirs.get(key)) != _named(own[key]) for key in compared)


def _named(value: Any) -> Any:
    """Files by their names alone, since a run folder and a spec reach them by different paths."""
    return [Path(path).name for path in value] if isinstance(value, list) else value
