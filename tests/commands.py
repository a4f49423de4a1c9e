"""The command line, in a process of its own or in this one."""

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from dlspec.cli import call
from dlspec.language import plugins
from tests.preloaded import preloaded


def dlspec(*arguments: str, cwd: Path | None = None, env: dict | None = None, **options) -> subprocess.CompletedProcess:
    """A command in a process where Keras is loaded already, unless more is asked of the process."""
    if options:
        return dlspec_anew(*arguments, cwd=cwd, env=env, **options)
    return preloaded().run("-m", "dlspec", *arguments, cwd=cwd, env=env)


def dlspec_anew(*arguments: str, **options) -> subprocess.CompletedProcess:
    """A command in a process that has nothing yet: for tests of how it starts."""
    return subprocess.run(
        [sys.executable, "-m", "dlspec", *map(str, arguments)], capture_output=True, text=True, **options
    )


def dlspec_here(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """A command in this process, where TensorFlow is loaded: for tests of what it does, not of how it starts."""
    words = ["dlspec", *map(str, arguments)]
    streams = patch.object(sys, "argv", words), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO())
    with chdir(cwd), streams[0], streams[1] as printed, streams[2] as errors:
        code = call()
    return subprocess.CompletedProcess(words, code, printed.getvalue(), errors.getvalue())


def modules_loaded_by(*arguments: str) -> set[str]:
    script = (
        "import atexit, sys, runpy\nsys.argv = ['dlspec', *sys.argv[1:]]\n"
        "atexit.register(lambda: print('\\n'.join(sys.modules), file=sys.stderr))\n"
        "runpy.run_module('dlspec', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)
    return {name.partition(".")[0] for name in done.stderr.splitlines()}


def forget_plugins() -> None:
    """As in a new process."""
    for plugin in plugins.loaded():
        plugins._forget(plugin.module.__name__)
    plugins._loaded.clear()
