"""Tables that commands print: the plan of a run, and its results beside the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dlspec.data.arrays import is_read_later
from dlspec.data.checks.table import ColumnSummary
from dlspec.data.sources.base import SHARE_OF_MEMORY
from dlspec.evaluation.metrics import METRICS
from dlspec.language.quantities import show_bytes, show_seconds
from dlspec.language.shapes import show_shape
from dlspec.model.folded import folded
from dlspec.model.graph import Graph
from dlspec.model.layers.core import Output
from dlspec.runs.timing import expected_time
from dlspec.runtime.memory import machine_memory
from dlspec.spec.spec import Spec
from dlspec.training.engines.xla_rule import ways
from dlspec.training.estimates import layer_memory, training_memory
from dlspec.training.losses.pairs import Contrastive
from dlspec.training.plan import Plan

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.runs import Run
    from dlspec.runs.records.metrics import Folds


LEAST_TEXT = 14
"""With less room than this, it is not shown how layers are written."""


def plan_tables(spec: Spec, plan: Plan, width: int, *, ahead: bool = False) -> Iterator[RenderableType]:
    """The network, layer by layer, and the stages of its training, for a terminal of so many columns.

    Args:
        ahead: before it is run, so that it is said, too, where nobody knows how long it takes.
    """
    graph = plan.graph
    title = Text(spec.name, style="bold")
    if spec.description:
        title.append(f"  {spec.description}", style="not bold dim")
    yield title
    memory = training_memory(spec.training, graph)
    known = all(None not in layer.input_shapes for layer in graph.layers)
    together = (f"{graph.parameters:,}", f"{graph.flops:,}", show_bytes(memory.total)) if known else "???"
    rows = [[given.name, "", show_shape(given.shape), "", "", ""] for given in graph.inputs]
    costs_of = _memory_of_parts(spec, graph)
    for layer in folded(graph).layers:
        costs = (f"{layer.parameters:,}", f"{layer.flops:,}", show_bytes(costs_of[layer.name]))
        unknown = None in layer.input_shapes
        rows.append([layer.name, layer.text, show_shape(layer.output_shape), *("???" if unknown else costs)])
    rows.append(["", "", "together", *together])
    heads = ["layer", "in the spec", "output shape", "parameters", "FLOPs", "memory"]
    taken = sum(3 + max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads)) if i != 1)
    shown = [i for i in range(len(heads)) if i != 1 or width - taken >= LEAST_TEXT]
    layers = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in shown:
        layers.add_column(heads[i], style="dim" if i == 1 else "", justify="right" if i > 2 else "left", no_wrap=i != 1)
    for place, row in enumerate(rows):
        style = "dim" if place < len(graph.inputs) else "bold" if place == len(rows) - 1 else ""
        layers.add_row(*(Text(row[i], no_wrap=True, overflow="ellipsis") for i in shown), style=style)
    yield layers
    weights = f", weights {show_bytes(memory.weights)}" if known else ""
    yield Text(f"FLOPs of one sample; memory of training in batches of {spec.train.batch_size}{weights}", style="dim")
    stages = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    stages.add_column("stage", no_wrap=True)
    stages.add_column("what is trained")
    stages.add_column("epochs", justify="right")
    stages.add_column("batch", justify="right")
    fitted = next((layer for layer in graph.layers if isinstance(layer.layer, Output) and layer.layer.fitted), None)
    for stage in plan.stages:
        if stage.method and stage.below:
            what = f"all below {stage.below}: {stage.method.type_name.replace('_', ' ')}"
        elif stage.method:
            what = f"{' + '.join(stage.encoder)}: {stage.method.type_name.replace('_', ' ')}"
        else:
            whole = "the whole network" if fitted is None else f"the layers below {fitted.name}"
            what = f"all but {', '.join(graph.in_short(stage.frozen))}" if stage.frozen else whole
        stopping = stage.method.early_stopping if stage.method else spec.train.early_stopping
        epochs = f"up to {stage.epochs}" if stopping else f"{stage.epochs}"
        stages.add_row(Text(stage.name), Text(what), epochs, str(stage.batch_size))
    yield stages
    if fitted is not None:
        yield Text(f"{fitted.name}: {_how_fitted(spec)}", style="dim")
    for name, way in ways(spec.runtime, plan).items():
        yield Text(f"{name}: {'' if way.compiled else 'not '}compiled by XLA, {way.why}", style="dim")
    for source, names in plan.taken_from.items():
        yield Text(f"{', '.join(names)}: as in {source}", style="dim")
    folds, seconds = spec.data.split.times_trained, expected_time(spec, plan)
    if folds > 1:
        yield Text(f"all of this {folds} times, once for each fold", style="dim")
    if seconds is not None:
        early = ", less if it stops early" if spec.train.early_stopping else ""
        yield Text(f"about {show_seconds(seconds)} by earlier runs on this machine{early}", style="dim")
    elif ahead and plan.samples is not None:
        yield Text("how long it takes is told once this machine has trained something like it", style="dim")


def _how_fitted(spec: Spec) -> str:
    """How the weights of `output` are computed after training."""
    loss = spec.train.loss
    if isinstance(loss, Contrastive):
        return f"computed after training, by a logistic regression on distances; pairs of `{loss.same}` are the same"
    return "computed after training, from the mean code of each class"


def _memory_of_parts(spec: Spec, graph: Graph) -> dict[str, int]:
    """Bytes that training takes for each layer, and for each network that others have trained."""
    found: dict[str, int] = {}
    for layer in graph.layers:
        name = layer.name if layer.borrowed is None else layer.borrowed.network
        found[name] = found.get(name, 0) + layer_memory(spec.training, layer).total
    return found


BARS = "▁▂▃▄▅▆▇█"
LONGEST_NAME = 24
LEAST_VALUES = 10
"""With less room than this for the range of a column, its histogram is not shown."""
MOST_COLUMNS = 30
"""Columns that are shown one by one."""


def column_table(columns: Sequence[ColumnSummary], width: int) -> Table:
    """What the columns of the data are like, for a terminal of so many columns."""
    heads = ["column", "role", "type", "values", "missing", "histogram"]
    rows = [
        [
            column.name if len(column.name) <= LONGEST_NAME else f"{column.name[: LONGEST_NAME - 1]}…",
            column.role,
            column.type,
            column.values,
            f"{column.missing:.1%}" if column.missing else "",
            histogram_bars(column.histogram),
        ]
        for column in columns[:MOST_COLUMNS]
    ]
    shown = [i for i in range(len(heads)) if any(row[i] for row in rows)]
    taken = sum(3 + max(len(row[i]) for row in (heads, *rows)) for i in shown if i != 3)
    edges = 2
    if width - taken - edges < LEAST_VALUES and 5 in shown:
        shown.remove(5)
        taken -= 3 + max(len(row[5]) for row in (heads, *rows))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in shown:
        style = "dim" if i == 1 else ""
        table.add_column(heads[i], style=style, justify="right" if i == 4 else "left", no_wrap=True)
    for row, column in zip(rows, columns, strict=False):
        room = max(LEAST_VALUES, width - taken - edges)
        row[3] = row[3] if len(row[3]) <= room else f"{row[3][: room - 1]}…"
        table.add_row(*(Text(row[i]) for i in shown), style="" if column.role else "dim")
    if len(columns) > MOST_COLUMNS:
        table.add_row(Text(f"… and {len(columns) - MOST_COLUMNS:,} more"), style="dim")
    return table


def histogram_bars(counts: Sequence[int]) -> str:
    """Counts as bars of eight heights; none where there is nothing."""
    most = max(counts, default=0)
    return "".join(BARS[-(-count * (len(BARS) - 1) // most)] if count else " " for count in counts) if most else ""


def storage_line(spec: Spec, data: Prepared) -> str:
    """Whether samples are kept in memory, and why."""
    later = is_read_later(data.train.inputs)
    kept = "are read, or made, when they are needed" if later else "are kept in memory"
    if spec.data.cache != "auto":
        why = f"`cache: {spec.data.cache}`"
    elif data.signature.window is not None:
        why = "a series stays in memory" + (", windows are made of it" if later else "")
    else:
        limit = show_bytes(machine_memory() // SHARE_OF_MEMORY)
        why = f"{'more' if later else 'no more'} than {limit}, an eighth of the machine's memory"
    return f"samples {kept} ({why}); {data_line(data)}"


def data_line(data: Prepared) -> str:
    """How many samples each part has."""
    counts = [f"{len(getattr(data, name)):,} {name}" for name in ("train", "validation", "test")]
    if len(data.unlabeled):
        counts.insert(1, f"{len(data.unlabeled):,} unlabeled")
    what = "windows" if data.signature.window is not None else "samples"
    return f"{what}: {', '.join(counts)}"


def result_table(run: Run, title: str = "") -> Table:
    """Metrics of the test part, or what the title says: the network, and below it the baselines."""
    metrics, target = run.metrics, run.data.target
    heading = Text(title or f"test part: {target.name}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=heading, title_justify="left")
    table.add_column("")
    for name in metrics.test:
        table.add_column(Text(METRICS[name].heading(target.unit, target.covered)), justify="right")
    shown = metrics.shown()
    for name in metrics.scores():
        table.add_row(name, *(cells[name] for cells in shown.values()), style="bold" if name == "network" else "")
        if name == "network" and metrics.test_intervals:
            ends = (metrics.shown_interval(metric) for metric in metrics.test)
            table.add_row("  95% confidence", *ends, style="dim")
    return table


def fold_table(run: Run, folds: Folds, output: str = "") -> Table:
    """Mean and deviation of each metric over the folds: the network, and below it the baselines.

    Args:
        output: of several, which one it is about.
    """
    title = Text(f"{output}, over {len(folds.parts)} folds: mean ± sd".removeprefix(", "))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    table.add_column("")
    for name in folds.test:
        table.add_column(Text(METRICS[name].heading(run.data.target.unit, run.data.target.covered)), justify="right")
    for name, own in folds.of_all():
        cells = (METRICS[metric].show_spread(found.mean, found.sd) for metric, found in own.items())
        table.add_row(name, *cells, style="bold" if name == "network" else "")
    return table
