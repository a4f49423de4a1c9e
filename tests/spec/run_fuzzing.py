"""Trains mutants of small specs for an epoch: `python -m tests.spec.run_fuzzing 100`.

Values, keys and layers are changed and put in from other specs, as in `fuzzing`; what is free of errors and small is
run. It ends in success, the saved model being that which was measured, or in diagnostics; and no other library warns.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

import dlspec
from dlspec.api import examine
from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.language.yaml import read_text
from dlspec.spec.spec import Spec
from tests.conftest import TINY
from tests.data.table_fuzzing import code_of
from tests.spec.fuzzing import other_structure

SMALL = {"train.epochs": 1}
MOST_OPERATIONS = 2 * 10**9
TEXTS = [text for name, text in TINY.items() if name != "table"]  # which needs a file


def trained(spec: Spec, folder: Path) -> str:
    """What became of a run: `trained`, or the code of its first diagnostic."""
    try:
        run = dlspec.run(spec, out=folder)
        assert run.metrics.saved_model is not None, "the saved model was not checked"
    except DiagnosticError as error:
        return code_of(error)
    return "trained"


def small(spec: Spec) -> bool:
    plan = dlspec.plan(spec)
    if not spec.has("data") or spec.data.dataset is None or plan.samples is None:
        return False
    return (plan.graph.flops or MOST_OPERATIONS) * plan.samples.labelled < MOST_OPERATIONS


def main(count: int) -> int:
    ended: Counter[str] = Counter()
    wrong: list[str] = []
    plain = [read_text(text).root.plain() for text in TEXTS]
    seen: set[bytes] = set()

    with tempfile.TemporaryDirectory() as home:

        @settings(
            max_examples=200 * count, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(other_structure(st.sampled_from(plain)))
        def mutate(data: bytes) -> None:
            if ended.total() >= count or data in seen:
                return
            seen.add(data)
            checked = examine(data.decode(), SMALL)
            if checked.errors or not small(checked.spec):
                return
            file = Path(home) / str(ended.total())
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    ended[trained(checked.spec, file)] += 1
                except Exception as error:
                    ended["wrong"] += 1
                    at = traceback.extract_tb(error.__traceback__)[-1]
                    said = f"{type(error).__name__}: {str(error)[:300]} ({at.filename}:{at.lineno})"
                    wrong.append(f"{said}\n{data.decode()}")
            quiet: Any = DeprecationWarning | PendingDeprecationWarning | ResourceWarning
            wrong.extend(
                f"warns of {str(warning.message)[:300]}\n{data.decode()}"
                for warning in warned
                if not issubclass(warning.category, quiet)
            )

        mutate()
    print("\n".join(wrong))
    print(f"{ended.total()} runs: {', '.join(f'{number} {name}' for name, number in ended.most_common())}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
