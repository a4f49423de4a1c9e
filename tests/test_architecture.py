"""Imports go one way: down the list of packages, and without circles between files."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import dlspec
from tests.conftest import ROOT

PACKAGE = ROOT / "dlspec"
ORDER = (
    "_version", "language", "runtime", "data", "model", "training", "pretraining", "evaluation", "spec", "runs",
    "views", "editor", "deployment", "adoption", "ejection", "api", "conversion", "studio", "cli",
)  # fmt: skip
"""A package imports itself and those before it."""
ENTRIES = ("__init__", "__main__")
STANDALONE = PACKAGE / "deployment" / "serving"
"""What is copied as it is, and runs without dlspec; its files import each other by relative paths."""


def files():
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module_of(path): path for path in files()}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


@cache
def imported_by(module: str) -> tuple[tuple[str, int], ...]:
    """Modules of dlspec that a module imports, with lines: also inside functions, and for the type checker."""
    found = []
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if MODULES[module].is_relative_to(STANDALONE):
                if node.level:
                    assert node.level == 1, f"{module}:{node.lineno} imports from outside of {STANDALONE}"
                    home = f"{module_of(STANDALONE / '__init__.py')}.{home}".rstrip(".")
                else:
                    assert not home.startswith("dlspec"), f"{module}:{node.lineno} imports {home}"
            else:
                assert node.level == 0, f"{module}:{node.lineno} imports by a relative path"
            names = [f"{home}.{name.name}" for name in node.names]
            found += [(name if name in MODULES else home, node.lineno) for name in names]
        elif isinstance(node, ast.Import):
            found += [(name.name, node.lineno) for name in node.names]
    return tuple(dict.fromkeys((name, line) for name, line in found if name in MODULES and name != "dlspec"))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_the_list_of_packages(module):
    room = room_of(module)
    if room in ENTRIES:
        return
    assert room in ORDER, f"{room} has no place in the order"
    for other, line in imported_by(module):
        assert ORDER.index(room_of(other)) <= ORDER.index(room), f"{MODULES[module]}:{line} imports {other}"


def test_files_do_not_import_each_other_in_a_circle():
    """Circles among all files, each shown with its files; a package counts as its `__init__.py`."""
    assert circles({module: {other for other, _ in imported_by(module)} for module in MODULES}) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules of which each reaches all others (Tarjan, 1972)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found = []

    def visit(module: str) -> None:
        numbers[module] = lowest[module] = len(numbers)
        open_.append(module)
        for other in sorted(imports[module]):
            if other not in numbers:
                visit(other)
            if other in open_:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == numbers[module]:
            group = open_[open_.index(module) :]
            del open_[open_.index(module) :]
            if len(group) > 1 or module in imports[module]:
                found.append(sorted(group))

    for module in sorted(imports):
        if module not in numbers:
            visit(module)
    return found


@pytest.mark.parametrize("name", dlspec.__all__)
def test_every_public_name_is_where_it_is_said_to_be(name):
    assert getattr(dlspec, name) is not None


def test_no_package_is_named_like_a_public_function():
    """Python sets a package as an attribute of `dlspec` when it is first imported, where the function was."""
    assert not {room_of(module) for module in MODULES} & {*dlspec._HOMES}


def test_yaml_is_read_in_one_place_and_printing_is_the_command_lines():
    for path in files():
        text = path.read_text(encoding="utf-8")
        assert "import yaml" not in text or path.parent.name == "yaml", path
        prints = "cli" in path.parts or path.parent.name == "snippets"  # which are of scripts
        assert prints or not re.search(r"(?<![\w.])print\(", text), path


def test_no_module_grows_past_what_fits_in_the_head():
    for path in files():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 600, path
