"""A file as a git repository has it at a revision. Git gets names on its standard input alone, where none of them can
be an option."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError

FOUND_BY_GIT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables that a hook has, relative to a folder that may not be ours; git finds the repository by the folder."""


def read_at(revision: str, path: Path, most: int) -> bytes:
    """A file at a revision.

    Args:
        revision: a commit, branch or tag as git knows them; empty for what is staged.
        path: from the current folder, or absolute; it need not be there any more.
        most: bytes that are read.

    Raises:
        DataError: git is not there, the file lies in no repository, there is no such revision, or no such file, or
            it is larger.
    """
    folder = next(above for above in path.absolute().parents if above.is_dir())
    inside = path.absolute().relative_to(folder).as_posix()
    shown, name = f"{revision}:{path}", f"{revision}:./{inside}"
    if "\n" in shown or "\0" in shown:
        raise DataError.of("file-not-found", f"no revision has a file {shown!r}", help="name a spec")
    links = ["--follow-symlinks"] if revision else []  # which git cannot do with what is staged
    kind, size = _kind_and_size(_ask(folder, name, "--batch-check", *links))
    if kind == "blob" and size > most:
        raise DataError.of("file-too-large", f"`{shown}` has {size:,} bytes, which a spec never has")
    if kind == "blob":
        return _ask(folder, name, "--batch", *links).partition(b"\n")[2][:size]
    if revision and _kind_and_size(_ask(folder, f"{revision}^{{tree}}", "--batch-check"))[0] != "tree":
        raise _no_revision(revision, folder)
    if kind == "tree":
        raise DataError.of("file-unreadable", f"`{shown}` is a folder", help="name a spec in it")
    raise _no_file(revision, path, folder)


def _kind_and_size(answer: bytes) -> tuple[str, int]:
    """What git says of an object: `<its name> blob 120`, or what was asked for and a reason, such as `missing`."""
    found = re.fullmatch(rb"[0-9a-f]{40,} (\w+) (\d+)\n", answer)
    return (found[1].decode(), int(found[2])) if found else ("", 0)


def _no_revision(revision: str, folder: Path) -> DataError:
    if revision == "HEAD":
        help = "commit once, so that there is something to compare with"
        return DataError.of("unknown-revision", "the repository has no commit yet", help=help)
    remote, _, branch = revision.partition("/")
    help = "`git log --oneline` and `git branch --all` list what there is"
    if branch:
        help = (
            f"`git fetch {remote} {branch}` gets a branch that is not here yet; on GitHub, `actions/checkout` gets all "
            "of them with `fetch-depth: 0`"
        )
    return DataError.of("unknown-revision", f"the repository of `{folder}` has no revision `{revision}`", help=help)


def _no_file(revision: str, path: Path, folder: Path) -> DataError:
    where = f"the revision `{revision}` has" if revision else "what is staged has"
    help = "name another file or revision; a path begins in the current folder"
    if _kind_and_size(_ask(folder, f"{revision}:{path.as_posix()}", "--batch-check"))[0] == "blob":  # as git reads it
        top = _run(["rev-parse", "--show-cdup"], folder).stdout.decode().strip()
        there = Path(os.path.relpath(folder / top / path)).as_posix()
        help = f"a path begins in the current folder: did you mean `{revision}:{there}`?"
    elif revision == "HEAD" and path.is_file():
        help = "`git add` and `git commit` it first, or name another spec to compare with"
    return DataError.of("file-not-found", f"{where} no file `{path}`", help=help)


def _ask(folder: Path, name: str, *how: str) -> bytes:
    """What `git cat-file` answers to the name of an object.

    Raises:
        DataError: git is not there, or does not answer.
    """
    done = _run(["cat-file", *how], folder, os.fsencode(f"{name}\n"))
    if done.stdout:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip()
    if "not a git repository" in said:
        help = "name two files, or go to the folder of a repository"
        raise DataError.of("no-repository", f"`{folder}` lies in no git repository", help=help)
    first, _, rest = said.partition("\n")
    if "outside repository" in first:
        raise DataError.of("file-not-found", f"`{name}` lies outside the repository", help="name a file inside")
    cure = next((line.strip() for line in rest.splitlines() if line.strip().startswith("git ")), None)
    help = f"type `{cure}`" if cure else "look at what `git status` says there"
    raise DataError.of("no-git", f"git does not answer in `{folder}`: {first or 'no reason given'}", help=help)


def _run(command: list[str], folder: Path, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {key: value for key, value in os.environ.items() if key not in FOUND_BY_GIT}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        return subprocess.run(["git", *command], cwd=folder, env=environment, input=input, capture_output=True)
    except OSError as error:
        reason = "git is not installed" if isinstance(error, FileNotFoundError) else f"git cannot be run: {error}"
        help = "install git, or save the other version as a file of its own and name that"
        raise DataError.of("no-git", f"a revision is read with git, and {reason}", help=help) from None
