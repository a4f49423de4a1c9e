"""Whether a script does what dlspec does: its functions are called, and what they give is compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dlspec.data.preparation import Part, Prepared
from dlspec.ejection.data import part_names
from dlspec.ejection.script import ARRAYS, FITTED, OF_FOLDS, Script
from dlspec.ejection.subject import Subject
from dlspec.model.build import build_network, with_preprocessing
from dlspec.training.values import predict as outputs_of

Array = np.ndarray
ALLOWED = 1e-5
"""How far what the network sees may be from that of a run, of its own scale: about the last digits of float32."""
SAMPLES = 256
"""Samples whose outputs are compared."""


class Differs(Exception):
    """A script does not give what dlspec has."""


@dataclass(frozen=True)
class Proof:
    """What was compared.

    Args:
        samples: of all parts.
        inputs: how far what the network sees is from that of a run at most, of its own scale.
        outputs: likewise of what the whole model puts out, with the same weights.
    """

    samples: int
    inputs: float
    outputs: float
    weights: int

    def as_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


def prove(module: ModuleType, subject: Subject) -> Proof:
    """Compares rows, targets, inputs, the network and the whole model of a script.

    Raises:
        Differs: something is not as in a run.
    """
    samples, inputs, several = 0, 0.0, len(subject.folds) > 1
    for fold, data in enumerate(subject.folds):
        parts, preprocessing = _begin(module, fold if several else None)
        for name, (x, y) in zip(part_names(subject), parts, strict=True):
            if name == "unlabeled":
                continue
            part: Part = getattr(data, name)
            _check_rows(name, x, y, part, subject)
            samples += len(part)
            inputs = max(inputs, _check_prepared(name, module, preprocessing, (x, y), part, subject))
    network, ours = _check_network(module, subject)
    outputs = _check_outputs(module, network, ours, subject)
    return Proof(samples, inputs, outputs, sum(math.prod(weight.shape) for weight in ours.weights))


def _begin(module: ModuleType, fold: int | None) -> tuple[Any, Any]:
    """The parts of a script, and its preprocessing, as it was fitted for a fold."""
    if fold is None:
        return module.load_parts(), module.build_preprocessing()
    getattr(module, FITTED, {}).update(getattr(module, OF_FOLDS, [{}] * (fold + 1))[fold])
    return module.load_parts(fold), module.build_preprocessing()


def module_of(script: Script, text: str, file: Path) -> ModuleType:
    """A script as a module, before it is written; `main` is not called.

    Args:
        file: where it will stand, from which it finds its data.
    """
    held = {FITTED: {} if script.of_folds else script.fitted, OF_FOLDS: script.of_folds, ARRAYS: script.arrays}
    lines = [line for line in text.splitlines() if not line.startswith(tuple(f"{name} = " for name in held))]
    module = ModuleType(f"ejected_{script.name}")
    held |= {"__file__": str(file.absolute()), **{key: _as_read(held[key]) for key in (FITTED, OF_FOLDS)}}
    module.__dict__.update(held)
    exec(compile("\n".join(lines), str(file), "exec"), module.__dict__)
    return module


def _as_read(value: Any) -> Any:
    """What JSON makes of it."""
    return json.loads(json.dumps(value))


def _check_rows(name: str, x: Any, y: Any, part: Part, subject: Subject) -> None:
    count = len(next(iter(x.values()))) if isinstance(x, Mapping) else len(x)
    if count != len(part):
        raise Differs(f"the {name} part has {count:,} samples, and {len(part):,} in a run")
    if subject.target.kind != "input" and not np.array_equal(np.asarray(y), np.asarray(part.truth[:])):
        raise Differs(f"the targets of the {name} part are others than in a run")
    if not isinstance(x, Mapping) and not np.array_equal(np.asarray(x), np.asarray(part.raw[:]), equal_nan=True):
        raise Differs(f"the samples of the {name} part are others than in a run")


def _check_prepared(
    name: str, module: ModuleType, preprocessing: Any, given: tuple[Any, Any], part: Part, subject: Subject
) -> float:
    seen, targets = module.prepared(preprocessing, *given)
    far = far_apart(seen, np.asarray(part.inputs[:]))
    if far > ALLOWED:
        raise Differs(f"what the network sees of the {name} part differs by {far:.1g} of its scale")
    expected = np.asarray(part.targets[:])
    if subject.target.kind == "input":
        expected, targets = expected.reshape(len(expected), -1), np.asarray(targets).reshape(len(expected), -1)
    off = far_apart(targets, expected)
    if off > ALLOWED:
        raise Differs(f"what the network is to put out for the {name} part differs by {off:.1g} of its scale")
    return far


def _check_network(module: ModuleType, subject: Subject) -> tuple[Any, Any]:
    """The network of the script with the weights of the one that dlspec builds, which gives the same to the last bit,
    and that one."""
    precision = subject.spec.runtime.precision
    ours = build_network(subject.graph, subject.spec.name, one_input=True, precision=precision)
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        network = module.build_network()
    finally:
        keras.config.set_dtype_policy(before)
    shapes, expected = ([tuple(weight.shape) for weight in model.weights] for model in (network, ours))
    if shapes != expected:
        raise Differs("the network has weights of other shapes")
    trained, known = ([weight.trainable for weight in model.weights] for model in (network, ours))
    if trained != known:
        raise Differs("other weights of the network are trained")
    network.set_weights(ours.get_weights())
    x = np.asarray(subject.data.train.inputs[:SAMPLES])
    found, expected_outputs = (np.asarray(model(x, training=False)) for model in (network, ours))
    if not np.array_equal(found, expected_outputs, equal_nan=True):
        raise Differs("the network puts out other values with the same weights")
    return network, ours


def _check_outputs(module: ModuleType, network: Any, ours: Any, subject: Subject) -> float:
    """How far the whole model is from the one that a run saves."""
    data: Prepared = subject.data
    shown = subject.spec.data.split.shown_fold if len(subject.folds) > 1 else None
    parts, preprocessing = _begin(module, shown)
    x = parts[part_names(subject).index("test")][0]
    some = {key: values[:SAMPLES] for key, values in x.items()} if isinstance(x, Mapping) else x[:SAMPLES]
    whole = module.with_preprocessing(preprocessing, network)
    found = outputs_of(whole, some)
    expected = outputs_of(with_preprocessing(ours, data), some)
    far = far_apart(found, expected)
    if far > ALLOWED or found.shape != expected.shape:
        raise Differs(f"the whole model differs from that of a run by {far:.1g} of its scale")
    return far


def far_apart(found: Any, expected: Array) -> float:
    """The largest difference of two arrays, divided by the largest value; infinite where they cannot be compared."""
    found = np.asarray(found)
    if found.shape != expected.shape or not np.array_equal(np.isnan(found), np.isnan(expected)):
        return float("inf")
    if not expected.size:
        return 0.0
    scale = max(1.0, float(np.nanmax(np.abs(expected), initial=0.0)))
    return float(np.nanmax(np.abs(found.astype("float64") - expected.astype("float64")), initial=0.0)) / scale
