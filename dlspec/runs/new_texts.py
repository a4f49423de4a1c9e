"""Texts that a run has not seen, brought into the form in which it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.features.text import split_tokens
from dlspec.data.preparation import class_shares
from dlspec.data.preparation.columns import to_texts
from dlspec.data.preparation.language import Windows
from dlspec.data.preparation.prepared import Part
from dlspec.evaluation.evaluate import tokens_in_words
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.folder import Run
from dlspec.runs.new_data import NewData
from dlspec.training.values import predict

NO_TOKENS = "which have no token behind another"
"""Why texts are not judged."""


def new_texts(run: Run, columns: Columns, baselines: Mapping[str, Any]) -> NewData:
    """What a run predicts for texts.

    Raises:
        DataError: nothing in them can be judged.
    """
    signature, record = run.data.signature(run.spec), run.data
    target, name = signature.target, record.raw_columns[0]
    assert target.tokens is not None, "it is a model of texts"
    texts = to_texts(name, np.asarray(columns[name][:], object), holes=True)
    tokens = [(row, split_tokens(text, target.tokens)) for row, text in enumerate(texts)]
    windows = Windows.of(tokens, target.classes[1:], target.places[0], target.tokens)
    if not len(windows):
        raise DataError.of("no-rows", "no text has a token behind another, which could be predicted from it")
    part = windows.part(0)
    shown = windows.texts[:, None]
    outputs = class_shares(predict(run.model, {str(record.features[0].input): shown}))
    empty = len(texts) - len({*windows.rows.tolist()})
    one = replace(signature, one_text=len(texts) == 1)
    nothing = np.empty((len(windows), 0), "float32")
    judged = Part(nothing, windows.truth, nothing, windows.truth, np.asarray(part.rows), at_places=True)
    return NewData(
        one,
        judged,
        {name: windows.texts},
        outputs,
        {baseline: fitted.guess(part) for baseline, fitted in baselines.items()},
        len(texts),
        {NO_TOKENS: empty} if empty else {},
        {},
        np.arange(len(windows)),
        tuple(tokens_in_words(one, judged)),
        text_rows=windows.rows,
    )
