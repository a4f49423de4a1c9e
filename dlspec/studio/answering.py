"""What the processes behind the server have in common: each answers questions, a line of JSON each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.language.plugins import load
from dlspec.studio.confinement import confine

Values = dict[str, Any]
Questions = Mapping[str, Callable[[Mapping[str, Any]], Values]]


def answer_lines(
    root: str, plugins: tuple[str, ...], questions: Questions, *, ready: Callable[[], object], memory: int | None = None
) -> None:
    """Answers questions of standard input until it ends. The process reads files of the root alone from then on, and
    writes none.

    Args:
        questions: what may be asked -> what answers it.
        ready: is called before the first question, to load what most answers need.
        memory: bytes of addresses that the process may have; None: any.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    sys.dont_write_bytecode = True
    if memory is not None and sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for plugin in plugins:
        load(plugin)
    os.chdir(root)
    said: Values | None = None
    try:
        ready()
    except DiagnosticError as error:  # which then is the answer to everything
        said = _said(error)
    confine(Path(root), writes=False)
    answers.write('{"ready": true}\n')
    answers.flush()
    for line in sys.stdin:
        found = answer(questions, json.loads(line)) if said is None else said
        answers.write(json.dumps(found, ensure_ascii=True) + "\n")
        answers.flush()


def answer(questions: Questions, question: Mapping[str, Any]) -> Values:
    """The answer to a question; what cannot be answered is under `error`, with its cure under `help`."""
    try:
        return questions[question["ask"]](question)
    except DiagnosticError as error:
        return _said(error)
    except MemoryError:
        return {"error": "there is not enough memory for this"}
    except RecursionError:
        return {"error": "this is nested too deeply"}


def _said(error: DiagnosticError) -> Values:
    first = error.diagnostics[0]
    return {"error": first.message, "help": first.help}
