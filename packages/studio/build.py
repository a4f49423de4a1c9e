"""Builds the page of `dlspec studio` into `dlspec/studio/page`, or checks that what is shipped is what that gives.

`python packages/studio/build.py` builds; with `--check` nothing is written, and it ends with 1 where the page differs.
Where npm is not there, or the registry does not answer, it says that the page was not checked, and ends with 0.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "dlspec" / "studio" / "page"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ERR_SOCKET_TIMEOUT", "E50", "E40")
"""What npm says where the registry cannot be reached, or refuses."""
SOURCES = ("package.json", "package-lock.json", ".npmrc", "vite.config.js", "index.html", "src")


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def differences(built: Path, shipped: Path) -> list[str]:
    """Names of files that are in one folder alone, or are not the same in both."""
    names = files_of(built) | files_of(shipped)
    _, other, missing = filecmp.cmpfiles(built, shipped, names, shallow=False)
    return sorted([*other, *missing])


def install(folder: Path) -> str | None:
    """Installs what the page is made of; why that could not be done.

    Raises:
        SystemExit: npm was there and answered, and something else is wrong.
    """
    if shutil.which("npm") is None:
        return "npm is not installed"
    words = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    if any(sign in done.stderr for sign in UNREACHABLE):
        return "the registry does not answer"
    raise SystemExit(done.stderr)


def main(check: bool) -> int:
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / "packages" / "studio"
        for name in SOURCES:
            source = HERE / name
            work.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, work / name)
        why_not = install(work)
        if why_not is not None:
            sys.stdout.write(f"The page of the studio was not {'checked' if check else 'built'}: {why_not}\n")
            return 0 if check else 1
        done = subprocess.run(["npx", "--no-install", "vite", "build"], cwd=work, capture_output=True, text=True)
        if done.returncode:
            sys.stdout.write(done.stdout + done.stderr)
            return 1
        built = Path(place) / "dlspec" / "studio" / "page"
        found = differences(built, PAGE)
        if not check:
            shutil.rmtree(PAGE, ignore_errors=True)
            shutil.copytree(built, PAGE)
        elif found:
            sys.stdout.write(f"{', '.join(found)}: not what packages/studio gives; run python {HERE.name}/build.py\n")
            return 1
        sys.stdout.write(f"The page of the studio was {'checked' if check else 'built'}.\n")
        return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
