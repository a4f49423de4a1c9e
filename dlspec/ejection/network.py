"""`build_network`: as the spec writes its layers where that can be said in Python, otherwise one after the other."""

from __future__ import annotations

import copy
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dlspec.ejection.copying import snippet
from dlspec.ejection.expressions import Names
from dlspec.ejection.frame import Frame, NotFolded, indented
from dlspec.ejection.layers import layer_call, may_be_called
from dlspec.ejection.python import Code, NotWritten, call, literal, source, statement
from dlspec.ejection.script import Script
from dlspec.ejection.stages import layer_of
from dlspec.ejection.structure import Structure
from dlspec.ejection.subject import Subject
from dlspec.language.yaml import Document, Node, read_text
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.core import Output
from dlspec.model.masks import masks_of
from dlspec.spec.composition.blocks import Block, read_blocks
from dlspec.spec.composition.extends import extend
from dlspec.spec.composition.overrides import apply_overrides
from dlspec.spec.composition.variables import Scope, read_variables


def write_network(script: Script, subject: Subject) -> None:
    """Raises NotWritten for a network that others have trained."""
    taken = next((layer for layer in subject.graph.layers if layer.borrowed), None)
    if taken is not None and taken.borrowed is not None:
        name = taken.borrowed.network
        raise NotWritten(f"`{name}` is a network that others have trained, and a script says only layers of the spec")
    before = copy.deepcopy(script)
    try:
        frame, end = _structured(script, subject)
    except NotFolded:
        script.__dict__.update(before.__dict__)
        frame, end = _flat(subject)
    function = _build_network(script, subject, frame, end)
    for file in ("learned", "masking", "distances"):
        for name in snippet(file).definitions:
            if re.search(rf"\b{name}\(", "\n".join([function, *script.chunks.get("model", ())])):
                script.use(file, name, "model")
    script.define("model", function)


def _layers(subject: Subject) -> list[GraphLayer]:
    """The layers of the graph; an `output` computes in float32 whatever the others do."""
    if subject.spec.runtime.precision == "float32":
        return list(subject.graph.layers)
    return [
        replace(layer, layer=layer.layer.model_copy(update={"dtype": layer.layer.dtype or "float32"}))
        if isinstance(layer.layer, Output)
        else layer
        for layer in subject.graph.layers
    ]


def needed_names(subject: Subject) -> frozenset[str]:
    """Layers that the script asks the network for."""
    stages = subject.plan.pretraining
    found = {name for stage in stages for name in (layer_of(stage).name, *stage.encoder)}
    if subject.graph.unrolled and stages:  # the decoder begins with what the encoder has learned
        found |= {layer.name for layer in subject.graph.hidden}
        found |= {layer.name for layer in subject.graph.layers if layer.mirrors and layer.layer.has_weights}
    found |= {*subject.plan.frozen, *subject.plan.taken}
    return frozenset(found | _with_names_of_keras(subject.graph, found))


def _with_names_of_keras(graph: Graph, needed: Container[str]) -> set[str]:
    """Layers that Keras would give a name, such as `dense_1`, which another layer may have by the spec: it counts them
    in all networks together, so that the second one would have the name twice."""
    named = [layer for layer in graph.layers if layer.name in needed or getattr(layer.written, "name", None)]
    return {layer.name for layer in graph.layers if may_be_called(layer.layer, [other.name for other in named])}


# --- as the spec has them


def _structured(script: Script, subject: Subject) -> tuple[Frame, Code]:
    written = Written.of(subject)
    names = Names(written.values, partial(_constant, script, written))
    graph = subject.graph
    layers = [layer for layer in _layers(subject) if not layer.mirrors]
    model = written.model
    items = model.child("layers") if isinstance(model.value, dict) else model
    if items is None or not isinstance(items.value, list) or len(graph.outputs) > 1:
        raise NotFolded("no list of layers")
    referred = frozenset(_referred(model))
    comment = partial(_comment, written.document)
    structure = Structure(script, layers, written.blocks, names, needed_names(subject), referred, comment)
    frame, first = _begun(subject, names)
    end = structure.walk(frame, items.value, first, "x")
    if structure.place < len(layers):
        raise NotFolded("the graph has more layers")
    end = _mirrored(frame, graph, structure.needed, end)
    return frame, end


@dataclass(frozen=True)
class Written:
    """A spec before its variables and blocks are filled in.

    Args:
        values: of variables that are plain values.
    """

    document: Document
    model: Node
    blocks: Mapping[str, Block]
    values: Mapping[str, Any]

    @classmethod
    def of(cls, subject: Subject) -> Written:
        read = subject.written
        again = read_text(read.texts[read.file], read.file)
        again.read_beside = read.read_beside
        document = apply_overrides(extend(again), read.overrides)
        scope = read_variables(document)
        given = document.root.child("blocks")
        blocks = {} if given is None else {block.name: block for block in read_blocks(given, document)}
        model = document.root.child("model")
        assert model is not None, "a spec has a model"
        return cls(document, model, blocks, dict(_plain_values(scope)))


def _plain_values(scope: Scope) -> Iterator[tuple[str, Any]]:
    for name in scope.given:
        node = scope.value_of(name)
        value = None if node is None else node.plain()
        if isinstance(value, int | float | str):
            yield name, value


def _constant(script: Script, written: Written, name: str) -> Code:
    """The constant that a variable of the spec is."""
    node = written.document.variables[name]
    return script.constant(name, written.values[name], "model", f"line {node.span.line}" if node.span.in_file else "")


def _referred(node: Node) -> Iterator[str]:
    """Names of layers that `from` and `shared` mention anywhere."""
    if isinstance(node.value, list):
        for below in node.value:
            yield from _referred(below)
    elif isinstance(node.value, dict):
        for key, below in node.value.items():
            plain = below.plain() if key == "from" else None
            yield from [plain] if isinstance(plain, str) else plain if isinstance(plain, list) else ()
            yield from _referred(below)


def _comment(document: Document, block: Block) -> str:
    """What a spec says of a block behind its name, and where it stands."""
    line = document.texts[block.span.file].splitlines()[block.span.line - 1] if block.span.in_file else ""
    comment = line.partition(" # ")[2].strip().rstrip(".") if "'" not in line and '"' not in line else ""
    place = f"block `{block.name}`, line {block.span.line} of the spec"
    return f"{comment[:1].upper()}{comment[1:]} ({place})." if comment else f"The {place}."


# --- one after the other


def _flat(subject: Subject) -> tuple[Frame, Code]:
    """A statement for each layer of the graph."""
    graph = subject.graph
    frame, end = _begun(subject, Names({}, Code))
    needed = needed_names(subject)
    following = {layer.name: after for layer, after in zip(graph.layers, graph.layers[1:], strict=False)}
    shared = {layer.shares for layer in graph.layers if layer.shares}
    for layer in _layers(subject):
        if layer.name not in graph.reached and layer.name not in shared:
            continue
        after = following.get(layer.name)
        passed_on = after is None or graph.consumers[layer.name] == [after.name]
        target = Code("x") if passed_on else frame.variable(layer.name)
        own = layer.name in needed or getattr(layer.written, "name", None) is not None
        made = frame.layers.get(layer.shares or "") or layer_call(layer.layer, layer.name if own else None)
        end = frame.apply(layer, made, target, kept=layer.name in shared)
    return frame, frame.held[graph.outputs[0]] if len(graph.outputs) == 1 else end


def _mirrored(frame: Frame, graph: Graph, needed: Container[str], end: Code) -> Code:
    """The decoder that `unroll` adds."""
    own = [layer for layer in graph.layers if layer.mirrors]
    for number, layer in enumerate(own):
        if number == 0 and frame.chain is None:
            frame.put("# the decoder mirrors the layers above")
        end = frame.apply(layer, layer_call(layer.layer, layer.name if layer.name in needed else None), Code("x"))
    return end


# --- the function


def _begun(subject: Subject, names: Names) -> tuple[Frame, Code]:
    """A frame that holds the inputs of the network."""
    graph = subject.graph
    frame = Frame(names, {}, masks=masks_of(graph))
    if graph.inputs[0].columns is None:
        frame.held = {graph.inputs[0].name: Code("inputs")}
        frame.previous = graph.inputs[0].name
        return frame, Code("inputs")
    frame.chain = None
    for given in graph.inputs:
        variable = frame.variable(given.name)
        frame.put(f"{variable} = {_columns_of('inputs', list(given.columns or ()))}")
        frame.held[given.name] = variable
    return frame, frame.held[graph.inputs[0].name] if len(graph.inputs) == 1 else Code("None")


def _columns_of(name: str, columns: list[int]) -> str:
    """The values of some columns: a slice where they stand side by side."""
    if columns == list(range(columns[0], columns[-1] + 1)):
        return f"{name}[..., {columns[0] or ''}:{columns[-1] + 1}]".replace("[..., :", "[..., :")
    return literal(call("ops.take", Code(name), columns, axis=-1))


def _build_network(script: Script, subject: Subject, frame: Frame, end: Code) -> str:
    shape = subject.sample_shape(script, subject.data.train.inputs.shape[1:])
    about = f'    """{_about(subject)}"""'
    name = re.sub(r"[^A-Za-z0-9]+", "_", subject.spec.name).strip("_") or "network"
    if frame.chain:
        chain = [call("keras.Input", shape), *frame.chain]
        body = [f"return {source(call('keras.Sequential', chain, name=name), 4, 7)}"]
        return "\n".join(["def build_network():", about, "    " + body[0]])
    given = statement("inputs", call("keras.Input", shape), 4)
    lines = [given, *frame.lines]
    result = f"return {literal(call('keras.Model', Code('inputs'), end, name=name))}"
    return "\n".join(["def build_network():", about, *indented([*lines, result])])


def _about(subject: Subject) -> str:
    """What the network takes and puts out."""
    line = subject.line("model")
    place = f" ({line} of the spec)" if line else ""
    decoder = next((layer.mirrors for layer in subject.graph.layers if layer.mirrors), None)
    if decoder is not None:
        unrolled = subject.line("pretrain", "then")
        return f"The encoder{place}, and behind it the decoder, which mirrors it ({unrolled})."
    return f"The layers of the network{place}."
