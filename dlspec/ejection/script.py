"""A Python script that is being written: constants, functions by section, and data that stand beside it."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dlspec.ejection.copying import names_in, snippet, snippet_names
from dlspec.ejection.python import WIDTH, Code, literal, statement, width

Array = np.ndarray

SECTIONS = ("data", "preprocessing", "model", "pretrain", "train", "baselines", "evaluate")
"""In the order of the script; `preprocessing` is part of `data` in a spec."""
HEADINGS = {
    "data": "data",
    "preprocessing": "preprocessing, and the model that is saved",
    "model": "the network",
    "pretrain": "pretraining",
    "train": "training",
    "baselines": "the simplest guesses",
    "evaluate": "results",
}
IMPORTS = {
    "constraints": "from keras import constraints",
    "initializers": "from keras import initializers",
    "json": "import json",
    "keras": "import keras",
    "layers": "from keras import layers",
    "math": "import math",
    "np": "import numpy as np",
    "ops": "from keras import ops",
    "Path": "from pathlib import Path",
    "pd": "import pandas as pd",
    "regularizers": "from keras import regularizers",
}
"""Name -> how it is imported; snippets add theirs."""
STANDARD = (
    "csv",
    "io",
    "itertools",
    "json",
    "math",
    "pathlib",
    "re",
    "string",
    "struct",
    "wave",
    "warnings",
    "zipfile",
    "datetime",
)
"""Modules of Python itself, which are imported first."""
HERE, FITTED, ARRAYS, OF_FOLDS = "HERE", "FITTED", "ARRAYS", "FITTED_OF_FOLDS"
"""Constants: the folder of the script, and what stands in the files beside it; of folds, what was fitted for each."""
FUNCTIONS = (
    "load_data", "load_parts", "build_preprocessing", "network_targets", "build_network", "pretrain", "fit",
    "train_network", "with_preprocessing", "flat_inputs", "predict", "score", "evaluate", "require", "prepared", "main",
)  # fmt: skip
"""Those that other functions of a script may call."""
RESERVED = {*IMPORTS, *keyword.kwlist, *keyword.softkwlist, *dir(builtins), HERE, FITTED, ARRAYS, OF_FOLDS, *FUNCTIONS}


def of_spec(comment: str) -> str:
    """A comment that says of which file its lines are: `spec line 14`."""
    return re.sub(r"(?<!spec )\bline (\d+)(?! of)", r"spec line \1", comment)


@dataclass(frozen=True)
class Constant:
    """`NAME = value  # comment`"""

    name: str
    value: Any
    section: str
    comment: str = ""

    @property
    def text(self) -> str:
        comment = of_spec(self.comment)
        behind = f"  # {comment}" if comment else ""
        line = f"{self.name} = {literal(self.value)}{behind}"
        if width(line) <= WIDTH:
            return line
        above = f"# {comment}\n" if comment else ""
        return above + statement(self.name, self.value)


@dataclass
class Script:
    """What is written, section by section.

    Args:
        name: of the file, without its ending.
        fitted: what stands beside the script as JSON.
        of_folds: where there are several, what was fitted for each fold, in place of that.
        arrays: what stands beside it as numpy's `.npz`.
        left_out: what the spec says and the script does not do, in sentences.
    """

    name: str
    imports: dict[str, str] = field(default_factory=lambda: dict(IMPORTS))
    fitted: dict[str, Any] = field(default_factory=dict)
    of_folds: list[dict[str, Any]] = field(default_factory=list)
    arrays: dict[str, Array] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    chunks: dict[str, list[str]] = field(default_factory=lambda: {section: [] for section in SECTIONS})
    taken: set[str] = field(default_factory=lambda: set(RESERVED))
    _copied: set[tuple[str, str]] = field(default_factory=set)
    _constants: dict[str, str] = field(default_factory=dict)

    # --- what writers call

    def new_name(self, wanted: str, *, constant: bool = False) -> str:
        """A name for a constant or a function that nothing else has: `class` becomes `class_`."""
        name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_") or "value"
        name = (name.upper() if constant else name[:1].lower() + name[1:]) if not name[0].isdigit() else f"_{name}"
        while name in self.taken or name in snippet_names():
            name = f"{name}_"
        self.taken.add(name)
        return name

    def constant(self, wanted: str, value: Any, section: str = "data", comment: str = "") -> Code:
        """A constant at the top of the script; returns its name. One of the same name and value is there once."""
        held = self._constants.get(wanted.upper())
        for place, one in enumerate(self.constants):
            if one.name == held and one.value == value:
                self.constants[place] = replace(one, comment=one.comment or comment)
                return Code(one.name)
        name = self.new_name(wanted, constant=True)
        self._constants[wanted.upper()] = name
        self.constants.append(Constant(name, value, section, comment))
        return Code(name)

    def define(self, section: str, text: str) -> None:
        """A function or a class, whose name was asked for by `new_name`."""
        self.chunks[section].append(textwrap.dedent(text).strip("\n"))

    def use(self, file: str, name: str, section: str) -> Code:
        """Copies a function of a snippet, and what it needs, into a section, unless it is there; returns its name."""
        source = snippet(file)
        for definition in source.with_needs(name):
            if (file, definition.name) in self._copied:
                continue
            self._copied.add((file, definition.name))
            self.chunks[section].append(definition.text)
        for imported, how in source.imports.items():
            assert self.imports.setdefault(imported, how) == how, f"`{imported}` is imported in two ways"
        return Code(name)

    def keep(self, name: str, value: Any) -> Code:
        """Puts a value into the JSON file beside the script; returns what reads it."""
        while name in self.fitted:  # a column may be called like this
            name = f"{name}_"
        self.fitted[name] = value
        return Code(f"{FITTED}[{literal(name)}]")

    def keep_array(self, name: str, value: Array) -> Code:
        """Puts an array into the `.npz` beside the script; returns what reads it."""
        while name in self.arrays:
            name = f"{name}_"
        self.arrays[name] = np.asarray(value)
        return Code(f"{ARRAYS}[{literal(name)}]")

    def leave_out(self, sentence: str) -> None:
        """Says once that the script does not do something that the spec asks for."""
        if sentence not in self.left_out:
            self.left_out.append(sentence)

    # --- the whole

    def text(self, docstring: str, main: str, *, here: str = "Path(__file__).parent") -> str:
        """The script.

        Args:
            docstring: its first one, with its quotes.
            main: the function `main`, and what calls it.
            here: the folder of the script, as source.
        """
        parts = [*self.parts(docstring, main, here), "# --- all of it\n\n\n" + main.strip("\n")]
        whole = "\n\n\n".join(parts) + "\n"
        return re.sub(r"((?:^|\n)(?:import|from) [^\n]+)\n+# ---", r"\1\n\n# ---", whole)  # as isort has it

    def _tidy(self, text: str) -> str:
        """Lines of a base spec are not `of the spec`, and a long first line of a docstring is broken between words."""
        text = re.sub(r"(line \d+ of [^\s()]+\.ya?ml) of the spec", r"\1", text)
        text = re.sub(r"#.*\bline \d+.*$", lambda found: of_spec(found[0]), text, flags=re.MULTILINE)
        return "\n".join(_broken(line) for line in text.splitlines())

    def parts(self, docstring: str, main: str, here: str) -> list[str]:
        """What is above `main`: the docstring with imports and constants, then the sections that have something."""
        sections = [self._section(section) for section in SECTIONS if self.chunks[section]]
        constants = self._constant_text(here, "\n".join([*sections, main]))
        body = "\n".join([constants, *sections, main])
        return [f"{docstring}\n\n{self._import_text(body)}\n\n{constants}".rstrip("\n"), *sections]

    def _section(self, section: str) -> str:
        return self._tidy("\n\n\n".join([f"# --- {HEADINGS[section]}", *self.chunks[section]]))

    def _constant_text(self, here: str, body: str) -> str:
        lines = []
        reads = []
        if self.fitted:
            held = f'json.loads(({HERE} / "{self.name}.json").read_text(encoding="utf-8"))'
            reads = [f"{FITTED} = {held}"]
            if self.of_folds:
                reads = [f"{OF_FOLDS} = {held}", f"{FITTED} = {{}}  # for the fold that is trained"]
        if self.arrays:
            reads.append(f'{ARRAYS} = np.load({HERE} / "{self.name}.npz")')
        own = [one.text for section in SECTIONS for one in self.constants if one.section == section]
        if reads or HERE in _words("\n".join(own)) | _words(body):
            lines.append(f"{HERE} = {here}")
        return "\n".join([*lines, *reads, *own])

    def _import_text(self, body: str) -> str:
        """The imports of all names that are used, Python's own modules first, as isort sorts them."""
        used = names_in(ast.parse(body))
        statements = {self.imports[name] for name in used if name in self.imports}
        standard = {each for each in statements if each.split()[1].partition(".")[0] in STANDARD}
        groups = [_sorted(standard), _sorted(statements - standard)]
        return "\n\n".join("\n".join(group) for group in groups if group)


def _sorted(statements: Iterable[str]) -> list[str]:
    """`import …` before `from … import …`, names of one module together."""
    plain = sorted(each for each in statements if each.startswith("import "))
    names: dict[str, list[str]] = {}
    for each in statements:
        if each.startswith("from "):
            _, module, _, name = each.split(maxsplit=3)
            names.setdefault(module, []).append(name)
    joined = [
        f"from {module} import {', '.join(sorted(own, key=_order))}"
        for module, own in sorted(names.items(), key=_by_name)
    ]
    return plain + joined


def _by_name(module: tuple[str, list[str]]) -> str:
    return module[0].lower()


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def _broken(line: str) -> str:
    """A line of a docstring in as many as it takes."""
    text = line.strip()
    if len(line) <= WIDTH or not text.startswith('"""'):
        return line
    indent = line[: len(line) - len(line.lstrip())]
    whole = text.endswith('"""') and len(text) > 5
    lines = textwrap.wrap(text.removesuffix('"""') if whole else text, WIDTH - len(indent))
    return "\n".join(f"{indent}{each}" for each in [*lines, *(['"""'] if whole else [])])


def _words(text: str) -> set[str]:
    return {*re.findall(r"\w+", text)}


def beside(script: Script) -> str:
    """What stands beside the script as JSON."""
    if script.of_folds:
        return "[\n" + ",\n".join(as_json(fitted).rstrip() for fitted in script.of_folds) + "\n]\n"
    return as_json(script.fitted)


def as_json(fitted: dict[str, Any]) -> str:
    """Values, a line for each, in the order in which they were kept."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in fitted.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def lines_of(*parts: str | Sequence[str]) -> str:
    """Lines, joined; lists are taken apart, and empty ones left out."""
    found: list[str] = []
    for part in parts:
        found += [part] if isinstance(part, str) else part
    return "\n".join(found)
