"""Rules about the settings of `train`: what they need of each other, of the target and of the data."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.words import did_you_mean, one_of
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule
from dlspec.training.losses import Loss
from dlspec.training.losses.classes import Overlap

NEVER_NEGATIVE = (
    "exponential", "hard_sigmoid", "relu", "relu6", "sigmoid", "softmax", "softplus", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus",
)  # fmt: skip


@rule
def loss_fits_scale(checked: Checked) -> Iterator[Diagnostic]:
    """Some losses make no sense for a target that was moved and stretched, or that is negative."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("train") or not spec.has("data") or spec.train.loss is None:
        return
    loss, data = spec.train.loss, spec.data
    if signature.target.kind != "number":
        return
    if loss.of_shares and data.scale not in ("min_max", "none"):
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` compares numbers between 0 and 1, and `scale: {data.scale}` brings them elsewhere",
            spec.span(*spec.place_of_loss),
            help="write `scale: min_max` under `data`, or `scale: none` where they lie between 0 and 1, or `loss: mse`",
        )
    if "number" not in loss.of:
        return
    if data.scale not in loss.scales:
        what = "negative" if loss.positive else "small, where a percentage means nothing"
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` compares the scaled `{signature.target.name}`, and `scale: {data.scale}` makes many "
            f"values {what}",
            spec.span(*spec.place_of_loss),
            help=f"write `scale: {loss.scales[0]}` under `data`",
        )
    elif loss.positive and data.scale == "none" and data.predict in ("difference", "return"):
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is for values of zero and more, and a {data.predict} may be negative",
            spec.span(*spec.place_of_loss),
            help="write `predict: level` under `data`, or `loss: mse`",
        )
    if loss.type_name != "poisson" or not spec.has("model") or spec.model.outputs:
        return
    last = graph[graph.outputs[0]]
    activation = getattr(last.layer, "activation", None) or "linear"
    if not isinstance(last.layer, Broken) and last.layer.weighted and activation not in NEVER_NEGATIVE:
        yield Diagnostic(
            "output-mismatch",
            f"`poisson` takes the output's logarithm, and the network ends in `{activation}`, which can be negative",
            spec.key_span(*last.path, last.type_name),
            help=f"write `{last.type_name}: {{activation: softplus}}`",
        )


@rule
def gradient_is_clipped_once(checked: Checked) -> Iterator[Diagnostic]:
    """`gradient_clipping` and the optimizer's own arguments say the same thing."""
    spec = checked.spec
    if not spec.has("train") or spec.train.gradient_clipping is None or not spec.train.optimizer.clips:
        return
    own = spec.train.optimizer.clips[0]
    yield Diagnostic(
        "clipped-twice",
        f"`gradient_clipping` and `{own}` of the optimizer exclude each other",
        spec.key_span("train", "gradient_clipping"),
        help=f"keep `gradient_clipping`, and remove `{own}`",
    )


NO_CLASS = {"number": "a number", "labels": "labels", "input": "what the network sees"}


@rule
def class_weights_fit_classes(checked: Checked) -> Iterator[Diagnostic]:
    """Weights are for classes that there are, and for a loss that is a mean over samples."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("train") or spec.train.class_weight is None:
        return
    target, weights = signature.target, spec.train.class_weight
    if target.kind != "class" or target.aligned:
        what = "a text that is read off timesteps" if target.aligned else NO_CLASS[target.kind]
        yield Diagnostic(
            "class-weight-mismatch",
            f"`class_weight` is for classes, and `{target.name}` is {what}",
            spec.key_span(*spec.place_of_class_weight),
            help="remove `class_weight`",
        )
        return
    for label in weights if isinstance(weights, dict) else ():
        if label not in target.classes:
            yield Diagnostic(
                "unknown-class",
                f"`{target.name}` has no class `{label}`",
                spec.key_span(*spec.place_of_class_weight, label),
                help=did_you_mean(label, target.classes),
            )
    if spec.train.loss is not None and not spec.train.loss.weighs_samples:
        name = spec.train.loss.type_name
        yield Diagnostic(
            "class-weight-mismatch",
            f"`{name}` is of a batch as a whole, so that classes cannot count differently",
            spec.key_span(*spec.place_of_class_weight),
            help=_of_each_sample(spec.train.loss, "class_weight"),
        )


def _of_each_sample(loss: Loss, key: str) -> str:
    """How samples can count differently in a loss that is of a batch as a whole."""
    by_axis = f"write `loss: {{{loss.type_name}: {{axis: -1}}}}`, or " if isinstance(loss, Overlap) else ""
    return f"{by_axis}remove `{key}`"


@rule
def samples_can_be_weighed(checked: Checked) -> Iterator[Diagnostic]:
    """Weights are of samples with one answer, for a loss that is a mean over them and metrics that can count so."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("data") or spec.data.weight is None:
        return
    span, name = spec.key_span("data", "weight"), spec.data.weight
    if signature.target.places and not signature.target.aligned:
        message = f"`weight` is of samples with one answer, and `{signature.target.name}` has one at each place"
        yield Diagnostic("cannot-weigh", message, span, help="remove `weight`")
    if name in [feature.name for feature in signature.features]:
        message = f"`{name}` says how much a sample counts, and is among the features as well"
        yield Diagnostic(
            "weight-among-features", message, span, Severity.WARNING, f"take `{name}` out of `features` if it says so"
        )
    loss = spec.train.loss if spec.has("train") else None
    if loss is not None and not loss.weighs_samples:
        message = f"`{loss.type_name}` is of a batch as a whole, so that samples cannot count differently"
        help = _of_each_sample(loss, "weight")
        yield Diagnostic("cannot-weigh", message, spec.span(*spec.place_of_loss), help=help)
    for metric in spec.evaluate.metrics or [] if spec.has("evaluate") else ():
        if not metric.weighs_samples():
            message = f"the metric `{metric.type_name}` takes no weights, and `weight: {name}` asks for them"
            yield Diagnostic("cannot-weigh", message, spec.key_span("evaluate", "metrics"), help="leave it out")


@rule
def callbacks_fit_training(checked: Checked) -> Iterator[Diagnostic]:
    """A callback needs what it changes or watches, and stands once in the list."""
    spec, train = checked.spec, checked.spec.train
    if not spec.has("train"):
        return
    callbacks = train.callbacks or []
    names = [callback.type_name for callback in callbacks]
    for i, callback in enumerate(callbacks):
        span, name = spec.span("train", "callbacks", i), callback.type_name
        if name in names[:i]:
            yield Diagnostic("repeated-name", f"`{name}` is listed twice", span, help="remove it")
        if getattr(callback, "monitor", None) == "val_loss" and checked.without_validation:
            yield Diagnostic(
                "nothing-to-monitor",
                f"`{name}` watches the validation loss, and `split` keeps no validation part",
                span,
                help="write `split: {validation: 0.15, …}` under `data`, or `monitor: loss`",
            )
        if name == "reduce_lr_on_plateau" and train.schedule is not None:
            yield Diagnostic(
                "learning-rate-set-twice",
                f"`{name}` and `schedule` both set the learning rate",
                span,
                help=f"keep one of `{name}`, `schedule`",
            )
        if name == "swap_ema_weights" and not train.optimizer.use_ema:
            optimizer = train.optimizer.type_name
            yield Diagnostic(
                "nothing-to-swap",
                f"`{name}` swaps in averaged weights, and the optimizer keeps none",
                span,
                help=f"write `optimizer: {{{optimizer}: {{use_ema: true, …}}}}`",
            )
        metadata = getattr(callback, "embeddings_metadata", None)
        if isinstance(metadata, dict) and spec.has("model"):
            known = [layer.name for layer in checked.graph.layers if layer.type_name == "embedding"]
            for layer in metadata:
                if layer not in known:
                    yield Diagnostic(
                        "unknown-layer-name",
                        f"no embedding layer is named `{layer}`",
                        spec.key_span("train", "callbacks", i, name, "embeddings_metadata", layer),
                        help=did_you_mean(layer, known),
                    )
    stopping = train.early_stopping
    averaged = train.optimizer.use_ema and train.optimizer.ema_overwrite_frequency is None
    if averaged and stopping and stopping.restore_best_weights and "swap_ema_weights" not in names:
        yield Diagnostic(
            "average-not-used",
            "`early_stopping` goes back to the best weights, and so the average that `use_ema` keeps is not used",
            spec.key_span("train", "early_stopping"),
            Severity.WARNING,
            help="write `callbacks: [swap_ema_weights]`, which measures the average",
        )


@rule
def numbers_of_classes_fit(checked: Checked) -> Iterator[Diagnostic]:
    """A loss that names classes by number, or has a number for each, must fit the target."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("train") or spec.train.loss is None or signature.target.kind != "class":
        return
    loss, count = spec.train.loss, len(signature.target.classes)
    ignored, alpha = getattr(loss, "ignore_class", None), getattr(loss, "alpha", None)
    if ignored is not None and ignored >= count:
        yield Diagnostic(
            "out-of-range",
            f"there is no class {ignored}: they are numbered from 0 to {count - 1}",
            spec.span(*spec.place_of_loss, loss.type_name, "ignore_class"),
            help=f"in this order: {one_of(signature.target.classes[:12])}",
        )
    if isinstance(alpha, list) and len(alpha) != count:
        yield Diagnostic(
            "wrong-value",
            f"`alpha` has {len(alpha)} entries for {count} classes",
            spec.span(*spec.place_of_loss, loss.type_name, "alpha"),
            help="write a number, or one for each class",
        )
