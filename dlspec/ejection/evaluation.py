"""`evaluate`: metrics, and the simplest guesses.

Beside it a script has `predict`, what the network says of samples on the scale of the metrics, `score`, every metric of
a guess, and, where the spec requires something, `require`, which takes what `evaluate` returns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.ejection.guesses import kept, write_guess, write_inputs
from dlspec.ejection.preprocessing import outputs_source
from dlspec.ejection.python import WIDTH, Code, call, source
from dlspec.ejection.requirements import write_require
from dlspec.ejection.script import Script, lines_of
from dlspec.ejection.subject import Subject
from dlspec.evaluation.metrics import METRICS, Metric
from dlspec.evaluation.metrics.curves import Curve
from dlspec.evaluation.scores import Scorer

OF_LABELS = {"accuracy", "binary_accuracy", "log_loss"}
"""Metrics whose formula is another one where a sample may have several labels."""
NOT_MEANS = {"rmse", "r2", "adjusted_r2", "pearson_correlation", "concordance_correlation"}
"""Metrics that are no mean over values, so that of several numbers each has its own."""


def write_evaluation(script: Script, subject: Subject) -> None:
    """`predict`, `score`, `evaluate`, and `require` where the spec requires something."""
    metrics = [metric for metric in subject.spec.evaluate.metrics or [] if _is_known(script, metric)]
    predict = _write_predict(script, subject)
    _write_score(script, subject, metrics)
    guesses = {"network": predict}
    for baseline in subject.spec.evaluate.baselines or []:
        guess = write_guess(script, subject, baseline)
        if guess is not None:
            guesses[baseline.type_name] = guess
    _write_evaluate(script, subject, metrics, guesses)
    if subject.spec.evaluate.require:
        write_require(script, subject, [metric.type_name for metric in metrics], [*guesses][1:])


def _is_known(script: Script, metric: Metric) -> bool:
    known = METRICS.built_in(metric.type_name) is type(metric)
    if not known:
        script.leave_out(f"The metric `{metric.type_name}` is that of a plugin, and is not computed.")
    return known


def _of_spec(subject: Subject, *path: str) -> str:
    line = subject.line(*path)
    return f" ({line} of the spec)" if line else ""


# --- predictions


def _write_predict(script: Script, subject: Subject) -> str:
    """What the network says, on the scale of the metrics; returns what calls it inside of `evaluate`."""
    target = subject.target
    if target.kind == "input":
        return _write_given_back(script, subject)
    outputs = outputs_source(script, subject, "model", "x")
    said, values = {
        "labels": ("The probability of each label, (samples, labels).", f'{outputs}.astype("float64")'),
        "class": ("The probability of each class, (samples, classes).", outputs),
        "number": ("What the network predicts, (samples,).", f"{outputs}[:, 0]"),
    }[target.kind]
    if target.columns:
        said, values = "What the network predicts, (samples, numbers).", outputs
    body = [f"    return {values}"]
    if target.by_one_unit:
        said = "The probability of both classes, (samples, 2); the network puts out that of the second one."
        body = [f"    second = {values}", "    return np.hstack([1 - second, second])"]
    script.define("evaluate", lines_of("def predict(model, x):", f'    """{said}"""', body))
    return "predict(model, x)"


def _write_given_back(script: Script, subject: Subject) -> str:
    """What the network makes of its input, at the scale that it sees: columns may have different units."""
    steps = subject.data.preprocessing
    inputs = write_inputs(script, subject)
    outputs = outputs_source(script, subject, "model", "x")
    body = [f"return {inputs}(preprocessing, {outputs})"]
    if subject.is_typed:
        body = [f"outputs = {outputs}", "return outputs.reshape(len(outputs), -1)"]
    elif steps.change != "level" or steps.dtype == "int64":
        many = len(steps.inputs.scale) > 1
        scale, offset = (own.tolist() if many else float(own[0]) for own in (steps.inputs.scale, steps.inputs.offset))
        scale, offset = kept(script, "input_scale", scale), kept(script, "input_offset", offset)
        body = [
            f'outputs = ({outputs} * {scale} + {offset}).astype("float32")',
            "return outputs.reshape(len(outputs), -1)",
        ]
    script.define(
        "evaluate",
        lines_of(
            "def predict(model, preprocessing, x):",
            '    """What the network gives back of its input, at the scale that it sees, (samples, values)."""',
            [f"    {line}" for line in body],
        ),
    )
    return "predict(model, preprocessing, x)"


# --- metrics


def _write_score(script: Script, subject: Subject, metrics: list[Metric]) -> None:
    mixed = bool(subject.target.columns) and subject.target.is_mixed
    body = []
    said = f"Every metric of a guess{_of_spec(subject, 'evaluate', 'metrics')}."
    if mixed and any(metric.unit in ("target", "squared") for metric in metrics):
        spread = kept(script, "target_deviations", subject.data.deviations.tolist())
        body.append(f"    spread = np.array({spread})  # errors of targets with different units have no mean")
    elif subject.target.columns:
        said = (
            f"Every metric of a guess{_of_spec(subject, 'evaluate', 'metrics')}, over all numbers that are predicted."
        )
    if subject.data.groups is not None and any(metric.type_name == "mase" for metric in metrics):
        of_each = _naive_error(script, subject)
        body.append(f"    naive_error = {of_each}  # of the series that each test sample belongs to")
    entries = {metric.type_name: _value(script, subject, metric, mixed) for metric in metrics}
    body.append(f"    return {source(entries, 4, len('return '))}")
    script.define("evaluate", lines_of("def score(truth, guess):", f'    """{said}"""', body))


def _value(script: Script, subject: Subject, metric: Metric, mixed: bool) -> Any:
    """The call that computes a metric."""
    own = _settings(metric)
    truth, guess = Code("truth"), Code("guess")
    if mixed and metric.unit in ("target", "squared"):
        truth, guess = Code("truth / spread"), Code("guess / spread")
    if isinstance(metric, Curve):
        by_keras = script.use("metrics", "by_keras", "evaluate")
        class_id = {"class_id": own.pop("class_id")} if "class_id" in own else {}
        return call(by_keras, call(f"keras.metrics.{metric.keras_names[0]}", **own), truth, guess, **class_id)
    name = metric.type_name
    if subject.target.kind == "labels" and name in OF_LABELS:
        name = f"{name}_of_labels"
    if own.get("num_regressors"):
        name = "adjusted_r2"
    function = script.use("metrics", name, "evaluate")
    if name == "mase":
        several = subject.data.groups is not None
        return call(function, truth, guess, Code("naive_error") if several else _naive_error(script, subject))
    if subject.target.columns and name in NOT_MEANS:
        return call(script.use("metrics", "mean_of_columns", "evaluate"), function, truth, guess, **own)
    return call(function, truth, guess, **own)


def _settings(metric: Metric) -> dict[str, Any]:
    """What the spec says of a metric, and is not so by default."""
    fields = type(metric).model_fields
    return {
        name: value
        for name, value in metric.arguments().items()
        if fields[name].is_required() or value != fields[name].get_default()
    }


def _naive_error(script: Script, subject: Subject) -> Code:
    """By what errors of a series are scaled: the same of all samples, or that of the series of each."""
    of_each = Scorer([], subject.data, subject.data.test).naive
    assert of_each is not None, "only a series of numbers has `mase`"
    if subject.data.groups is not None:
        return script.keep_array("naive_error", of_each if subject.target.columns else of_each[:, 0])
    if subject.target.columns:
        return Code(f"np.array({script.keep('naive_error', of_each[0].tolist())})")
    return script.keep("naive_error", float(of_each[0, 0]))


# --- the table


def _write_evaluate(script: Script, subject: Subject, metrics: list[Metric], guesses: dict[str, str]) -> None:
    table = script.use("metrics", "print_table", "evaluate")
    headings = {metric.type_name: (_heading(subject, metric), _format(subject, metric)) for metric in metrics}
    shown = script.constant("HEADINGS", headings, "evaluate", "metric -> heading of its column, format of its values")
    truth = "x, truth = test"
    if subject.target.kind == "input":
        truth = f"x, _ = test\n    truth = {write_inputs(script, subject)}(preprocessing, x)"
    lines = [f'        "{who}": {guess},' for who, guess in guesses.items()]
    if "persistence" in guesses:
        place = [*guesses].index("persistence")
        says = (
            "the last known value"
            if guesses["persistence"].startswith("x[")
            else "known, though the model does not take it"
        )
        lines[place] = _commented(lines[place], says)
    who = "the network" if len(guesses) == 1 else "the network, and of the simplest guesses,"
    script.define(
        "evaluate",
        f'''
def evaluate(model, preprocessing, train, test):
    """Prints the metrics of {who} on the test part{_of_spec(subject, "evaluate")}.

    Args:
        model: the model that is saved: raw `x` in, predictions out.
        preprocessing: raw `x` in, what the network sees out.
        train, test: `x` and `y` of these parts.

    Returns:
        {{network or baseline: {{metric: value}}}}
    """
    {truth}
    guesses = {{
{chr(10).join(lines)}
    }}
    scores = {{who: score(truth, guess) for who, guess in guesses.items()}}
    {table}(scores, {shown})
    return scores
''',
    )


def _commented(line: str, comment: str) -> str:
    return f"{line}  # {comment}" if comment and len(line) + len(comment) + 4 <= WIDTH else line


def _heading(subject: Subject, metric: Metric) -> str:
    if subject.target.columns and subject.target.is_mixed:
        return metric.heading("deviations")
    return metric.heading(subject.target.unit)


def _format(subject: Subject, metric: Metric) -> str:
    if metric.unit in ("percent", "count"):
        return ".2%" if metric.unit == "percent" else ",.0f"
    power = {"target": 1, "squared": 2}.get(metric.unit, 0)
    if not power or subject.target.kind == "input" or subject.target.is_mixed:
        return "#.4g"
    return ",.0f" if np.std(np.asarray(subject.data.test.truth)) ** power >= 1e5 else "#.4g"
