"""Subject -> Script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dlspec.ejection.data import write_data
from dlspec.ejection.evaluation import write_evaluation
from dlspec.ejection.main import Main, write_main
from dlspec.ejection.network import write_network
from dlspec.ejection.preprocessing import write_preprocessing
from dlspec.ejection.pretraining import write_pretraining
from dlspec.ejection.python import NotWritten
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import write_training

WRITERS: tuple[Callable[[Script, Subject], None], ...] = (
    write_data,
    write_preprocessing,
    write_network,
    write_pretraining,
    write_training,
    write_evaluation,
)


def write_script(subject: Subject, name: str) -> tuple[Script, Main]:
    """The script of a subject, and its `main`.

    Args:
        name: of its file, without the ending.

    Raises:
        NotWritten: something has no source.
    """
    if subject.target.tokens:
        raise NotWritten(f"`{subject.target.name}: next`, of which texts are cut into windows")
    entries = subject.spec.pretraining
    if len(entries) > 1:
        raise NotWritten("a list under `pretrain`, with several entries")
    if entries and entries[0].method.of_network:
        raise NotWritten(f"pretraining by `{entries[0].method.type_name}`, of many layers at once")
    if subject.target.mixture:
        raise NotWritten(f"`mixture` of `{subject.target.name}`, whose loss is none of Keras's own")
    if subject.target.levels:
        raise NotWritten(f"`quantiles` of `{subject.target.name}`, whose loss is none of Keras's own")
    if subject.target.aligned:
        raise NotWritten(f"`loss: ctc`, by which `{subject.target.name}` is read off timesteps")
    if subject.target.written:
        raise NotWritten(f"`{subject.target.name}: {{sequence: …}}`, of which texts are written item by item")
    if subject.target.fitted:
        loss = subject.spec.train.loss.type_name if subject.spec.train.loss else ""
        raise NotWritten(f"`{loss}`, by which the weights of `output` are computed after training")
    if subject.target.places:
        raise NotWritten(f"`{subject.target.name}`, which is predicted at each place of a sample")
    if subject.spec.data.weight is not None:
        raise NotWritten(f"`weight: {subject.spec.data.weight}`, by which samples count differently")
    features = subject.data.signature.features
    if len(features) > 1 and any(column.shape for column in features):
        name = next(column.name for column in features if column.shape)
        raise NotWritten(f"`{name}`, an array that other features stand beside")
    if len(subject.folds) == 1:
        return _written(subject, name)
    of_folds = [_written(replace(subject, fold=fold), name) for fold in range(len(subject.folds))]
    script, main = of_folds[subject.spec.data.split.shown_fold]
    for other, _ in of_folds:
        same_arrays = {*other.arrays} == {*script.arrays} and all(
            np.array_equal(other.arrays[key], value) for key, value in script.arrays.items()
        )
        if not same_arrays or (other.chunks, other.constants) != (script.chunks, script.constants):
            raise NotWritten("the network or what it sees is another one in each fold")
    script.of_folds = [other.fitted for other, _ in of_folds]
    return script, main


def _written(subject: Subject, name: str) -> tuple[Script, Main]:
    script = Script(name)
    for write in WRITERS:
        write(script, subject)
    return script, write_main(script, subject)
