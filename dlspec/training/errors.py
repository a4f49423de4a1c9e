"""Training that fails: what is said of it, and what to lower."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlspec.data.preparation import Prepared
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.language.quantities import show_bytes
from dlspec.language.yaml import to_inline_yaml
from dlspec.runtime.memory import free_device_memory
from dlspec.training.estimates import count_of, fit, smaller_batch
from dlspec.training.nan_cause import Cause
from dlspec.training.optimizers import Optimizer
from dlspec.training.plan import Plan, SampleCounts, Stage
from dlspec.training.progress import HistoryRow, Progress
from dlspec.training.section import TrainingSettings

GROWN = 2.0
"""Times the error of an untrained layer that say that a stage diverges."""
RISEN = 3.0
"""Times the lowest error so far that say so."""
FAR, PATIENCE = 10.0, 4
"""Times the error of an untrained layer that say so after so many epochs, even where it falls."""
NOT_COMPILED = re.compile(r"No registered '(?P<operation>\w+)' OpKernel for XLA.*?\{\{node (?P<path>[^}\s]+)")
"""In TensorFlow's error, an operation that XLA does not have, and the layer that makes it."""


def not_finite(stage: Stage, epoch: int, loss: float, cause: Cause | None, rate: float | None) -> TrainingError:
    """The loss is no number, or too large for one.

    Args:
        cause: where it began, if that was found.
        rate: the learning rate of the optimizer; None where a schedule gives it.
    """
    became = f"the loss became {loss} in epoch {epoch} of `{stage.name}`{_layer(stage)}"
    found = f": at step {cause.step} of epoch {cause.epoch} {cause.what}" if cause else ""
    return TrainingError.of(
        "loss-not-finite",
        became + found,
        help=f"{_lower(stage, rate)}, or add `clipnorm: 1` to the optimizer",
    )


def check_progress(stage: Stage, progress: Progress) -> None:
    """Raises TrainingError where the error of a stage of pretraining is far above where it was, and does not fall."""
    if stage.kind != "pretrain" or progress.first_loss is None or (stage.method and stage.method.early_stopping):
        return
    losses = [row.loss for row in progress.history if row.stage == stage.name]
    if len(losses) < 2:
        return
    lately = min(losses[-2:])
    rises = losses[-1] >= losses[-2] and lately > min(GROWN * progress.first_loss, RISEN * min(losses))
    if rises or (len(losses) >= PATIENCE and lately > FAR * progress.first_loss):
        raise TrainingError.of(
            "stage-diverged",
            f"the error of `{stage.name}` was {progress.first_loss:.4g} before the first step, and is "
            f"{losses[-1]:.4g} in epoch {len(losses)}{_layer(stage)}",
            help=_lower(stage),
        )


@contextmanager
def backend_errors_in_words(
    settings: TrainingSettings, plan: Plan, stage: Stage, data: Prepared, begun: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Puts into words that memory ran out, or that XLA cannot compile a stage.

    Args:
        begun: whether the stage has come to its steps.
    """
    try:
        yield
    except Exception as error:
        if found := NOT_COMPILED.search(str(error)):
            raise _not_compiled(plan, stage, found) from error
        if not _is_out_of_memory(error):
            raise
        samples = SampleCounts.of(data)
        batch_size = min(stage.batch_size, count_of(stage, samples))
        raise out_of_memory(settings, plan, stage, batch_size, free_device_memory(), begun=begun()) from error


def _not_compiled(plan: Plan, stage: Stage, found: re.Match[str]) -> TrainingError:
    """`xla: on` for a network with an operation that XLA does not have."""
    names = found["path"].split("/")
    layer = max(
        (own.name for own in plan.graph.layers for name in names if name.startswith(own.name)), key=len, default=""
    )
    return TrainingError.of(
        "not-compiled",
        f"XLA cannot compile `{stage.name}`: it has no `{found['operation']}`"
        + (f", which `{layer}` computes" if layer else ""),
        help="write `xla: auto` under `runtime`, which compiles what it can",
    )


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError"):
        return True
    return any(words in str(error) for words in ("RESOURCE_EXHAUSTED", "can't allocate memory"))


def out_of_memory(
    settings: TrainingSettings, plan: Plan, stage: Stage, batch_size: int, free: int | None, *, begun: bool
) -> TrainingError:
    """What is said of it, with the batch that fits by estimate.

    Args:
        batch_size: of the stage, or how many samples there are, where these are fewer.
        free: bytes that can still be had; None where that is not known.
        begun: whether it was in a step of the stage, so that its weights are in memory.
    """
    when = f"in `{stage.name}` with a batch of {batch_size:,}" if begun else f"before the first step of `{stage.name}`"
    message = f"memory ran out {when}"
    if free is None:
        smaller = batch_size // 2 if begun else 0
        help = f"write `batch_size: {smaller}` {stage.set_in}" if smaller else "make layers smaller"
        return TrainingError.of("out-of-memory", message, help=help)
    found = fit(settings, plan.graph, stage, batch_size, free, begun=begun)
    if found.needed > found.free:
        message += f": by estimate it takes {show_bytes(found.needed)}, and there are {show_bytes(found.free)} for it"
    return TrainingError.of("out-of-memory", message, help=smaller_batch(stage, found))


def watched(stage: Stage, row: HistoryRow, monitor: str) -> float:
    """The value of an epoch that early stopping watches."""
    value = {"val_loss": row.val_loss, "loss": row.loss}.get(monitor, row.measures.get(monitor))
    assert value is not None, "checks refuse to watch what is not measured"
    return value


def _layer(stage: Stage) -> str:
    return f", which trains `{stage.layer.text}`" if stage.layer else ""


def _lower(stage: Stage, rate: float | None = None) -> str:
    if stage.method is None:
        to = f" from {rate:.3g} to {rate / 10:.3g}" if rate else ""
        return f"lower `learning_rate` under `train`{to}"
    optimizer: Optimizer = stage.method.optimizer
    lower = optimizer.model_copy(update={"learning_rate": float(f"{optimizer.learning_rate / 10:.3g}")})
    if stage.layer is None:
        written = to_inline_yaml({"optimizer": lower.brief()})
        return f"lower the learning rate, {optimizer.learning_rate:g}: write `{written}` {stage.set_in}"
    written = to_inline_yaml({stage.layer.name: {"optimizer": lower.brief()}})
    return (
        f"lower the learning rate of this layer, {optimizer.learning_rate:g}: write `per_layer: {{{written}}}` "
        + stage.set_in
    )
