"""Which modules of dlspec `dlspec validate` loads for which spec; `python -m tests.spec.validate_modules` writes them.

Each spec is checked in a process of its own, since what one has loaded the next would not load again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import ROOT, SPECS

TABLE = Path(__file__).with_suffix(".txt")
COMMAND = f"python -m {__spec__.name if __spec__ else 'tests.spec.validate_modules'}"
HEAD = f"# Modules that `dlspec validate` loads, and for which specs. Written by `{COMMAND}`.\n"
SCRIPT = """
import atexit, sys
from dlspec.cli import main
atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))
main()
"""


def loaded_by_validate(spec: Path) -> set[str]:
    """Names of all modules that a fresh process has loaded after `dlspec validate`; a spec with errors is refused."""
    command = [sys.executable, "-c", SCRIPT, "validate", "--quiet", str(spec)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=kept)
    if done.returncode:
        raise ValueError(f"{spec} is not valid: {done.stdout}{done.stderr}")
    return set(done.stderr.splitlines())


def loaded_by_specs(specs: Iterable[Path] = SPECS) -> dict[str, set[str]]:
    """The same of several specs, two at a time: name of the spec -> modules."""
    names = [spec.relative_to(ROOT / "specs").with_suffix("").as_posix() for spec in specs]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(loaded_by_validate, specs), strict=True))


def make_table(loaded: Mapping[str, set[str]]) -> str:
    """A line for each module of dlspec: the specs that load it, or those that do not where these are fewer."""
    modules = sorted({name for names in loaded.values() for name in names if name.partition(".")[0] == "dlspec"})
    lines = []
    for module in modules:
        specs = [spec for spec in loaded if module in loaded[spec]]
        others = [spec for spec in loaded if module not in loaded[spec]]
        if not others:
            specs = ["all"]
        elif len(others) < len(specs):
            specs = ["all but", *others]
        lines.append(f"{module}: {' '.join(specs)}\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    TABLE.write_text(make_table(loaded_by_specs()), encoding="utf-8")
    print(f"{TABLE} is written")
