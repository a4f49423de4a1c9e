"""`load_data` and `load_parts`: what there is to learn from, and which of it is for what."""

from __future__ import annotations

from dlspec.ejection.datasets import write_dataset
from dlspec.ejection.script import Script
from dlspec.ejection.sources import write_files
from dlspec.ejection.subject import Subject


def write_data(script: Script, subject: Subject) -> None:
    write_loading = write_files if subject.spec.data.dataset is None else write_dataset
    write_loading(script, subject)
