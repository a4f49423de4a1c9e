"""`fine_tune`."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_training(script: Script, subject: Subject) -> None:
    raise NotImplementedError
