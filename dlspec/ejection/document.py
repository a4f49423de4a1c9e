"""The whole of a script: its first docstring, which holds the spec, or the cells of a notebook."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from dlspec._version import __version__
from dlspec.ejection.main import Main
from dlspec.ejection.python import WIDTH
from dlspec.ejection.script import HEADINGS, HERE, Script
from dlspec.ejection.subject import Subject

PACKAGES = {"PIL": "pillow", "sklearn": "scikit-learn"}
"""Module -> the package that has it, where that is called otherwise."""
SPEC = "The spec, whose lines are counted from the next one:"
"""Above the text of the spec."""


def as_script(script: Script, subject: Subject, main: Main, command: str) -> str:
    """The text of the script.

    Args:
        command: that wrote it.
    """
    body = script.text('"""."""', main.text)
    return body.replace('"""."""', _quoted(_about(script, subject, command, _packages(body))), 1)


def as_notebook(script: Script, subject: Subject, main: Main, command: str) -> str:
    """The same as a notebook: a cell for each section, and what `main` does in the last one."""
    top, *sections = script.parts('"""."""', main.text, "Path()")
    top = top.removeprefix('"""."""').strip()
    headings = [heading for section, heading in HEADINGS.items() if script.chunks[section]]
    whole = "\n".join([top, *sections, main.text])
    about, _, spec = _about(script, subject, command, _packages(whole), notebook=True).partition(f"\n\n{SPEC}\n\n")
    cells = [_markdown(f"# {about}"), _markdown(f"The spec:\n\n```yaml\n{spec.rstrip()}\n```"), _code(top)]
    for heading, section in zip(headings, sections, strict=True):
        cells += [
            _markdown(f"## {heading[:1].upper()}{heading[1:]}"),
            _code(section.removeprefix(f"# --- {heading}\n\n\n")),
        ]
    cells += [_markdown("## All of it"), _code("\n".join(main.lines))]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def spec_text(subject: Subject) -> str:
    """The spec as it was written, and behind it those that it extends."""
    document = subject.written
    own = document.texts[document.file].strip("\n")
    bases = [
        f"# --- {Path(file).name}\n{text.strip(chr(10))}"
        for file, text in document.texts.items()
        if file != document.file and not file.startswith("--set ")
    ]
    lines = "\n\n".join([own, *bases]).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _about(script: Script, subject: Subject, command: str, packages: Sequence[str], *, notebook: bool = False) -> str:
    """What the script does, what it needs, what it does not do, and the spec."""
    spec = subject.spec
    needs = f"Written by `{command}` (dlspec {__version__}). It needs {_listed(packages)}, and not dlspec."
    start = "" if notebook else f" Run it with `python {script.name}.py`, and begin to read at `main`."
    paragraphs = [
        f"{spec.name}: {spec.description}" if spec.description else f"{spec.name}.",
        textwrap.fill(needs + start, WIDTH, break_long_words=False, break_on_hyphens=False),
        textwrap.fill(_files(script), WIDTH, break_long_words=False, break_on_hyphens=False),
    ]
    if script.left_out:
        said = [f"- {each}" for each in script.left_out]
        paragraphs.append("\n".join(["What the spec says, and this does not do:", *said]))
    return "\n\n".join([*filter(None, paragraphs), f"{SPEC}\n\n{spec_text(subject)}\n"])


def _files(script: Script) -> str:
    """What must stand beside the script, and what it reads."""
    held = {
        f"{script.name}.json, with what was fitted to the training part": script.fitted,
        f"{script.name}.npz, with the rows of each part": script.arrays,
    }
    beside = " and ".join(said for said, values in held.items() if values)
    files = sorted({*re.findall(rf'{HERE} / "([^"]+)"', "\n".join(script.chunks["data"]))})
    sentences = [
        f"Beside it stands {beside}: after a change of the data, the seed or the window, eject again."
        if beside
        else "",
        f"It reads {_listed(files)}, counted from its own folder." if files else "",
    ]
    return " ".join(filter(None, sentences))


def _packages(text: str) -> list[str]:
    """The packages of what a script imports, apart from Python's own modules; Keras computes by TensorFlow."""
    from sys import stdlib_module_names

    found = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    names = {PACKAGES.get(name, name) for name in found if name not in stdlib_module_names}
    return sorted(names | {"tensorflow"}) if "keras" in names else sorted(names)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names) or "nothing else"


def _quoted(text: str) -> str:
    """A text as a docstring: raw where it has backslashes, as few of them are meant for Python."""
    raw = "\\" in text
    if '"""' in text:
        text, raw = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"'), False
    quoted = f'{"r" if raw else ""}"""{text}"""'
    return f"{quoted}  # noqa: E501" if any(len(line) > WIDTH for line in quoted.splitlines()) else quoted


def _markdown(text: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
