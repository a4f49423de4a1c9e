"""`train_network`: the whole network is trained with Keras's `fit`."""

from __future__ import annotations

from typing import Any

from dlspec.ejection.layers import kind_call
from dlspec.ejection.optimizing import goes_on, loss_source, needs_steps, optimizer_call
from dlspec.ejection.python import Call, Code, call, literal, source, statement
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.training.callbacks.standard import SwapEMAWeights, TensorBoard
from dlspec.training.early_stopping import Stopping
from dlspec.training.plan import Stage
from dlspec.training.section import TrainSpec

DEFAULT = "by default"


def write_training(script: Script, subject: Subject) -> None:
    train = subject.spec.train
    epochs = script.constant("epochs", train.epochs, "train", subject.line("train", "epochs") or DEFAULT)
    batch = script.constant("batch_size", train.batch_size, "train", subject.line("train", "batch_size") or DEFAULT)
    stages = [stage for stage in subject.plan.stages if stage.kind == "fine_tune"]
    if len(stages) == 1 and not stages[0].frozen:
        script.define("train", _whole(script, subject, stages[0], epochs, batch))
    else:
        script.define("train", _in_two(script, subject, stages, epochs, batch))
    if train.checkpoint_every is not None:
        script.leave_out(
            "`checkpoint_every`: the script keeps no checkpoints (`keras.callbacks.BackupAndRestore` does)"
        )


def say_speed(script: Script, times: float) -> None:
    """Says in `train_network` how much faster dlspec trains the network."""
    shown = f"{times:.0f}" if times >= 3 else f"{times:.1f}"
    said = f"Keras's `fit` takes {shown} times as long as `dlspec run`, as measured when this was written."
    for place, chunk in enumerate(script.chunks["train"]):
        above, begun, rest = chunk.partition("def train_network(")
        first, quotes, body = rest.partition('."""\n')
        if quotes:
            script.chunks["train"][place] = f'{above}{begun}{first}.\n\n    {said}\n    """\n{body}'


def has_validation(subject: Subject) -> bool:
    """Whether samples are held out to look at while training."""
    return bool(len(subject.data.validation))


def _whole(script: Script, subject: Subject, stage: Stage, epochs: Code, batch: Code) -> str:
    lines = [
        f"def train_network({_arguments(subject)}):",
        f'    """Trains the whole network{_at(subject, "train")}."""',
        *encoding(subject, held_out=has_validation(subject)),
        *_fitting(script, subject, epochs, batch),
    ]
    return "\n".join(lines)


def _in_two(script: Script, subject: Subject, stages: list[Stage], epochs: Code, batch: Code) -> str:
    """First what is above the pretrained layers alone, and then, where they thaw, all."""
    frozen = [name for name in stages[0].frozen if subject.graph[name].layer.trainable]
    held = ", held_out" if has_validation(subject) else ""
    thaws = len(stages) > 1
    counts = thaws and goes_on(subject.spec.train.clipped_optimizer, subject.spec.train.schedule)
    then = subject.line("pretrain", "thaw_after" if thaws else "then")
    about = f"Trains what is above the pretrained layers{', and from then on all' if thaws else ''}"
    after = script.constant("thaw_after", stages[0].epochs, "train", then) if thaws else epochs
    lines = [
        f"def fit(network, x, y{held}, epochs{', done=0' if counts else ''}):",
        *_about_fit(counts),
        *encoding(subject, held_out=has_validation(subject)),
        *_fitting(script, subject, Code("epochs"), batch, total=epochs, done=counts),
        "",
        "",
        f"def train_network({_arguments(subject)}):",
        f'    """{about} ({then} of the spec)."""' if then else f'    """{about}."""',
        f"    pretrained = [network.get_layer(name) for name in {literal(tuple(frozen))}]",
        "    for layer in pretrained:",
        "        layer.trainable = False",
        f"    fit(network, x, y{held}, {after})",
    ]
    if thaws:
        lines += [
            "    for layer in pretrained:",
            "        layer.trainable = True",
            f"    fit(network, x, y{held}, {epochs} - {after}{f', done={after}' if counts else ''})",
        ]
    return "\n".join(lines)


def _about_fit(counts: bool) -> list[str]:
    about = '    """Some epochs of training the layers that are trainable'
    if not counts:
        return [f'{about}."""']
    return [
        f"{about}.",
        "",
        "    Args:",
        "        done: epochs that were trained before.",
        '    """',
    ]


def _arguments(subject: Subject) -> str:
    return f"network, x, y{', held_out' if has_validation(subject) else ''}"


def _at(subject: Subject, *path: str) -> str:
    line = subject.line(*path)
    return f" ({line} of the spec)" if line else ""


def encoding(subject: Subject, *, held_out: bool) -> list[str]:
    """Classes as vectors of zeros and a one, where the loss takes them so.

    Args:
        held_out: whether there is a `held_out` whose classes are encoded, too.
    """
    loss, target = subject.spec.train.loss, subject.target
    if loss is None or not loss.one_hot or target.kind != "class" or target.units == 1:
        return []
    classes = target.units
    lines = [f"    y = keras.utils.to_categorical(y, {classes})"]
    if held_out:
        lines.append(f"    held_out = held_out[0], keras.utils.to_categorical(held_out[1], {classes})")
    return lines


def _fitting(
    script: Script, subject: Subject, epochs: Code, batch: Code, *, total: Code | None = None, done: bool = False
) -> list[str]:
    """The statements that compile the network and fit it."""
    train, runtime = subject.spec.train, subject.spec.runtime
    assert train.loss is not None, "the default loss was filled in"
    lines = []
    if needs_steps(train.clipped_optimizer, train.schedule) or done:
        lines.append(f"    steps = math.ceil(len(x) / {batch})  # weight updates in an epoch")
    optimizer = optimizer_call(
        script,
        "train",
        train.clipped_optimizer,
        Code(f"steps * {total or epochs}"),
        train.schedule,
        Code("steps * done") if done else None,
    )
    more = {} if runtime.xla == "auto" else {"jit_compile": runtime.xla == "on"}
    compiled = call("network.compile", optimizer, loss_source(train.loss), **more)
    if len(literal(compiled)) > 100:
        lines.append("    " + statement("optimizer", optimizer, 4))
        compiled = call("network.compile", Code("optimizer"), loss_source(train.loss), **more)
    lines.append("    " + _shown(compiled))
    keywords: dict[str, Any] = {"batch_size": batch, "epochs": epochs}
    if has_validation(subject):
        keywords["validation_data"] = Code("held_out")
    if _keeps_averages(train):
        script.leave_out(
            "`early_stopping` with `swap_ema_weights`: what is kept of the best epoch are its weights, and in a run "
            "their moving averages, by which it was judged"
        )
    callbacks = [*_stopping(train.early_stopping), *(_callback(script, each) for each in train.callbacks or ())]
    if callbacks:
        lines.append("    " + statement("callbacks", callbacks, 4))
        keywords["callbacks"] = Code("callbacks")
    weights = class_weights(script, subject)
    if weights is not None:
        lines += weights
        keywords["class_weight"] = Code("class_weight")
    lines.append("    " + _shown(call("network.fit", Code("x"), Code("y"), **keywords, verbose=2)))
    return lines


def _keeps_averages(train: TrainSpec) -> bool:
    """Whether early stopping brings back weights that were swapped in to be measured."""
    swaps = any(isinstance(each, SwapEMAWeights) and not each.swap_on_epoch for each in train.callbacks or ())
    return swaps and train.early_stopping is not None and train.early_stopping.restore_best_weights


def _shown(made: Call) -> str:
    return source(made, 4)


def _stopping(stopping: Stopping | None) -> list[Call]:
    return [] if stopping is None else [stopping_call(stopping)]


def stopping_call(stopping: Stopping) -> Call:
    """Keras's early stopping. Of a patience of 0 Keras makes 1 as well."""
    given: dict[str, Any] = {key: getattr(stopping, key) for key in type(stopping).model_fields}
    usual = {"monitor": "val_loss", "min_delta": 0.0, "mode": "auto", "baseline": None, "start_from_epoch": 0}
    keywords = {key: value for key, value in given.items() if key not in usual or value != usual[key]}
    if not keywords["restore_best_weights"]:
        del keywords["restore_best_weights"]
    return call("keras.callbacks.EarlyStopping", **keywords, verbose=1)


def _callback(script: Script, callback: Any) -> Call:
    if isinstance(callback, TensorBoard):
        return kind_call(callback, {"log_dir": str(callback.log_dir)})
    return kind_call(callback)


def class_weights(script: Script, subject: Subject) -> list[str] | None:
    """The statements that make `class_weight`; None: all samples count the same."""
    wanted, classes = subject.spec.train.class_weight, subject.target.classes
    if wanted is None:
        return None
    line = subject.line("train", "class_weight")
    if wanted == "balanced":
        number = len(classes)
        shown = "y.argmax(axis=1)" if encoding(subject, held_out=False) else "y.astype(int).ravel()"
        return [
            f"    counts = np.maximum(np.bincount({shown}, minlength={number}), 1)",
            f"    class_weight = dict(enumerate(len(y) / ({number} * counts)))  # every class counts the same ({line})",
        ]
    given = {place: wanted.get(label, 1.0) for place, label in enumerate(classes)}
    value = script.constant(
        "class_weight", given, "train", ", ".join(filter(None, [line, f"classes {', '.join(classes)}"]))
    )
    return [f"    class_weight = {value}"]
