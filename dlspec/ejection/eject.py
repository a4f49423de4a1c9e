"""Subject -> Script."""

from __future__ import annotations

from collections.abc import Callable

from dlspec.ejection.data import write_data
from dlspec.ejection.evaluation import write_evaluation
from dlspec.ejection.network import write_network
from dlspec.ejection.preprocessing import write_preprocessing
from dlspec.ejection.pretraining import write_pretraining
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject
from dlspec.ejection.training import write_training

WRITERS: tuple[Callable[[Script, Subject], None], ...] = (
    write_data,
    write_preprocessing,
    write_network,
    write_pretraining,
    write_training,
    write_evaluation,
)


def write_script(subject: Subject, name: str) -> Script:
    """The script of a subject.

    Args:
        name: of its file, without the ending.
    """
    script = Script(name)
    for write in WRITERS:
        write(script, subject)
    return script
