"""Tables that commands print: the plan of a run, and its results beside the baselines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dlspec.estimates import layer_memory, training_memory, training_time
from dlspec.fields import show_bytes
from dlspec.layers import show_shape
from dlspec.metrics import METRICS
from dlspec.plans import Plan
from dlspec.spec import Spec

if TYPE_CHECKING:
    from dlspec.preparation import Prepared
    from dlspec.runs import Run


def plan_tables(spec: Spec, plan: Plan) -> Iterator[RenderableType]:
    """The network, layer by layer, and the stages of its training."""
    graph = plan.graph
    title = Text(spec.name, style="bold")
    if spec.description:
        title.append(f"  {spec.description}", style="not bold dim")
    yield title
    layers = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    layers.add_column("layer", no_wrap=True)
    layers.add_column("in the spec", style="dim")  # the only one that gives way
    layers.add_column("output shape", no_wrap=True)
    for name in ("parameters", "FLOPs", "memory"):
        layers.add_column(name, justify="right", no_wrap=True)
    for given in graph.inputs:
        layers.add_row(Text(given.name), "", show_shape(given.shape), "", "", "", style="dim")
    for layer in graph.layers:
        layers.add_row(
            Text(layer.name),
            Text(layer.text, no_wrap=True, overflow="ellipsis"),
            show_shape(layer.output_shape),
            f"{layer.parameters:,}",
            f"{layer.flops:,}",
            show_bytes(layer_memory(spec, layer).total),
        )
    memory = training_memory(spec, graph)
    layers.add_row(
        "", "", "together", f"{graph.parameters:,}", f"{graph.flops:,}", show_bytes(memory.total), style="bold"
    )
    yield layers
    yield Text(
        f"FLOPs of one sample; memory of training in batches of {spec.train.batch_size}, "
        f"weights {show_bytes(memory.weights)}",
        style="dim",
    )
    stages = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    stages.add_column("stage", no_wrap=True)
    stages.add_column("what is trained")
    stages.add_column("epochs", justify="right")
    stages.add_column("batch", justify="right")
    for stage in plan.stages:
        if stage.layer:
            assert spec.pretrain is not None, "a pretraining stage has a method"
            what = f"{' + '.join(stage.encoder)}: {spec.pretrain.type_name.replace('_', ' ')}"
        else:
            what = f"all but {', '.join(plan.frozen)}" if plan.frozen else "the whole network"
        epochs = f"{stage.epochs}" if stage.layer or not spec.train.early_stopping else f"up to {stage.epochs}"
        stages.add_row(Text(stage.name), Text(what), epochs, str(stage.batch_size))
    yield stages
    time = training_time(plan)
    if time and plan.samples:
        early = ", less if it stops early" if spec.train.early_stopping else ""
        count = f"about {plan.samples.labelled:,}"
        yield Text(
            f"{count} training samples; {format_seconds(time.low)} to {format_seconds(time.high)} on a CPU{early}",
            style="dim",
        )


def data_line(data: Prepared) -> str:
    """How many samples each part has."""
    counts = [f"{len(getattr(data, name)):,} {name}" for name in ("train", "validation", "test")]
    if len(data.unlabeled):
        counts.insert(1, f"{len(data.unlabeled):,} unlabeled")
    what = "windows" if data.signature.task == "series" else "samples"
    return f"{what}: {', '.join(counts)}"


def result_table(run: Run) -> Table:
    """Metrics of the test part: the network, and below it the baselines."""
    metrics, target = run.metrics, run.data["target"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=Text(f"test part: {target['name']}"), title_justify="left")
    table.add_column("")
    for name in metrics["test"]:
        table.add_column(Text(METRICS[name].heading(target["unit"])), justify="right")
    rows = {"network": metrics["test"], **metrics["baselines"]}
    for name, scores in rows.items():
        cells = (METRICS[metric].show(value) for metric, value in scores.items())
        table.add_row(name, *cells, style="bold" if name == "network" else "")
    return table


def format_seconds(seconds: float) -> str:
    """`8 s`, `1:05`, `2:03:00`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
