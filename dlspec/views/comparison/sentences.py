"""What a comparison says in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.evaluation.metrics import show_number

if TYPE_CHECKING:
    from dlspec.evaluation.mcnemar import McNemar
    from dlspec.runs.paired import Paired
    from dlspec.runs.side_by_side import SideBySide

LEVEL = 0.05
SURROUNDINGS = {
    "versions of libraries": {"dlspec", "python", "tensorflow", "jax", "keras", "numpy", "pandas", "scikit-learn"},
    "backend": {"backend"},
    "device": {"device", "processor", "instructions"},
    "threads": {"cpu_cores", "usable_cpus", "intra_op_threads", "inter_op_threads"},
}
"""What is said to be the same -> the names in `environment.json` of what that is."""


def sentences(found: SideBySide) -> list[str]:
    """Which run is better than the first one, and what that rests on; what cannot be told, and why."""
    said = [] if found.same_data else ["The runs are of different data: their figures cannot be compared."]
    first = found.names[0]
    for name, pair in zip(found.names[1:], found.pairs, strict=True):
        said += _of_pair(first, name, pair)
    same = _same(found)
    if same:
        said.append(f"The same in all: {', '.join(same)}.")
    tested = sum(pair.p is not None for pair in found.pairs)
    if tested > 1:
        said.append(
            f"{tested} runs are compared with `{first}`, and each p is of one comparison. To hold for all of them, it "
            f"is to be below {LEVEL / tested:.2g}, which is {LEVEL:g} by {tested} (Bonferroni, 1936)."
        )
    if any(run.metrics.folds is not None for run in found.runs):
        said.append(
            "Figures and tests are of the fold whose network is kept; figures over all folds stand beside them."
        )
    return said


def _same(found: SideBySide) -> list[str]:
    keys, differ = {own.name for own in found.keys}, {own.name for own in found.surroundings}
    return [
        what
        for what, holds in (
            ("data", found.same_data),
            ("test rows", all(pair.samples for pair in found.pairs)),
            ("spec", not keys),
            ("seed", bool(keys) and "seed" not in keys),
            *((what, not differ & names) for what, names in SURROUNDINGS.items()),
        )
        if holds
    ]


def _of_pair(first: str, name: str, pair: Paired) -> list[str]:
    if pair.verdict is None:
        return [f"No test of `{name}` against `{first}`: {pair.why_not}."]
    found = [pair.verdict.sentence, _gain(name, pair)]
    if pair.mcnemar is not None:
        found.append(_of_mcnemar(first, name, pair.mcnemar))
    elif pair.verdict.gain_of == "accuracy":
        found.append(f"{pair.why_no_mcnemar}.")
    return found


def _gain(name: str, pair: Paired) -> str:
    verdict = pair.verdict
    assert verdict is not None, "without a verdict there is no gain"
    assert verdict.gain is not None, "runs that were paired have a gain"
    share = verdict.gain_of == "accuracy"

    def show(value: float) -> str:
        return f"{100 * value:.1f}" if share else show_number(value)

    unit = " percentage points" if share else ""
    more = (verdict.gain > 0) == share  # less of an error is a gain
    size = f"{show(abs(verdict.gain))}{unit} {'more' if more else 'less'}" if verdict.gain else "the same"
    head = f"On {pair.samples:,} test rows `{name}` has {size} {verdict.gain_of} on average"
    if verdict.gain_interval is None:
        return f"{head}; an interval cannot be told."
    low, high = verdict.gain_interval
    return f"{head}; its gain lies between {show(low)} and {show(high)}{unit} with 95% confidence ({show_p(pair.p)})."


def _of_mcnemar(first: str, name: str, found: McNemar) -> str:
    how = "by the binomial distribution" if found.exact else "by chi squared"
    return (
        f"`{first}` alone is right on {found.first:,} of them and `{name}` alone on {found.second:,}: McNemar's test "
        f"{how}, {show_p(found.p)}."
    )


def show_p(p: float | None) -> str:
    """`p = 0.034`, `p < 0.0001`."""
    if p is None:
        return "p cannot be told"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
