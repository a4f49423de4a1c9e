"""An environment with what `pip install dlspec` brings, made of links to what is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.conftest import ROOT


def light_packages() -> set[str]:
    """The distributions that dlspec needs without any extra, directly or not."""
    found: set[str] = set()
    waiting = ["dlspec"]
    while waiting:
        name = waiting.pop()
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            if requirement.name not in found:
                found.add(requirement.name)
                waiting.append(requirement.name)
    return found


def make_light_environment(folder: Path) -> dict[str, str]:
    """Fills a folder with links to those packages; returns the environment of `python -S`, which sees nothing else."""
    folder.mkdir()
    for name in light_packages():
        distribution = metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(distribution.locate_file(top))).absolute())
    dlspec = metadata.distribution("dlspec")
    information = Path(str(dlspec.locate_file(f"dlspec-{dlspec.version}.dist-info")))
    (folder / information.name).symlink_to(information.absolute())
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "COLUMNS": "100"}


def run_light(script: str, *, environment: dict[str, str], cwd: Path, input: str) -> subprocess.CompletedProcess:
    """A script in such an environment, with what it reads from standard input."""
    command = [sys.executable, "-S", "-c", script]
    return subprocess.run(command, cwd=cwd, env=environment, input=input, capture_output=True, text=True)
