"""`pretrain`."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_pretraining(script: Script, subject: Subject) -> None:
    raise NotImplementedError
