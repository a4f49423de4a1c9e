"""Processes in which Keras is loaded already: copies of one that waits, since loading takes longer than most commands.

A copy has its own arguments, folder, environment, output and exit code. What only shows while libraries are loaded,
or what a variable says to them then, does not show here: that takes a process of its own.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST = 300
"""Seconds that a copy may take."""
SPEC = "dlspec: 1\ndata: {dataset: digits}\nmodel: [flatten, output]\n"
LOADED = (
    *(f"dlspec.cli.{name}" for name in ("run", "predict", "replay", "report", "plan", "validate", "show", "init")),
    "dlspec.runs.run",
    "dlspec.views.report",
    "matplotlib.backends.backend_svg",
    "pandas",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.preprocessing",
    "sklearn.svm",
)
"""What commands load besides Keras."""


class Preloaded:
    """The process that waits. Of what it has loaded, `keras` is Keras alone and `dlspec` what commands need, too."""

    def __init__(self, what: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        atexit.register(self.process.communicate)

    def run(self, *arguments: object, cwd: object = None, env: object = None) -> subprocess.CompletedProcess:
        """`python ARGUMENTS`, where these begin with `-m MODULE`, `-c CODE` or the path of a script."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            request = {
                "arguments": list(map(str, arguments)),
                "cwd": str(cwd or Path.cwd()),
                "env": dict(os.environ if env is None else env),
                "streams": [f"/proc/{os.getpid()}/fd/{stream.fileno()}" for stream in (out, errors)],
            }
            self.process.stdin.write(f"{json.dumps(request)}\n")
            self.process.stdin.flush()
            code = int(self.process.stdout.readline())
            out.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read(), errors.read())


@cache
def preloaded(what: str = "dlspec") -> Preloaded:
    """One in each worker, started when it is first asked for."""
    return Preloaded(what)


def load(what: str) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    importlib.import_module("keras")
    if what == "dlspec":
        for module in LOADED:
            importlib.import_module(module)
        importlib.import_module("dlspec").validate(SPEC)
    gc.collect()
    gc.freeze()


def asked() -> dict | None:
    """Makes a copy for every request and answers with its exit code; returns in the copy, with the request."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    load(sys.argv[1])
    for line in sys.stdin:
        copy = os.fork()
        if not copy:
            return json.loads(line)
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])}\n")
        answers.flush()
    return None


def become(request: dict) -> None:
    """Goes on as a process that was started with these arguments; one that hangs is ended by SIGALRM."""
    signal.alarm(LONGEST)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(request["streams"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    first, *rest = request["arguments"]
    sys.path[0] = request["cwd"]
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv, sys.path[0] = [first, *rest], str(Path(first).parent)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    request = asked()
    if request is not None:
        become(request)
