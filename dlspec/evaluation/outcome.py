"""What came of judging a network against another, as files hold it."""

from __future__ import annotations

from typing import Literal

from dlspec.runtime.records import Record

Outcome = Literal["better", "level", "worse", "too_few", "alone"]


class Verdict(Record):
    """How the network did against the best baseline.

    Args:
        outcome: `better` or `worse` where the difference is hardly chance, else `level`; `too_few` where the test part
            is worth too few independent samples to tell.
        against: the baseline that did best on the test part; of pretraining, `without`.
        gain_of: what the network gains per sample over that baseline: squared error or log loss less, or accuracy more.
        gain: its mean over the test part.
        gain_interval: where it lies with 95% confidence; None: that cannot be told.
        pieces: how many independent samples, groups or times the test part is worth; older runs do not say it.
    """

    outcome: Outcome
    sentence: str
    metric: str = ""
    against: str = ""
    gain_of: str = ""
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None
    pieces: float | None = None
