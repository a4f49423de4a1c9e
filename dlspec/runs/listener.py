"""What a run tells those who watch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlspec.data.preparation import Prepared
from dlspec.language.diagnostics import Diagnostic
from dlspec.spec.spec import Spec
from dlspec.training.plan import Plan
from dlspec.training.progress import StageListener


class Listener(StageListener):
    """Is told what happens in a run; every method does nothing unless overridden."""

    def warns(self, warnings: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
        """What is odd about the data; `texts` are those of the spec, for places in it."""

    def begins(self, spec: Spec, plan: Plan, data: Prepared) -> None:
        """The data are ready; the backend is loaded next, which takes seconds."""

    def ready(self, device: str) -> None:
        """The backend is loaded; `device` says in words what it runs on."""
