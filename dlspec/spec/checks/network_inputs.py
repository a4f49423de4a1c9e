"""Rules about what flows into layers: text, whole numbers, and the numbers that scaling made of the data."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dlspec.data.columns import place_of_feature
from dlspec.data.datasets import Column
from dlspec.data.features import Feature
from dlspec.data.features.category import Category
from dlspec.data.signature import Signature
from dlspec.language.diagnostics import Diagnostic, Label
from dlspec.model.layers.core import Lookup
from dlspec.model.layers.regularization import Regularizing
from dlspec.spec.checks.base import Checked, rule


@rule
def layers_get_what_they_look_up(checked: Checked) -> Iterator[Diagnostic]:
    """A layer that looks words or whole numbers up finds nothing among other numbers."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    if signature is None or not spec.has("model"):
        return
    for layer in graph.layers:
        wanted = layer.layer.input_dtype
        if wanted == "float32":
            continue
        origins = [graph.origin(name) for name in layer.inputs if name]
        bag = _bag_of_words(signature, origins)
        if bag is not None and wanted != "string":
            yield Diagnostic(
                "wrong-input-type",
                f"`{layer.type_name}` looks words up in their order, and `{bag}` is counted as a bag of words",
                spec.key_span(*layer.path, layer.type_name),
                help=f"write `features: {{{bag}: {{text: {{length: 50}}}}}}` under `data`, for so many words of it",
            )
            continue
        below = next((graph[name] for name in origins if name in graph.by_name and graph[name].layer.has_weights), None)
        labels: tuple[Label, ...] = ()
        if wanted == "string":
            message = "takes text, and only numbers come here"
            help = "write `features: {COLUMN: text}` under `data`, which makes numbers of words below the network"
        elif below is not None:
            message = f"takes whole numbers, and `{below.name}` puts out numbers of any size"
            labels = (Label(spec.key_span(*below.path, below.type_name), "its input comes from here"),)
            help = f"let it take its input from the data, above `{below.name}`"
        elif spec.data.scale != "none" and not all(name in graph.by_name or signature.tokens(name) for name in origins):
            message = f"takes whole numbers, and `scale: {spec.data.scale}` makes others of the data"
            if spec.is_written("data", "scale"):
                labels = (Label(spec.span("data", "scale"), "scaled here"),)
            help = "write `scale: none` under `data`"
        else:
            continue
        yield Diagnostic(
            "wrong-input-type",
            f"`{layer.type_name}` {message}",
            spec.key_span(*layer.path, layer.type_name),
            labels=labels,
            help=help,
        )


@rule
def word_numbers_are_looked_up(checked: Checked) -> Iterator[Diagnostic]:
    """The number of a word is a place in a vocabulary and no quantity, so a layer that looks it up comes first."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    if signature is None or not spec.has("model"):
        return
    for given in signature.inputs:
        features = signature.features_of(given)
        if not signature.tokens(given.name) or len(features) == 1:
            continue
        name, kind = next((column.name, kind) for column, kind in features if kind.token_count(column))
        written = spec.is_written("data", "features")
        yield Diagnostic(
            "wrong-value",
            f"`{name}` shows numbers of words, and cannot stand beside other features",
            spec.data.span(*place_of_feature(spec.data, name)) if written else spec.key_span("data"),
            help=f"give it an input of its own under `model`, or leave `{kind.tokens_key}` out",
        )
    for layer in graph.layers:
        passes = layer.layer.passes_values and not isinstance(layer.layer, Regularizing)
        if passes or layer.layer.input_dtype != "float32":
            continue
        origins = [graph.origin(name) for name in layer.inputs]
        if any(map(signature.tokens, origins)):
            yield Diagnostic(
                "wrong-input-type",
                f"`{layer.type_name}` takes quantities, and numbers of words come here",
                spec.key_span(*layer.path, layer.type_name),
                help=f"put `embedding: 32` above `{layer.type_name}`{_or_leave_out(_key(signature, origins))}",
            )


def _bag_of_words(signature: Signature, inputs: Collection[str]) -> str | None:
    """A text that one of these inputs shows as a bag of words."""
    given = (given for given in signature.inputs if given.name in inputs)
    texts = (column.name for one in given for column, kind in signature.features_of(one) if _is_bag(column, kind))
    return next(texts, None)


def _is_bag(column: Column, kind: Feature) -> bool:
    return kind.type_name == "text" and kind.token_count(column) is None


def _key(signature: Signature, inputs: Collection[str]) -> str:
    """The setting of a feature that makes these inputs show numbers of words."""
    given = (given for given in signature.inputs if given.name in inputs)
    kinds = (kind for one in given for column, kind in signature.features_of(one) if kind.token_count(column))
    return next(kinds).tokens_key


def _or_leave_out(key: str) -> str:
    return f", or leave `{key}` out of the feature" if key else ""


@rule
def embeddings_have_inputs_of_their_own(checked: Checked) -> Iterator[Diagnostic]:
    """Where the model names its inputs, dlspec adds no layer between these."""
    spec = checked.spec
    features = spec.data.features if spec.has("data") else None
    named = spec.has("model") and spec.model.inputs is not None
    for name, kind in features.items() if isinstance(features, dict) and named else ():
        if isinstance(kind, Category) and kind.embedding is not None:
            yield Diagnostic(
                "wrong-value",
                f"`embedding` gives `{name}` an input of its own, and this model names its inputs",
                spec.span("data", "features", name),
                help=f"write `{name}: {{category: {{codes: true}}}}`, and an `embedding: {kind.embedding}` that takes "
                "its input",
            )


@rule
def lookups_know_their_numbers(checked: Checked) -> Iterator[Diagnostic]:
    """A layer that looks numbers up has a vector for each that may come."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    if signature is None or not spec.has("model"):
        return
    for layer in graph.layers:
        lookup = getattr(layer.layer, "layer", layer.layer)
        encodes = lookup.type_name == "category_encoding"
        if not (encodes or isinstance(lookup, Lookup)) or layer.shares:
            continue
        needed = max((signature.tokens(graph.origin(name)) or 0 for name in layer.inputs if name), default=0)
        span = spec.key_span(*layer.path, layer.type_name)
        places = getattr(lookup, "num_tokens", needed)
        if places < needed:
            yield Diagnostic(
                "out-of-range",
                f"`num_tokens` is {places:,}, and the numbers of words go up to {needed - 1:,}",
                span,
                help=f"write `num_tokens: {needed}`",
            )
        if not isinstance(lookup, Lookup):
            continue
        if _bag_of_words(signature, [graph.origin(name) for name in layer.inputs if name]) is not None:
            continue  # which is told
        if lookup.input_dim is None:
            yield Diagnostic(
                "missing-key",
                f"`{lookup.type_name}` needs `input_dim`, how many different numbers there are: they come from no text",
                span,
                help="add `input_dim: …`",
            )
        elif lookup.input_dim < needed:
            yield Diagnostic(
                "out-of-range",
                f"`input_dim` is {lookup.input_dim:,}, and the numbers of words go up to {needed - 1:,}",
                span,
                help=f"write `input_dim: {needed}`, or leave it out",
            )
