"""Rules about stages of pretraining."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Label, Severity, Span
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean, one_of
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.core import Embedding
from dlspec.model.layers.recurrent import Recurrent
from dlspec.model.layers.wrappers import Bidirectional
from dlspec.model.masks import masks_of
from dlspec.model.section import Broken
from dlspec.pretraining import PretrainingMethod, Taken
from dlspec.pretraining.autoencoder import PROBABILITIES, Reconstructing
from dlspec.pretraining.base import NetworkMethod, Refusal
from dlspec.pretraining.section import Entry
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.other_run import layers_taken_by
from dlspec.spec.planning import place_layers, place_of_network
from dlspec.spec.spec import Spec


def entries_to_check(checked: Checked) -> tuple[Entry, ...]:
    """The entries of `pretrain`, where both sections that they are about could be read."""
    return checked.spec.pretraining if checked.spec.has("model") else ()


def taken_by(checked: Checked, entry: Entry) -> tuple[str, ...]:
    """The layers that another run has; none where that cannot be read, which another rule says."""
    try:
        return layers_taken_by(checked.spec, checked.graph, entry)
    except DataError:
        return ()


@rule
def pretrained_layers_are_there(checked: Checked) -> Iterator[Diagnostic]:
    """`layers` and `per_layer` name layers with weights below the output, from the lowest up."""
    entries, spec, graph = entries_to_check(checked), checked.spec, checked.graph
    for entry in entries:
        yield from _names_are_there(checked, entry)
    if entries and not graph.hidden and not any(isinstance(layer.layer, Broken) for layer in graph.layers):
        yield Diagnostic(
            "nothing-to-pretrain",
            "no layer below the output has weights",
            spec.key_span("pretrain"),
            help="add a hidden layer, such as `dense: 64`, or remove `pretrain`",
        )


def _names_are_there(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    method, spec, graph = entry.method, checked.spec, checked.graph
    known = {layer.name: layer for layer in graph.layers if not layer.mirrors}
    hidden = graph.hidden
    listed = method.layers or []
    for i, name in enumerate(listed):
        span = spec.span(*entry.path, "layers", i)
        if name not in known:
            names = [*(layer.name for layer in hidden), *spec.document.addresses]
            yield Diagnostic("unknown-layer-name", f"no layer is named `{name}`", span, help=did_you_mean(name, names))
        elif name in listed[:i]:
            yield Diagnostic("repeated-name", f"`{name}` is listed twice", span, help="remove it")
        elif name not in graph.with_weights_used and not isinstance(known[name].layer, Broken):
            yield Diagnostic("cannot-pretrain", f"nothing uses what `{name}` puts out", span)
        elif known[name].layer.has_weights and not known[name].layer.follows_code and known[name] not in hidden:
            yield Diagnostic("cannot-pretrain", f"`{name}` is the output, which only fine-tuning can train", span)
        elif not known[name].layer.has_weights and not isinstance(known[name].layer, Broken):
            yield Diagnostic("cannot-pretrain", f"`{name}` has no weights to pretrain", span)
        elif [n for n in known if n in listed[: i + 1]][-1] != name:
            yield Diagnostic(
                "wrong-order",
                f"`{name}` lies below a layer that is listed before it",
                span,
                help="list the layers from the lowest up",
            )
    taken = taken_by(checked, entry)
    chosen = [layer.name for layer in method.chosen(graph) if layer.name not in taken]
    for name in method.per_layer or {}:
        if name not in chosen:
            there = name in known
            why = f"`{name}` comes from another run, and is not pretrained here"
            yield Diagnostic(
                "unknown-layer-name",
                why if name in taken else f"`{name}` is not pretrained" if there else f"no layer is named `{name}`",
                spec.key_span(*entry.path, "per_layer", name),
                help=f"pretrained are {one_of(chosen)}" if there and chosen else did_you_mean(name, chosen),
            )


@rule
def entries_build_on_each_other(checked: Checked) -> Iterator[Diagnostic]:
    """What an entry of a list has pretrained is not replaced by weights of another run, and a layer learns from layers
    below it that have learned before."""
    entries, spec, graph = entries_to_check(checked), checked.spec, checked.graph
    done: dict[str, Entry] = {}
    for entry in entries:
        taken = taken_by(checked, entry)
        replaced = [name for name in taken if name in done]
        if replaced:
            other = done[replaced[0]]
            yield Diagnostic(
                "cannot-pretrain",
                f"`{replaced[0]}` is taken from a run after {other.called} trained it, which would be lost",
                spec.span(*entry.path, "from"),
                labels=(Label(spec.key_span(*other.path), "trained here"),),
                help=f"take it in an entry before {other.called}, or leave it out of `layers` here",
            )
        for layer in entry.method.chosen(graph) if not entry.method.of_network else ():
            above = [name for name in done if graph[name].index > layer.index and name not in replaced]
            if layer.name not in done and layer.name not in taken and above:
                listed = entry.method.layers or []
                at = ("layers", listed.index(layer.name)) if layer.name in listed else ()
                yield Diagnostic(
                    "wrong-order",
                    f"`{layer.name}` is pretrained after `{above[0]}`, which lies above it and has learned from its "
                    "random output",
                    spec.span(*entry.path, *at) if at else spec.key_span(*entry.path),
                    Severity.WARNING,
                    labels=(Label(spec.key_span(*done[above[0]].path), f"trains `{above[0]}`"),),
                    help=f"pretrain `{layer.name}` first",
                )
                break
        done |= {layer.name: done.get(layer.name, entry) for layer in entry.method.chosen(graph)}


@rule
def pretraining_fits_layers(checked: Checked) -> Iterator[Diagnostic]:
    """A stage of pretraining needs a layer that its method can train, and decode where it does that."""
    for entry in entries_to_check(checked):
        yield from _fits_network(checked, entry) if entry.method.of_network else _fits_layers(checked, entry)


def _fits_network(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    spec, graph, name = checked.spec, checked.graph, entry.method.type_name
    if any(isinstance(layer.layer, Broken) for layer in graph.layers) or graph.input_shape is None:
        return
    method = entry.method
    assert isinstance(method, NetworkMethod), "it trains a network"
    place = place_of_network(spec, graph, method)
    if method.then == "unroll":
        yield Diagnostic(
            "cannot-pretrain",
            f"`unroll` leads back through the decoders of layers, and `{name}` trains the network as a whole",
            spec.span(*entry.path, "then"),
            help="write `then: fine_tune`",
        )
        return
    refusal: Refusal | None
    if len(graph.inputs) > 1:
        refusal = Refusal(f"`{name}` takes one input, and the network has several in this version")
    elif graph.output_layer is None or len(graph.output_layer.inputs) > 1:
        refusal = Refusal(f"`{name}` trains what lies below one output layer, and here is none that stands alone")
    elif None in graph.input_shape[1:]:
        refusal = Refusal(f"`{name}` needs to know how large samples are, and here they have no fixed size")
    elif not any(layer.layer.trainable for layer in graph.hidden):
        refusal = Refusal("no layer below the output is to be trained (`trainable: false`)") if graph.hidden else None
    elif not method.takes_words and (_looks_up(graph) or _sees_words(checked)):
        refusal = Refusal(f"`{name}` fills in numbers, and the network sees words in this version")
    else:
        refusal = method.refuses_network(graph) or (method.refuses(place) if place is not None else None)
    if refusal is not None:
        written = refusal.key and spec.is_written(*entry.path, refusal.key)
        yield Diagnostic(
            "cannot-pretrain",
            refusal.message,
            spec.span(*entry.path, refusal.key) if written and refusal.key else spec.span(*entry.path, "method"),
            help=refusal.help or (f"remove `{refusal.key}`" if written else f"remove {entry.called}"),
        )


def _looks_up(graph: Graph) -> bool:
    """Whether the network looks up what it sees."""
    return any(isinstance(graph[name].layer, Embedding) for name in graph.consumers[graph.inputs[0].name])


def _sees_words(checked: Checked) -> bool:
    """Whether a number of what the network sees stands for a word."""
    signature = checked.signature
    if signature is None:
        return False
    pairs = zip(signature.features, signature.types, strict=False)
    return any(kind.token_count(column) for column, kind in pairs)


def _fits_layers(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    method, spec, graph = entry.method, checked.spec, checked.graph
    taken = taken_by(checked, entry)
    chosen = [layer for layer in method.chosen(graph) if layer.name not in (*taken, *graph.outputs)]
    places = place_layers(spec, graph, chosen)
    refusals: dict[str, Refusal | None] = {}
    masks = masks_of(graph)
    refusal: Refusal | None
    for layer in chosen:
        own = method.of_layer(layer.name)
        maker = masks.makers.get(layer.inputs[0]) if issubclass(layer.layer.kind, Recurrent | Bidirectional) else None
        if not layer.layer.trainable:
            message = f"`{layer.name}` is not to be trained (`trainable: false`)"
            refusal = Refusal(message, help="remove `trainable: false`, or leave the layer out of `layers`")
        elif layer.state_source:
            message = f"`{layer.name}` begins with the state of `{layer.state_source}`, and alone it would have none"
            refusal = Refusal(message)
        elif maker:
            refusal = Refusal(f"`{layer.name}` skips timesteps that `{maker}` masks, and alone it would see them")
        else:
            refusal = own.refuses(places[layer.name])
        refusals[layer.name] = refusal
    said: set[str] = set()
    for layer in chosen:
        refusal = refusals[layer.name]
        place = spec.key_span(*layer.path, layer.type_name)
        if refusal is None:
            for key, message, help in method.of_layer(layer.name).warnings(places[layer.name]):
                yield Diagnostic(
                    "large-learning-rate",
                    message,
                    _setting(spec, entry, layer, key),
                    Severity.WARNING,
                    help=help,
                    labels=(Label(place, "in this layer"),),
                )
        elif refusal.key and spec.is_written(*_path(entry, layer, refusal.key)):
            if refusal.key in said:
                continue  # once is enough for all layers
            said.add(refusal.key)
            yield Diagnostic(
                "cannot-pretrain",
                refusal.message,
                _setting(spec, entry, layer, refusal.key),
                labels=(Label(place, "pretrained as well"),),
                help=refusal.help or f"remove `{refusal.key}`",
            )
        else:
            others = [name for name, other in refusals.items() if other is None]
            without = f"write `layers: [{', '.join(others)}]` {entry.below}" if others else f"remove {entry.called}"
            yield Diagnostic(
                "cannot-pretrain",
                refusal.message,
                place,
                help=refusal.help or without,
                labels=(Label(spec.key_span(*entry.path), "pretrained because of this"),),
            )


def _path(entry: Entry, layer: GraphLayer, key: str) -> tuple[str | int, ...]:
    """Where the setting of a layer stands: its own, or that of all layers."""
    own = (entry.method.per_layer or {}).get(layer.name)
    if own is not None and key in {name.removesuffix("_") for name in own.model_fields_set}:
        return (*entry.path, "per_layer", layer.name, key)
    return (*entry.path, key)


def _setting(spec: Spec, entry: Entry, layer: GraphLayer, key: str) -> Span:
    path = _path(entry, layer, key)
    return spec.span(*path) if spec.is_written(*path) else spec.span(*entry.path, "method")


@rule
def reconstructions_fit_inputs(checked: Checked) -> Iterator[Diagnostic]:
    """Cross-entropy takes the input for probabilities of Bernoulli units, so it must lie in [0, 1]."""
    if checked.signature is None or not checked.spec.has("data"):
        return
    for entry in entries_to_check(checked):
        yield from _reconstructions_fit(checked, entry)


def _reconstructions_fit(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    method, spec, graph = entry.method, checked.spec, checked.graph
    chosen = method.chosen(graph)
    for layer, place in zip(chosen, place_layers(spec, graph, chosen).values(), strict=True):
        own = method.of_layer(layer.name)
        if not isinstance(own, Reconstructing) or own.loss not in PROBABILITIES or place.inside:
            continue
        where = "write `scale: min_max` under `data`, or `loss: squared_error`"
        yield Diagnostic(
            "not-in-unit-interval",
            f"`{own.loss}` reconstructs probabilities, and the input of `{layer.name}` does not lie in [0, 1]",
            _setting(spec, entry, layer, "loss"),
            labels=(Label(spec.key_span(*layer.path, layer.type_name), "takes any number"),),
            help=where if place.at_input else "write `loss: squared_error`",
        )
        return


@rule
def stages_can_be_watched(checked: Checked) -> Iterator[Diagnostic]:
    """A stage that ends early watches a part that is there, and a measure that its method has."""
    spec = checked.spec
    settings: list[tuple[PretrainingMethod, PretrainingMethod, tuple[str | int, ...]]] = []
    for entry in entries_to_check(checked):
        method = entry.method
        settings.append((method, method, entry.path))
        settings += [(method, own, (*entry.path, "per_layer", name)) for name, own in (method.per_layer or {}).items()]
    for method, own, path in settings:
        stopping = own.early_stopping
        if stopping is None or not spec.is_written(*path, "early_stopping"):
            continue
        if stopping.monitor == "free_energy_gap" and method.type_name != "rbm":
            yield Diagnostic(
                "nothing-to-monitor",
                f"`free_energy_gap` is of `rbm`, and `{method.type_name}` has none",
                spec.span(*path, "early_stopping", "monitor"),
                help="write `monitor: val_loss`",
            )
        elif stopping.monitor != "loss" and checked.without_validation:
            yield Diagnostic(
                "nothing-to-monitor",
                f"`early_stopping` watches `{stopping.monitor}`, and `split` keeps no validation part",
                spec.key_span(*path, "early_stopping"),
                help="write `split: {validation: 0.15, …}` under `data`, or `monitor: loss`",
            )


@rule
def what_follows_fits(checked: Checked) -> Iterator[Diagnostic]:
    """`thaw_after` is of frozen layers; a deep autoencoder gives back its input; labels need a target with some."""
    entries, spec, signature = entries_to_check(checked), checked.spec, checked.signature
    if not entries:
        return
    *_, (method, path) = ((entry.method, entry.path) for entry in entries)
    if method.thaw_after is not None and method.then != "freeze":
        yield Diagnostic(
            "nothing-to-thaw",
            f"`thaw_after` is of frozen layers, and `then: {method.then}` freezes none",
            spec.key_span(*path, "thaw_after"),
            help="write `then: freeze`, or remove `thaw_after`",
        )
    elif method.thaw_after is not None and spec.has("train") and method.thaw_after >= spec.train.epochs:
        yield Diagnostic(
            "nothing-to-thaw",
            f"the {spec.train.epochs} epochs of training are over before layers thaw",
            spec.span(*path, "thaw_after"),
            Severity.WARNING,
            help=f"write more `epochs` under `train` than {method.thaw_after}, or remove `thaw_after`",
        )
    if signature is None:
        return
    kind = signature.target.kind
    if method.then == "unroll" and kind != "input":
        written = spec.is_written("data", "target")
        yield Diagnostic(
            "wrong-target",
            f"`unroll` makes a network that gives back its input, and the target is `{signature.target.name}`",
            spec.span("data", "target") if written else spec.span(*path, "then"),
            labels=(Label(spec.span(*path, "then"), "unrolled because of this"),) if written else (),
            help="write `target: input` under `data`",
        )
    for entry in entries:
        yield from _labels_are_there(checked, entry)


def _labels_are_there(checked: Checked, entry: Entry) -> Iterator[Diagnostic]:
    method, spec, signature = entry.method, checked.spec, checked.signature
    if signature is None:
        return
    if method.needs_labels and signature.target.kind == "input":
        yield Diagnostic(
            "wrong-target",
            f"`{method.type_name}` trains layers to predict a target, and there is none but the input",
            spec.span(*entry.path, "method"),
            help="write `method: autoencoder`",
        )
    elif method.needs_labels and signature.target.places:
        yield Diagnostic(
            "wrong-target",
            f"`{method.type_name}` trains layers to give one answer for a sample, and `{signature.target.name}` is "
            + ("read off all timesteps" if signature.target.aligned else "predicted at each place"),
            spec.span(*entry.path, "method"),
            help="write `method: autoencoder`",
        )


@rule
def frozen_layers_were_pretrained(checked: Checked) -> Iterator[Diagnostic]:
    """What is frozen after pretraining keeps random weights where it never was pretrained below."""
    entries, spec, graph = entries_to_check(checked), checked.spec, checked.graph
    if spec.then != "freeze":
        return
    chosen = {layer.name for entry in entries for layer in entry.method.chosen(graph)}
    for layer in graph.hidden:
        if layer.name not in chosen and any(graph[name].index > layer.index for name in chosen):
            yield Diagnostic(
                "frozen-above-random",
                f"`{layer.name}` is not pretrained, and layers above it are pretrained on what it makes at random, "
                "then frozen",
                spec.key_span(*layer.path, layer.type_name),
                Severity.WARNING,
                help=f"add `{layer.name}` to `layers` {entries[0].below}",
            )


@rule
def stages_compute_in_32_bits(checked: Checked) -> Iterator[Diagnostic]:
    """Stages of pretraining lead codes of 16 bits and weights of 32 through the same products."""
    entries, spec = entries_to_check(checked), checked.spec
    trained = [entry for entry in entries if not isinstance(entry.method, Taken)]
    if not trained or not spec.has("runtime") or spec.runtime.precision == "float32":
        return
    yield Diagnostic(
        "wrong-value",
        f"`precision: {spec.runtime.precision}` is for networks that are not pretrained",
        spec.span("runtime", "precision"),
        labels=(Label(spec.key_span(*trained[0].path), "pretrained here"),),
        help="leave `precision` out, or pretrain in a run of its own and take its layers: `pretrain: {from: RUN}`",
    )
