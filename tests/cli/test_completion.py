"""What shells complete, asked as they ask."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from dlspec.cli import COMMANDS
from dlspec.language.codes import explanations
from dlspec.model.layers import LAYERS
from dlspec.training.optimizers import OPTIMIZERS
from tests.commands import dlspec, modules_loaded_by
from tests.conftest import ROOT


@pytest.fixture
def home(tmp_path):
    """A folder with specs, one of which has a space in its name, and two runs."""
    for name in ("specs/a.yaml", "specs/b.yml", "specs/c d.yaml", "specs/x.txt", "specs/.hidden.yaml", "top.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for number in ("001", "002"):
        (tmp_path / "runs" / "lstm" / number).mkdir(parents=True)
        (tmp_path / "runs" / "lstm" / number / "resolved.yaml").touch()
    (tmp_path / "runs" / "lstm" / "003").mkdir()
    return tmp_path


def asking(words: str, incomplete: str = "", shell: str = "bash") -> dict[str, str]:
    """The environment in which a shell asks for what comes after some words."""
    line = f"{words} {incomplete}"
    place = incomplete if shell == "fish" else str(len(words.split()))
    return {"_DLSPEC_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": place}


def completed(home, words: str, incomplete: str = "") -> list[str]:
    done = dlspec(cwd=home, env=os.environ | asking(words, incomplete))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def plain(names) -> list[str]:
    return [f"plain,{name}" for name in names]


SPECS = ["dir,specs/", *plain(["specs/a.yaml", "specs/b.yml", "specs/c d.yaml"])]
RUNS = plain(["runs/lstm/001", "runs/lstm/002"])


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        ("dlspec", "", plain(COMMANDS)),
        ("dlspec", "re", plain(["replay", "report"])),
        ("dlspec run", "--o", ["plain,--out"]),
        ("dlspec run", "", ["dir,", "plain,top.yaml"]),
        ("dlspec run", "specs/", SPECS),
        ("dlspec validate specs/a.yaml", "specs/", SPECS),
        ("dlspec plan", "specs/a", ["dir,specs/a", "plain,specs/a.yaml"]),
        ("dlspec show", "specs/.", ["dir,specs/.", "plain,specs/.hidden.yaml"]),
        ("dlspec diff", "nowhere/", ["dir,nowhere/"]),
        *(
            (f"dlspec {command}", "", RUNS)
            for command in ("compare", "evaluate", "export", "predict", "replay", "serve")
        ),
        ("dlspec report", "runs/lstm/002", RUNS[1:]),
        ("dlspec replay", "elsewhere/", ["dir,elsewhere/"]),
        ("dlspec run --resume", "", RUNS),
        ("dlspec show --filters", "", RUNS),
        ("dlspec predict runs/lstm/001", "to", ["file,to"]),
        ("dlspec layers", "", plain(sorted(LAYERS))),
        ("dlspec layers", "adamw", ["plain,adamw"]),
        ("dlspec layers --kind initializers", "", []),
        ("dlspec run -s seed=", "x", ["dir,x"]),
        ("dlspec layers --kind optimizers", "", plain(sorted(OPTIMIZERS))),
        ("dlspec validate --explain", "", plain(sorted(explanations()))),
        ("dlspec no_such_command", "x", []),
    ],
)
def test_what_is_completed(home, words, incomplete, expected):
    assert completed(home, words, incomplete) == expected


def test_zsh_and_fish_are_told_the_same(home):
    for shell in ("zsh", "fish"):
        done = dlspec(cwd=home, env=os.environ | asking("dlspec run", "specs/", shell))
        assert [word for word in done.stdout.replace(",", "\n").split("\n") if word.startswith("specs/")] == [
            line.split(",")[1] for line in SPECS
        ]
        script = dlspec(env=os.environ | {"_DLSPEC_COMPLETE": f"{shell}_source"})
        assert script.returncode == 0
        assert "_dlspec_completion" in script.stdout


def test_a_shell_that_is_not_known_is_refused():
    done = dlspec(env=os.environ | {"_DLSPEC_COMPLETE": "tcsh_source"})
    assert done.returncode == 2
    assert "bash_source, zsh_source, fish_source; got 'tcsh_source'" in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="there is no bash")
def test_bash_completes_with_the_line_of_the_readme(home):
    (line,) = [x for x in (ROOT / "README.md").read_text(encoding="utf-8").split("\n") if "bash_source" in x]
    command = line.split(" >> ")[0].removeprefix("echo ").strip("'")
    (home / "bin").mkdir()
    program = home / "bin" / "dlspec"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m dlspec "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = f"""{command}
COMP_WORDS=(dlspec run specs/) COMP_CWORD=2
_dlspec_completion dlspec 2> /dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p dlspec"""
    environment = {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(["bash", "-c", script], cwd=home, env=environment, capture_output=True, text=True)
    *files, registered = done.stdout.splitlines()
    assert files == ["specs/a.yaml", "specs/b.yml", "specs/c d.yaml"]
    assert registered == "complete -o nosort -F _dlspec_completion dlspec"
    assert "-o filenames -o plusdirs" in dlspec(env=os.environ | {"_DLSPEC_COMPLETE": "bash_source"}).stdout


@pytest.mark.parametrize(
    "words", ["dlspec", "dlspec run", "dlspec layers", "dlspec compare", "dlspec validate --explain"]
)
def test_completing_loads_nothing_large(monkeypatch, home, words):
    for name, value in asking(words).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    loaded = modules_loaded_by()
    assert "dlspec" in loaded
    assert not {"numpy", "pandas", "pydantic", "yaml", "rich", "keras"} & loaded
