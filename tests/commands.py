"""The command line, in a process of its own."""

import subprocess
import sys


def dlspec(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "dlspec", *map(str, arguments)], capture_output=True, text=True, **options
    )


def modules_loaded_by(*arguments: str) -> set[str]:
    script = (
        "import sys, runpy\nsys.argv = ['dlspec', *sys.argv[1:]]\n"
        "try:\n    runpy.run_module('dlspec', run_name='__main__')\nexcept SystemExit:\n    pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)
    return {name.partition(".")[0] for name in done.stderr.splitlines()}
