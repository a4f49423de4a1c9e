"""`require`: ends with an exit code of its own where the network falls short of what the spec requires."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.ejection.python import literal, quoted
from dlspec.ejection.script import Script, lines_of
from dlspec.ejection.subject import Subject
from dlspec.evaluation.metrics import METRICS, judged_by
from dlspec.evaluation.require import ALL, BEATS, Limit


def write_require(script: Script, subject: Subject, metrics: Sequence[str], baselines: Sequence[str]) -> None:
    """
    Args:
        metrics, baselines: which the script computes.
    """
    wanted = {}
    for what, asked in (subject.spec.evaluate.require or {}).items():
        found = _beats(script, subject, asked, metrics, baselines) if what == BEATS else _reaches(script, what, asked)
        if found is not None and (what == BEATS or what in metrics):
            wanted[found[0]] = found[1]
    if not wanted:
        return
    line = subject.line("evaluate", "require")
    of = f" ({line} of the spec)" if line else ""
    others = any("others" in test for test in wanted.values())
    end_if_short = script.use("requirements", "end_if_short", "evaluate")
    script.define(
        "evaluate",
        lines_of(
            "def require(scores):",
            f'    """Ends with exit code 6 where the network falls short of what is required{of}."""',
            '    network = scores["network"]',
            ['    others = [found for who, found in scores.items() if who != "network"]'] if others else [],
            f"    {end_if_short}(",
            "        {",
            [f"            {quoted(said)}: {test}," for said, test in wanted.items()],
            "        }",
            "    )",
        ),
    )


def _reaches(script: Script, what: str, asked: float | Limit) -> tuple[str, str]:
    metric = METRICS[what]
    limit, lower = asked.value if isinstance(asked, Limit) else asked, metric.better == "lower"
    if isinstance(asked, Limit) and asked.interval:
        script.leave_out(
            f"`require` asks for the worse end of the interval of `{what}`; the script computes no intervals, and "
            "compares the value itself."
        )
    said = f"{metric.label} of at {'most' if lower else 'least'} {metric.show(limit)}"
    return said, f"network[{literal(what)}] {'<=' if lower else '>='} {literal(limit)}"


def _beats(
    script: Script, subject: Subject, asked: str, metrics: Sequence[str], baselines: Sequence[str]
) -> tuple[str, str] | None:
    if not metrics or not baselines or (asked != ALL and asked not in baselines):
        script.leave_out(f"`require` asks to beat `{asked}`, which the script does not compute.")
        return None
    name = judged_by(subject.target.kind, metrics)
    metric = METRICS[name]
    script.leave_out(
        f"`require` asks to beat `{asked}` by more than could be due to chance; the script asks for a better "
        f"{metric.label}."
    )
    sign, best = ("<", "min") if metric.better == "lower" else (">", "max")
    key = literal(name)
    if asked == ALL:
        said = f"a better {metric.label} than the best baseline"
        return said, f"network[{key}] {sign} {best}(found[{key}] for found in others)"
    return f"a better {metric.label} than `{asked}`", f"network[{key}] {sign} scores[{literal(asked)}][{key}]"
