"""What the network of another run, which is the teacher of this one, says of the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlspec.data.preparation import class_shares
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import one_of
from dlspec.runs.folder import Run, open_run
from dlspec.runs.row_predictor import RowPredictor, frame_of
from dlspec.spec.other_run import find_teacher
from dlspec.spec.outputs import specs_of_outputs
from dlspec.training.teaching import Answers
from dlspec.training.values import predict

if TYPE_CHECKING:
    from dlspec.data.preparation import Part, Prepared
    from dlspec.spec.spec import Spec

Array = np.ndarray


def teacher_of(spec: Spec) -> Run | None:
    """The run that teaches; of one with several outputs as if that of the same target were the only one.

    Raises:
        DataError: there is no such run, it is not finished, or none of its outputs has the target.
    """
    folder = find_teacher(spec)
    if folder is None:
        return None
    run = open_run(folder)
    run.check_finished()
    if not run.outputs:
        return run
    names = spec.data.target_names
    fitting = [own for own in run.outputs.values() if list(own.data.target.names) == names]
    if not fitting:
        message = f"no output of the teacher predicts {one_of(names)}"
        raise DataError.of("teacher-mismatch", message, spec.span("train", "teacher"), help="name another run")
    return fitting[0]


def answers_of(spec: Spec, data: Prepared) -> dict[str, Answers]:
    """What the teacher says of the training and of the validation part, of each output by its name, of the only one by
    none; nothing: there is no teacher.

    Raises:
        DataError: the teacher takes what these data do not have, or predicts something else.
    """
    outputs = specs_of_outputs(spec, data.signature) or {"": spec}
    found = {name: _answers(own, data.outputs[name] if name else data) for name, own in outputs.items()}
    return {name: answers for name, answers in found.items() if answers is not None}


def _answers(spec: Spec, data: Prepared) -> Answers | None:
    """The same of one output.

    Raises:
        DataError: the teacher takes what these data do not have.
    """
    run = teacher_of(spec)
    if run is None:
        return None
    if data.rows_in_all is not None:
        message = "a teacher answers all samples before training, and these data are read while it goes on"
        raise DataError.of(
            "teacher-mismatch", message, spec.span("train", "teacher"), help="write `limit` under `data`"
        )
    lacking = [name for name in run.data.raw_columns if name not in data.columns]
    if lacking:
        message = f"the teacher takes {one_of(lacking)}, which these data do not have"
        raise DataError.of("teacher-mismatch", message, spec.span("train", "teacher"), help="name another run")
    train, validation = (_of_part(run.predictor, data, part) for part in (data.train, data.validation))
    return Answers(train, validation)


def _of_part(predictor: RowPredictor, data: Prepared, part: Part) -> Array:
    """Probabilities of all classes, or numbers as the network puts them out."""
    rows, names = np.asarray(part.rows), list(predictor.data.raw_columns)
    columns = data.columns
    alone = not predictor.data.encoded and columns[names[0]].ndim > 1
    given = np.asarray(columns[names[0]][rows]) if alone else frame_of(columns, names, rows)
    outputs = predict(predictor.model, predictor.taken(given).values) if len(rows) else np.empty((0, 1))
    if predictor.data.target.kind == "class":
        return class_shares(outputs).astype("float32")
    scale = data.preprocessing.target
    assert scale is not None, "a number has a scale"
    return np.asarray(scale(outputs.reshape(len(rows), -1).astype("float64")), "float32")
