"""The reference as the terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dlspec.spec.meanings import meaning_of
from dlspec.spec.spec import COMPOSITION
from dlspec.views.reference.catalogue import Argument, Category, Entry, categories, keys_of, sections
from dlspec.views.reference.pages import families
from dlspec.views.reference.section_examples import SECTION_EXAMPLES


def kind_table() -> RenderableType:
    """Every sort of thing that a spec can name."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("kind", no_wrap=True)
    table.add_column("how many", justify="right")
    table.add_column("for example")
    for category in categories():
        entries = category.entries()
        table.add_row(category.plural, str(len(entries)), Text(", ".join(entry.name for entry in entries[:4])))
    return table


def name_tables(category: Category) -> Iterator[RenderableType]:
    """Every name of a kind with a line each, by family."""
    width = max((len(entry.name) for entry in category.entries()), default=0)
    for title, members in families(category):
        if title:
            yield Text(title, style="bold")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, min_width=min(width, 30))
        table.add_column(ratio=1)
        for entry in members:
            table.add_row(Text(entry.name, style="cyan"), _code(entry.summary.partition(". ")[0].rstrip(".")))
        yield table
        yield Text("")
    yield Text(f"{len(category.entries())} in all; `dlspec layers NAME` explains one", style="dim")


def entry_page(category: Category, name: str, width: int) -> Iterator[RenderableType]:
    """All there is to say about one name, for a terminal of so many columns."""
    entry = category.entry(name)
    assert entry is not None, "the caller has looked"
    yield Text.assemble((entry.name, "bold"), (f"  {category.noun}", "dim"))
    for paragraph in (entry.summary, *entry.details):
        yield _code(paragraph)
    if entry.also:
        yield _code(f"Also known as {', '.join(f'`{each}`' for each in entry.also)}.")
    if entry.shapes:
        yield Text("")
        for what, shape in entry.shapes.items():
            yield _code(f"{what}: {shape}")
    if entry.short_form:
        yield Text("")
        yield Text(f"Short form: {entry.short_form}")
    if entry.arguments:
        yield Text("")
        yield _arguments(entry.arguments, narrow=width < 110)
    yield from _example(entry)
    for other in categories():
        if other is not category and other.entry(name):
            hint = f"There is also the {other.noun} `{name}`: `dlspec layers {name} --kind {other.plural}`."
            yield Padding(_code(hint), (1, 0, 0, 0))


def section_page(name: str, width: int) -> list[RenderableType] | None:
    """The keys of a section of the spec, `data` or `data.window`; None: there is no such section."""
    if name in COMPOSITION:
        form, what = COMPOSITION[name]
        keys: list[RenderableType] = [_code(f"{form}: {what}."), Text("")]
        path = ""
    else:
        found = next(((at, model) for at, model in sections() if at and name in (at, at.split(".")[-1])), None)
        if found is None:
            return None
        path, model = found
        keys = [_code(" ".join((model.__doc__ or "").split())), _arguments(keys_of(model), narrow=width < 110)]
    shown = [Padding(Text(example, style="green"), (1, 0, 0, 2)) for example in SECTION_EXAMPLES[path]]
    return [Text.assemble((name, "bold"), ("  key of a spec", "dim")), *keys, Text("For example"), *shown]


def meaning_page(name: str) -> list[RenderableType]:
    """What to write for an idea that has no word of its own in a spec."""
    meaning = meaning_of(name)
    assert meaning is not None, "the caller has looked"
    shown = [Padding(Text(f"dlspec: 1\n{meaning.spec.rstrip()}", style="green"), (1, 0, 0, 2))] if meaning.spec else []
    return [Text(name, style="bold"), _code(meaning.text), *shown]


def _arguments(arguments: tuple[Argument, ...], *, narrow: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("argument", "type and range", "default", "what it means"):
        table.add_column(heading, overflow="fold")
    table.columns[0].no_wrap = True
    if narrow:  # else the names of initializers leave no room for what an argument means
        table.columns[1].max_width, table.columns[2].max_width = 18, 15
    for each in arguments:
        takes = ", ".join(part for part in (each.type, each.range) if part)
        table.add_row(
            Text(each.name, style="bold cyan" if each.required else "cyan"),
            _code(takes),
            Text(each.shown_default, style="bold" if each.required else ""),
            _code(each.description),
        )
    return table


def _example(entry: Entry) -> Iterator[RenderableType]:
    if not entry.examples:
        return
    yield Text("For example")
    for written in entry.examples[:2]:
        yield Padding(Text(entry.as_yaml(written), style="green"), (1, 0, 0, 2))
    cost = entry.cost()
    if cost:
        said = f"{cost.input_shape} becomes {cost.output_shape}: {cost.parameters} parameters, {cost.flops} FLOPs"
        yield Padding(Text(f"The first one: {said} a sample."), (1, 0, 0, 0))


def _code(text: str) -> Text:
    """Text whose `code` is set apart; brackets stay as they are."""
    parts = text.split("`")
    styled = Text()
    for number, part in enumerate(parts):
        styled.append(part, style="cyan" if number % 2 else "")
    return styled
