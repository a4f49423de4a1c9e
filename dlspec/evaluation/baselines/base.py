"""What a baseline declares: which tasks it can guess, and how."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from dlspec.language.registry import Kind, OneOf, Registry

if TYPE_CHECKING:
    from dlspec.data.forms import Form
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import Fitted

MOST_VALUES = 10**8
"""Values of the training part that a baseline is fitted to at most, of samples drawn evenly."""


SMALL = 10**7
"""With fewer values than this, threads that wait for each other take longer than one alone, up to 20 times."""


def threads_for(values: int) -> AbstractContextManager[Any]:
    """Limits linear algebra to one thread where the work is small."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if values < SMALL else None, "blas")


class Baseline(Kind):
    """Base of the simplest guesses."""

    tasks: ClassVar[frozenset[str]]
    """Of `series`, `number`, `class` and `reconstruction`: what it can guess."""
    forms: ClassVar[frozenset[Form]] = frozenset({"value", "quantiles"})
    """Of numbers that a network gives by one value, by quantiles or by a mixture, those beside which it can be. A guess
    of one value counts as all quantiles; beside a mixture it is a mixture too."""
    in_words: ClassVar[str]
    """What it does, as a clause for tables and the report: `tomorrow equals today`."""

    @abstractmethod
    def fit(self, data: Prepared) -> Fitted:
        """What it learns from the training part alone."""


BASELINES: Registry[Baseline] = Registry(
    "baseline", "dlspec.evaluation.baselines", later=("seasonal", "svm", "gaussian_process", "nearest_neighbor")
)
AnyBaseline = Annotated[Baseline, OneOf(BASELINES)]
