"""`evaluate`: metrics, and the simplest guesses."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_evaluation(script: Script, subject: Subject) -> None:
    raise NotImplementedError
