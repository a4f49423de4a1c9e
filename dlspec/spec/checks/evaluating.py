"""Rules about metrics and baselines."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.data.forms import Form
from dlspec.data.signature import Signature
from dlspec.evaluation.baselines import BASELINES, Baseline
from dlspec.evaluation.baselines.persistence import Persistence
from dlspec.evaluation.metrics import METRICS, Metric
from dlspec.evaluation.require import ALL, BEATS, Limit
from dlspec.evaluation.spans import no_spans
from dlspec.language.diagnostics import Diagnostic, Span
from dlspec.language.words import did_you_mean, one_of
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.targets import GIVEN_BY, WRITTEN_AS

CONSTANT: dict[Form, str] = {"quantiles": "quantiles", "mixture": "gaussian"}
"""What a number is given by -> the baseline that guesses the same for every sample."""


@rule
def comparison_has_two_sides(checked: Checked) -> Iterator[Diagnostic]:
    """With and without pretraining are two things only where there is some."""
    spec = checked.spec
    if not spec.has("evaluate") or spec.evaluate.compare is None or spec.pretrain is not None:
        return
    if spec.has("pretrain"):
        yield Diagnostic(
            "nothing-to-compare",
            "`without_pretraining` is compared with pretraining, and this spec has none",
            spec.key_span("evaluate", "compare", "without_pretraining"),
            help="add `pretrain: {method: autoencoder}`, or remove `compare`",
        )


def _baselines_of(signature: Signature) -> list[str]:
    """The baselines that can guess what a network predicts."""
    form = signature.target.form
    return [name for name in BASELINES if signature.task in BASELINES[name].tasks and form in BASELINES[name].forms]


def _for_other_forms(known: type[Metric] | type[Baseline], name: str, form: Form, span: Span | None) -> Diagnostic:
    """That a metric or a baseline is not for what numbers are given by."""
    of = [each for each in WRITTEN_AS if each in known.forms]
    metric = issubclass(known, Metric)
    is_for = " or ".join(words for each, words in GIVEN_BY.items() if each in known.forms)
    help = f"write `output: {WRITTEN_AS[of[0]]}`, or remove it" if of else "remove it"
    if not metric and form in CONSTANT:
        help = f"write `{CONSTANT[form]}`, or remove it"
    return Diagnostic(
        "metric-mismatch" if metric else "baseline-mismatch",
        f"`{known.type_name}` is for {is_for}, and `{name}` is given by {GIVEN_BY[form]}",
        span,
        help=help,
    )


@rule
def what_is_required_can_be_told(checked: Checked) -> Iterator[Diagnostic]:
    """`require` asks for metrics that are computed, in their own sense, and for baselines that there are."""
    spec = checked.spec
    if not spec.has("evaluate") or checked.signature is None:
        return
    metrics = {metric.type_name: metric for metric in spec.evaluate.metrics or []}
    baselines = [baseline.type_name for baseline in spec.evaluate.baselines or []]
    folds = spec.data.split.times_trained > 1
    for name, asked in (spec.evaluate.require or {}).items():
        span = spec.span("evaluate", "require", name)
        if name == BEATS:
            if asked != ALL and asked not in baselines:
                help = did_you_mean(asked, [ALL, *baselines], otherwise=f"write `{BEATS}: {ALL}`")
                yield Diagnostic(
                    "unknown-baseline", f"`{asked}` is none of the baselines of this spec", span, help=help
                )
            elif not baselines:
                yield Diagnostic(
                    "unknown-baseline", "there is no baseline to beat", span, help="name some: `baselines`"
                )
            elif asked != ALL and folds:
                message = "over several folds the network is compared with the best baseline"
                yield Diagnostic("wrong-value", message, span, help=f"write `{BEATS}: {ALL}`")
            continue
        if name not in metrics:
            known = name in METRICS.load_all()
            help = f"add `{name}` to `metrics`" if known else did_you_mean(name, metrics, otherwise=one_of(metrics))
            message = f"`{name}` is not computed" if known else f"there is no metric `{name}`"
            yield Diagnostic("metric-mismatch" if known else "unknown-metric", message, span, help=help)
            continue
        limit = asked if isinstance(asked, Limit) else Limit(at_least=asked)
        lower, (least, most) = metrics[name].better == "lower", metrics[name].bounds
        if isinstance(asked, Limit) and (asked.at_least is None) != lower:
            right, wrong = ("at_most", "at_least") if lower else ("at_least", "at_most")
            message = f"`{name}` is {'an error' if lower else 'a score'}, which has `{right}` in place of `{wrong}`"
            yield Diagnostic("wrong-value", message, span, help=f"write `{name}: {{{right}: {limit.value:g}}}`")
        elif not least <= limit.value <= most:
            percent = most == 1 and 1 < limit.value <= 100
            help = f"write `{limit.value / 100:g}`" if percent else f"it lies between {least:g} and {most:g}"
            message = f"`{name}` is never {limit.value:g}: it lies between {least:g} and {most:g}"
            yield Diagnostic("wrong-value", message, span, help=help)
        elif limit.interval and folds:
            message = "over several folds a metric has no interval"
            yield Diagnostic("wrong-value", message, span, help=f"write `{name}: {limit.value:g}`, of its mean")


knows_places = Persistence.knows_places
SORTS = {
    "number": "numbers",
    "class": "classes",
    "input": "inputs that are given back",
    "tags": "tags of words",
    "sequence": "texts that are written",
}


@rule
def evaluation_fits_task(checked: Checked) -> Iterator[Diagnostic]:
    """Metrics and baselines are each for series, numbers or classes."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("evaluate"):
        return
    kind = "sequence" if signature.target.written else signature.target.kind
    metrics = spec.evaluate.metrics or []
    for i, metric in enumerate(metrics):
        span = spec.span("evaluate", "metrics", i)
        series = signature.task == "series"
        form = signature.target.form
        of_tags = metric.of == "tags" and signature.target.of_words
        if metric.of == kind == "number" and form not in metric.forms:
            yield _for_other_forms(type(metric), signature.target.name, form, span)
        elif not of_tags and not metric.judges(kind, series=series, form=form):
            needs = "a series" if metric.only_series else SORTS[metric.of]
            is_a = {
                "class": "a class", "labels": "labels", "number": "a number", "input": "what the network sees",
                "sequence": "a text that is read" if signature.target.aligned else "a text that is written",
            }[kind]  # fmt: skip
            fitting = [
                name
                for name, known in METRICS.load_all().items()
                if known.judges(kind, series=series, form=form)
                and not (signature.target.aligned and known.type_name == "teacher_forced_accuracy")
            ]
            yield Diagnostic(
                "metric-mismatch",
                f"`{metric.type_name}` is for {needs}, and `{signature.target.name}` is {is_a}",
                span,
                help=f"there are {one_of(fitting)}",
            )
        elif metric.type_name in [other.type_name for other in metrics[:i]]:
            yield Diagnostic("repeated-name", f"`{metric.type_name}` is listed twice", span, help="remove it")
        elif of_tags and (other := no_spans(signature.target.classes)) is not None:
            has = f"has `{other}`" if other else "has none"
            message = f"spans are marked by tags such as `B-PLACE` and `I-PLACE`, and `{signature.target.name}` {has}"
            help = "write `f1_score`, which is of each tag alone"
            yield Diagnostic("metric-mismatch", message, span, help=help)
        elif refused := metric.refuses(
            len(signature.target.classes or signature.target.labels), labels=kind == "labels"
        ):
            yield Diagnostic("metric-mismatch", refused[0], span, help=refused[1])
    for i, baseline in enumerate(spec.evaluate.baselines or []):
        now = signature.window is not None and signature.window.horizon == 0
        if baseline.type_name == "persistence" and now and (kind == "class" or signature.target.places):
            yield Diagnostic(
                "baseline-mismatch",
                f"`persistence` knows what `{signature.target.name}` was, and with `horizon: 0` that is the answer",
                spec.span("evaluate", "baselines", i),
                help="remove it, or write `horizon: 1` or more",
            )
        elif (
            baseline.type_name == "persistence"
            and signature.task in ("class_places", "number_places")
            and not knows_places(signature)
        ):
            yield Diagnostic(
                "baseline-mismatch",
                f"`persistence` takes what is seen last at each place, and `{signature.features[0].name}` has not the "
                f"places of `{signature.target.name}`, nor frames of them",
                spec.span("evaluate", "baselines", i),
                help="remove it",
            )
        elif signature.task in baseline.tasks and kind == "number" and form not in baseline.forms:
            span = spec.span("evaluate", "baselines", i)
            yield _for_other_forms(type(baseline), signature.target.name, form, span)
        elif signature.task not in baseline.tasks:
            words = {
                "series": "a series",
                "class_series": "a series of classes",
                "labels": "labels",
                "number": "single samples with a number",
                "class": "classes",
                "reconstruction": "inputs that are given back",
                "number_places": "a number at each place",
                "class_places": "a class at each place",
                "next_token": "the next token of texts",
                "tagged_words": "a tag for each word",
                "sequence": "texts that are written or read",
            }
            yield Diagnostic(
                "baseline-mismatch",
                f"`{baseline.type_name}` is for {' or '.join(words[task] for task in sorted(baseline.tasks))}, and "
                f"`{signature.target.name}` is {words[signature.task].replace('single samples with ', '')}",
                spec.span("evaluate", "baselines", i),
                help=f"there are {one_of(_baselines_of(signature))}",
            )
