"""`load_data` of built-in datasets."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_dataset(script: Script, subject: Subject) -> None:
    raise NotImplementedError
