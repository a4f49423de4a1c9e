"""The baselines of `evaluate`: what each guesses of the test part, as source."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dlspec.data.arrays import some_of
from dlspec.data.preparation.prepared import MOST_WORDS, quantities
from dlspec.ejection.preprocessing import outputs_source
from dlspec.ejection.prose import define
from dlspec.ejection.python import Code, call, literal, source
from dlspec.ejection.script import FITTED, Script, lines_of
from dlspec.ejection.subject import Subject
from dlspec.evaluation.baselines import Baseline
from dlspec.evaluation.baselines.base import MOST_VALUES, threads_for
from dlspec.evaluation.baselines.constant import Majority, Mean
from dlspec.evaluation.baselines.linear import Linear, best_penalty, ridge
from dlspec.evaluation.baselines.pca import PCA
from dlspec.evaluation.baselines.persistence import Persistence


def write_guess(script: Script, subject: Subject, baseline: Baseline) -> str | None:
    """What gives the guess inside of `evaluate`, where `x`, `truth`, `train` and `preprocessing` are known; None: the
    script cannot make it."""
    write = WRITERS.get(type(baseline))
    if write is None:
        script.leave_out(f"The baseline `{baseline.type_name}` is that of a plugin, and is not computed.")
        return None
    return write(script, subject, baseline)


def write_inputs(script: Script, subject: Subject) -> Code:
    """`flat_inputs`: what the network sees, for what knows nothing but rows of quantities; returns its name."""
    name = Code("flat_inputs")
    if any(chunk.startswith(f"def {name}(") for chunk in script.chunks["baselines"]):
        return name
    runs, values = _runs(subject.data.layout), "inputs.reshape(len(inputs), -1)"
    said = "What the network sees, with all values of a sample in one row, (samples, values)."
    if any(words for *_, words in runs):
        said = "What the network sees, (samples, values), and of a text how often each word is in it, in any order."
        count = script.use("baselines", "word_counts", "baselines")
        pieces = []
        for first, end, words in runs:
            own = f"inputs[:, {first}:{end}]" if len(runs) > 1 else "inputs"
            pieces.append(f"{count}({own}, {min(words, MOST_WORDS)})" if words else own)
        joined = source(call("np.hstack", [Code(piece) for piece in pieces]), 4, len("return "))
        values = joined if len(pieces) > 1 else pieces[0]
    script.define(
        "baselines",
        lines_of(
            "def flat_inputs(preprocessing, x):",
            f'    """{said}"""',
            f"    inputs = {outputs_source(script, subject, 'preprocessing', 'x')}",
            f"    return {values}",
        ),
    )
    return name


def _runs(layout: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Columns that belong together: the first, the end, and how many words they stand for; quantities in a row are one
    piece."""
    found: list[tuple[int, int, int]] = []
    end = 0
    for width, words in layout:
        if found and not words and not found[-1][2]:
            found[-1] = found[-1][0], end + width, 0
        else:
            found.append((end, end + width, words))
        end += width
    return found


def kept(script: Script, name: str, value: float | list[float]) -> Code:
    """What reads a fitted value beside the script; one that stands there already is not put there twice."""
    for known, held in _numbers(script.fitted, FITTED):
        if np.shape(held) == np.shape(value) and np.allclose(held, value, rtol=1e-12, atol=0):
            return Code(f"np.array({known})" if isinstance(held, list) else known)
    while name in script.fitted:
        name = f"{name}_"
    return script.keep(name, value)


def _numbers(held: Any, source: str) -> Iterator[tuple[str, Any]]:
    """Numbers, and lists of numbers, that stand beside the script, each with what reads it."""
    if isinstance(held, dict):
        for name, value in held.items():
            yield from _numbers(value, f"{source}[{literal(name)}]")
    elif all(isinstance(value, float) for value in (held if isinstance(held, list) else [held])):
        yield source, held


def names_of_scale(how: str) -> tuple[str, str]:
    """What that is called by which a scaled number is multiplied, and what is added then."""
    known = {"standard": ("std", "mean"), "min_max": ("range", "min"), "robust": ("quartile_distance", "median")}
    return known.get(how, ("scale", "offset"))


# --- one by one


def _persistence(script: Script, subject: Subject, baseline: Persistence) -> str:
    target, test = subject.target, subject.data.test
    if target.kind == "class":
        last = script.keep_array("last_class", np.asarray(test.last))
        return f"np.eye({len(target.classes)})[{last}]"
    if not subject.data.preprocessing.target_columns:  # the model does not take it
        return str(script.keep_array("last_known", np.asarray(test.last)))
    return last_known(script, subject)


def last_known(script: Script, subject: Subject) -> str:
    """The last known value of the target in windows `x`, (samples,), of several numbers (samples, numbers)."""
    places = subject.data.preprocessing.target_columns
    if subject.target.columns:
        columns = script.constant(
            "TARGET_COLUMNS", list(places), "baselines", "of a window, of which each predicted number is a later value"
        )
        return f"x[:, -1, {columns}]"
    names = list(subject.data.preprocessing.raw_columns)
    listed = next((one.name for one in script.constants if one.value == names), None)
    return f"x[:, -1, {literal(places[0]) if listed is None else f'{listed}.index({literal(names[places[0]])})'}]"


def _mean(script: Script, subject: Subject, baseline: Mean) -> str:
    if subject.target.kind == "input":
        inputs = write_inputs(script, subject)
        return f'np.tile({inputs}(preprocessing, train[0]).mean(axis=0, dtype="float64"), (len(truth), 1))'
    if subject.target.columns:
        return "np.tile(train[1].mean(axis=0), (len(truth), 1))"
    return "np.full(len(truth), train[1].mean())"


def _majority(script: Script, subject: Subject, baseline: Majority) -> str:
    if subject.target.kind == "labels":
        return "np.tile(train[1].mean(axis=0), (len(truth), 1))"
    count = len(subject.target.classes)
    return f"np.tile(np.bincount(train[1], minlength={count}) / len(train[1]), (len(truth), 1))"


def _linear(script: Script, subject: Subject, baseline: Linear) -> str:
    inputs, kind = write_inputs(script, subject), subject.target.kind
    own, line = script.new_name("linear"), subject.line("evaluate", "baselines")
    of = f" ({line} of the spec)" if line else ""
    model = "Ridge regression" if kind == "number" else "Logistic regression"
    about, chosen = f"{model} on what the network sees{of}.", chosen_penalty(subject)
    if chosen is not None:
        key = "linear_alpha" if kind == "number" else "linear_c"
        about = f"{model} on what the network sees{of}; its penalty was chosen on the training part."
        kept_penalty = script.keep(key, chosen)
        fitted = _simple_numbers if kind == "number" else _simple_classes
        body = fitted(script, subject, inputs, kept_penalty)
    elif kind == "number":
        body = _line_of_numbers(script, subject, inputs, script.use("baselines", "ridge", "baselines"))
    else:
        body = _line_of_classes(script, subject, inputs, script.use("baselines", "logistic", "baselines"))
    define(script, "baselines", f"{own}(preprocessing, train, x)", about, body)
    return f"{own}(preprocessing, train, x)"


def chosen_penalty(subject: Subject) -> float | None:
    """`alpha` of a ridge, `C` of logistic regression, as dlspec chooses it; None: there is none, or one for each label,
    or classes are missing."""
    data, target = subject.data, subject.target
    places = some_of(data.train.inputs, MOST_VALUES)
    inputs, truth = quantities(data.train.inputs[places], data.layout), np.asarray(data.train.truth[places])
    with threads_for(inputs.size):
        if target.kind == "number":
            strength = ridge(inputs, np.asarray(data.train.targets[places]).astype("float64"))[2]
            return strength if strength > 0 else None
        if target.kind != "class" or len(np.unique(truth)) < len(target.classes):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return best_penalty(inputs, truth, in_order=subject.is_series)


def _simple_classes(script: Script, subject: Subject, inputs: str, penalty: Code) -> list[str]:
    script.imports["LogisticRegression"] = "from sklearn.linear_model import LogisticRegression"
    return [
        f"inputs, labels = {inputs}(preprocessing, train[0]), train[1]",
        *_some(script, subject, "inputs", "labels"),
        f'model = LogisticRegression(C={penalty}, max_iter=2000).fit(inputs.astype("float64"), labels)',
        f'return model.predict_proba({inputs}(preprocessing, x).astype("float64"))',
    ]


def _simple_numbers(script: Script, subject: Subject, inputs: str, penalty: Code) -> list[str]:
    script.imports["Ridge"] = "from sklearn.linear_model import Ridge"
    return [
        f"inputs, targets = {inputs}(preprocessing, train[0]), network_targets(*train)",
        *_some(script, subject, "inputs", "targets"),
        f'model = Ridge({penalty}, solver="svd").fit(inputs.astype("float64"), targets.astype("float64"))',
        f'outputs = model.predict({inputs}(preprocessing, x).astype("float64")).reshape(-1, targets.shape[1])',
        *_in_units(script, subject),
    ]


def _line_of_classes(script: Script, subject: Subject, inputs: str, fit: str) -> list[str]:
    """Logistic regression; of labels, one for each."""
    order = ", in_order=True" if subject.is_series else ""
    body = [
        f"inputs, labels = {inputs}(preprocessing, train[0]), train[1]",
        *_some(script, subject, "inputs", "labels"),
    ]
    if subject.target.kind == "class":
        given = f"classes={len(subject.target.classes)}{order}"
        return [*body, f"return {fit}(inputs, labels, {inputs}(preprocessing, x), {given})"]
    each = f"{fit}(inputs, label, others, classes=2{order})[:, 1] for label in labels.T"
    return [*body, f"others = {inputs}(preprocessing, x)", f"return np.stack([{each}], axis=1)"]


def _line_of_numbers(script: Script, subject: Subject, inputs: str, fit: str) -> list[str]:
    """A ridge through what the network is trained on, and back to the units of the target."""
    return [
        f"inputs, targets = {inputs}(preprocessing, train[0]), network_targets(*train)",
        *_some(script, subject, "inputs", "targets"),
        f"slopes, intercept = {fit}(inputs, targets)",
        f"outputs = {inputs}(preprocessing, x) @ slopes + intercept",
        *_in_units(script, subject),
    ]


def _in_units(script: Script, subject: Subject) -> list[str]:
    """From `outputs`, which are scaled as the network's, to the units of the target."""
    steps = subject.data.preprocessing
    assert steps.target is not None, "a number has a scale"
    back, single, value = steps.target.inverse, "" if subject.target.columns else "[:, 0]", "outputs"
    if (back.scale != 1).any() or back.offset.any():
        names = (f"target_{name}" for name in names_of_scale(subject.spec.data.scale))
        fitted = (values.tolist() if len(values) > 1 else float(values[0]) for values in (back.scale, back.offset))
        scale, offset = (kept(script, name, own) for name, own in zip(names, fitted, strict=True))
        value = f"outputs * {scale} + {offset}"
    if steps.change == "level":
        return [f"return ({value}){single}" if single and value != "outputs" else f"return {value}{single}"]
    what = "differences" if steps.change == "difference" else "logarithmic returns"
    last = last_known(script, subject)
    by = f"+ change{single}" if steps.change == "difference" else f"* np.exp(change{single})"
    return [f"change = {value}  # {what}", f"return {last} {by}"]


def _pca(script: Script, subject: Subject, baseline: PCA) -> str:
    inputs, own = write_inputs(script, subject), script.use("baselines", "pca", "baselines")
    seen = f"{inputs}(preprocessing, train[0])"
    count = len(some_of(subject.data.train.targets, MOST_VALUES))
    if count < len(subject.data.train):
        seen = f"{script.use('baselines', 'evenly', 'evaluate')}({seen}, {count})"
    assert baseline.components is not None, "the size of the network's code was filled in"
    return f"{own}({seen}, truth, components={baseline.components})"


def _some(script: Script, subject: Subject, *names: str) -> list[str]:
    """Of more values than a baseline is fitted to, samples that are drawn evenly."""
    train = subject.data.train
    count = len(some_of(train.inputs, MOST_VALUES))
    if count == len(train):
        return []
    evenly = script.use("baselines", "evenly", "baselines")
    return [f"{', '.join(names)} = {', '.join(f'{evenly}({name}, {count})' for name in names)}"]


WRITERS: dict[type, Callable[[Script, Subject, Any], str]] = {
    Persistence: _persistence,
    Mean: _mean,
    Majority: _majority,
    Linear: _linear,
    PCA: _pca,
}
