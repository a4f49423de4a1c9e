"""Rules about what flows into layers: text, whole numbers, and the numbers that scaling made of the data."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.checks.base import Checked, rule
from dlspec.diagnostics import Diagnostic, Label


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
        below = next((graph[name] for name in origins if name in graph.by_name and graph[name].layer.has_weights), None)
        labels: tuple[Label, ...] = ()
        if wanted == "string":
            message = "takes text, and only numbers come here"
            help = "this version reads columns of numbers; turn the text into numbers in the file"
        elif below is not None:
            message = f"takes whole numbers, and `{below.name}` puts out numbers of any size"
            labels = (Label(spec.key_span(*below.path, below.type_name), "its input comes from here"),)
            help = f"let it take its input from the data, above `{below.name}`"
        elif spec.data.scale != "none" and not all(name in graph.by_name for name in origins):
            message = f"takes whole numbers, and `scale: {spec.data.scale}` makes others of the data"
            if spec.source.written("data", "scale"):
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
