"""The reference as Markdown pages, one for each sort of thing that a spec can name.

`python -m dlspec.views.reference docs/reference` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from dlspec.language.codes import AREAS, in_area
from dlspec.model.layers import LAYERS
from dlspec.runtime.files import write_text
from dlspec.spec.spec import COMPOSITION
from dlspec.views.reference.catalogue import Argument, Category, Entry, categories, family_title, keys_of, sections
from dlspec.views.reference.section_examples import SECTION_EXAMPLES

COMMAND = "python -m dlspec.views.reference docs/reference"
_WRITTEN_BY = f"<!-- written by `{COMMAND}`; what it says stands beside the code -->\n"
_LEFT_OUT = (
    "An example leaves out `dlspec: 1`, and where they do not matter `data: {dataset: digits}` and "
    "`model: [flatten, output]`.\n"
)
_HEAD = ("argument", "type", "range", "default", "what it means")


def pages() -> dict[str, str]:
    """File name -> Markdown."""
    found = {f"{category.plural}.md": _page(category) for category in categories()}
    return {"README.md": _contents(), "keys.md": _keys(), "diagnostics.md": _diagnostics(), **found}


def families(category: Category) -> Iterator[tuple[str, list[Entry]]]:
    """Title and members of each family; all kinds but layers are one family without a title."""
    entries = category.entries()
    if category.registry is not LAYERS:
        yield "", entries
        return
    for _, members in groupby(sorted(entries, key=lambda entry: (entry.family, entry.name)), lambda each: each.family):
        family = list(members)
        yield family_title(family[0]).removesuffix("."), family


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _contents() -> str:
    lines = [
        "# Reference",
        _WRITTEN_BY,
        "Everything that a spec can name. `dlspec layers NAME` shows the same in the terminal. "
        "[Keys of a spec](keys.md) lists the sections; [the language](../language.md) explains them. "
        "[Diagnostics](diagnostics.md) says what each code means, as `dlspec validate --explain CODE` does.\n",
    ]
    for category in categories():
        names = ", ".join(f"[`{e.name}`]({category.plural}.md#{e.name})" for e in category.entries())
        lines.append(f"## [{_title(category)}]({category.plural}.md)\n\n{names}\n")
    return "\n".join(lines)


def _keys() -> str:
    parts = ["# Keys of a spec", _WRITTEN_BY, _LEFT_OUT]
    for path, model in sections():
        about = " ".join((model.__doc__ or "").split())
        written_out = list(_argument_rows(keys_of(model)))
        composed = [[f"`{name}`", type_, "", "none", what] for name, (type_, what) in COMPOSITION.items() if not path]
        examples = "\n".join(f"```yaml\n{example}```\n" for example in SECTION_EXAMPLES[path])
        parts.append(f"## {path or 'the top level'}\n\n{about}\n\n{table(_HEAD, written_out + composed)}\n\n{examples}")
    return "\n".join(parts)


def _diagnostics() -> str:
    parts = [
        "# Diagnostics",
        _WRITTEN_BY,
        f"What each code means. {_LEFT_OUT}",
    ]
    for area, title in AREAS.items():
        of_area = in_area(area)
        parts.append(f"## {title}\n\n{', '.join(f'[`{code}`](#{code})' for code in of_area)}\n")
        parts += [f"### {code}\n\n{text}\n" for code, text in of_area.items()]
    return "\n".join(parts)


def _title(category: Category) -> str:
    return category.plural.replace("_", " ").capitalize()


def _page(category: Category) -> str:
    parts = [f"# {_title(category)}", _WRITTEN_BY]
    common = [each for entry in category.entries()[:1] for each in entry.arguments if each.common]
    if common:
        parts.append(f"Besides its own, every {category.noun} takes these arguments:\n\n{_argument_table(common)}\n")
    for title, members in families(category):
        if title:
            names = ", ".join(f"[`{entry.name}`](#{entry.name})" for entry in members)
            parts.append(f"## {title}\n\n{names}\n")
        parts += [_section(entry, "###" if title else "##") for entry in members]
    if category.left_out:
        rows = ([f"`{name}`", reason] for name, reason in sorted(category.left_out.items()))
        parts.append(f"## What is left out\n\n{table(('name', 'why'), rows)}\n")
    return "\n".join(parts)


def _section(entry: Entry, level: str) -> str:
    parts = [f"{level} {entry.name}", entry.summary, *entry.details]
    if entry.also:
        parts.append(f"Also known as {', '.join(f'`{name}`' for name in entry.also)}; dlspec takes this name.")
    if entry.shapes:
        parts.append("\n".join(f"- {name}: {shape}" for name, shape in entry.shapes.items()))
    own = [argument for argument in entry.arguments if not argument.common]
    if own:
        parts.append(_argument_table(own))
    if entry.examples:
        shown = "\n\n".join(f"```yaml\n{entry.as_yaml(written)}\n```" for written in entry.examples[:2])
        parts.append(shown)
    cost = entry.cost()
    if cost:
        said = f"{cost.input_shape} becomes {cost.output_shape}: {cost.parameters} parameters, {cost.flops} FLOPs"
        parts.append(f"The first example: {said} a sample.")
    return "\n\n".join(parts) + "\n"


def _argument_table(arguments: Iterable[Argument]) -> str:
    return table(_HEAD, _argument_rows(arguments))


def _argument_rows(arguments: Iterable[Argument]) -> Iterator[list[str]]:
    for each in arguments:
        name = f"**`{each.name}`**" if each.primary else f"`{each.name}`"
        yield [name, each.type, each.range, _default(each), each.description]


def _default(argument: Argument) -> str:
    if isinstance(argument.default, dict) and argument.type == "mapping":
        return "see there"
    given = not argument.required and argument.default is not None
    return f"`{argument.shown_default}`" if given else argument.shown_default


def write_pages(folder: Path) -> None:
    """Writes the pages into a folder."""
    for name, text in pages().items():
        write_text(folder / name, text)
