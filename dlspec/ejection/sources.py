"""`load_data` of files."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_files(script: Script, subject: Subject) -> None:
    raise NotImplementedError
