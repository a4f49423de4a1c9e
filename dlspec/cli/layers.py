"""`dlspec layers`: what a spec can name, in a table, or one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dlspec.cli.completion import complete_names
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from dlspec.views.reference.catalogue import Category


@click.command("layers")
@click.argument("name", required=False, shell_complete=complete_names)
@click.option("--kind", metavar="KIND", help="Another kind than layers, such as optimizers; `all` lists the kinds.")
@plugin_option
def command(name: str | None, kind: str | None) -> int:
    """List every layer, or explain one.

    \b
    Example:  dlspec layers
              dlspec layers lstm
              dlspec layers --kind optimizers
              dlspec layers he_normal

    NAME may be of any kind: a layer, an optimizer, a loss, a metric, an initializer, a dataset and so on; a section
    of a spec, such as data or train; or what you look for, such as transformer, resnet or lookback.
    """
    from dlspec.cli.console import Console
    from dlspec.cli.reference import entry_page, kind_table, meaning_page, name_tables, section_page
    from dlspec.spec.meanings import meaning_of

    console = Console(highlight=False)
    if name is None and kind == "all":
        console.print(kind_table())
        return 0
    category = _category(kind) if kind else None
    if name is None:
        for renderable in name_tables(category or _category("layers")):
            console.print(renderable)
        return 0
    page = section_page(name, console.width) if category is None and not _is_kind(name) else None
    if page is None and category is None and not _is_kind(name) and meaning_of(name):
        page = meaning_page(name)
    for renderable in page or entry_page(*_find(name, category), console.width):
        console.print(renderable)
    return 0


def _category(kind: str) -> Category:
    from dlspec.language.words import did_you_mean
    from dlspec.views.reference.catalogue import categories, category

    found = category(kind)
    if found is None:
        kinds = [each.plural for each in categories()]
        near = did_you_mean(kind, kinds, otherwise=f"kinds are {', '.join(kinds)}")
        raise click.BadParameter(f"there is no kind `{kind}`; {near}", param_hint="--kind")
    return found


def _is_kind(name: str) -> bool:
    from dlspec.views.reference.catalogue import categories

    return any(category.entry(name) for category in categories())


def _section_of(name: str) -> tuple[str, str] | None:
    """The section of a spec that has a key of this name, or of one that another tool calls so, and the key."""
    from dlspec.language.words import same
    from dlspec.model.layers import LAYERS
    from dlspec.views.reference.catalogue import sections

    places = {at: model.keys() for at, model in sections() if at}
    places |= {layer: LAYERS[layer].keys() for layer in ("dense", "conv2d", "lstm", "dropout", "embedding")}
    return next(((at, key) for at, keys in places.items() if (key := same(name, keys))), None)


def _find(name: str, only: Category | None) -> tuple[Category, str]:
    """The kind that has the name, layers before others."""
    from dlspec.views.reference.catalogue import categories

    searched = [only] if only else categories()
    found = next((category for category in searched if category.entry(name)), None)
    if found is not None:
        return found, name
    hint = "NAME"
    for category in searched:
        if name in category.left_out:
            raise click.BadParameter(
                f"there is no {category.noun} `{name}`: {category.left_out[name]}", param_hint=hint
            )
    near = [(category, category.meant_by(name)) for category in searched]
    meant = next(((category, word) for category, word in near if word), None)
    noun = only.noun if only else "name"
    help = f"; did you mean the {meant[0].noun} `{meant[1]}`?" if meant else ""
    place = None if only else _section_of(name)
    if place:
        help = f"; `{place[1]}` is a key of `{place[0]}`: `dlspec layers {place[0]}`"
    raise click.BadParameter(f"there is no {noun} `{name}`{help}", param_hint=hint)
