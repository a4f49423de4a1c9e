"""`build_preprocessing`, `network_targets` and `with_preprocessing`."""

from __future__ import annotations

from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject


def write_preprocessing(script: Script, subject: Subject) -> None:
    raise NotImplementedError
