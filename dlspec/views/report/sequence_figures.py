"""Texts that were written, beside what is true, and how many are right by their length."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dlspec.runs.written_texts import text_of
from dlspec.views.report.aligned_figures import timestep_figures
from dlspec.views.report.figures import NETWORK, baseline_color, in_style, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

Array = np.ndarray
PREFIX = "sequence:by_length:"


def sequence_figures(run: Run) -> list[Shown]:
    """What was written of some samples, and how often it is right."""
    pictures, target = run.pictures, run.data.target
    assert target.written is not None, "texts are written"
    by_length = {name.removeprefix(PREFIX): each for name, each in pictures.items() if name.startswith(PREFIX)}
    shown = timestep_figures(run)
    if not target.aligned:
        shown.append(
            Shown(
                _table(run, "written"),
                "What it wrote",
                f"Some of {run.judged_on}: first those that are written otherwise than they are, then some that are "
                "right. The network saw what stands on the left, and what it had written before.",
            )
        )
    elif pictures["sequence:seen"].size:
        shown.append(
            Shown(
                _table(run, "read"),
                "What it read",
                f"Some of {run.judged_on}: first those that are read otherwise than they are, then some that are "
                "right.",
            )
        )
    end = "none more" if target.aligned else "the end"
    if len(pictures["sequence:lengths"]) > 1:
        shown.append(
            Shown(
                right_by_length(
                    pictures["sequence:lengths"],
                    pictures["sequence:counts"],
                    by_length,
                    f"{target.written.unit} of the true text",
                ),
                "How many are right, by length",
                f"Every one of the {target.written.unit} must be right, and {end}. Below each length stands how many "
                f"texts of {run.judged_on} have it.",
            )
        )
    return shown


@in_style
def right_by_length(lengths: Array, counts: Array, shares: Mapping[str, Array], label: str) -> str:
    """The share of texts that are right by how many items they have, bars for each that guesses."""
    figure, axes = styled(10, 2.8)
    axis, width = axes[0, 0], 0.8 / len(shares)
    for place, (name, values) in enumerate(shares.items()):
        color = NETWORK if name == "network" else baseline_color(place - 1)
        left = np.arange(len(lengths)) + (place - (len(shares) - 1) / 2) * width
        axis.bar(left, 100 * values, width, color=color, label=name)
    named = [f"{length}\n({count:,})" for length, count in zip(lengths, counts, strict=True)]
    axis.set_xticks(np.arange(len(lengths)), named)
    axis.set_xlabel(label)
    axis.set_ylabel("exact match in %")
    axis.set_ylim(0, 125)
    axis.set_yticks(range(0, 101, 20))
    axis.legend(loc="upper right", ncols=len(shares))
    return to_svg(figure, "right_by_length")


def _table(run: Run, done: str) -> str:
    pictures, target = run.pictures, run.data.target
    heads = [*pictures["sequence:seen"].tolist(), f"{target.name}", done, ""]
    rows = zip(
        pictures["sequence:inputs"],
        pictures["sequence:truth"],
        pictures["sequence:written"],
        pictures["sequence:right"],
        strict=True,
    )
    found: dict[bool, list[str]] = {False: [], True: []}
    for inputs, truth, written, right in rows:
        cells = [*map(str, inputs), text_of(truth, target), text_of(written, target)]
        mark = "right" if right else "wrong"
        tds = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        sign = "\u2713" if right else "\u2717"
        found[bool(right)].append(f'<tr class="{mark}">{tds}<td>{sign}</td></tr>')
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    tables = [
        f'<table class="texts"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
        for body in found.values()
        if body
    ]
    return f'<div class="writings">{"".join(tables)}</div>'
