"""Trackers that runs are logged to."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.runtime.packages import install_missing
from dlspec.spec.checks.base import Checked, rule


@rule
def trackers_are_there(checked: Checked) -> Iterator[Diagnostic]:
    """A tracker is listed once; one that is not installed is told, and a run goes on without it."""
    spec = checked.spec
    trackers = (spec.runtime.track if spec.has("runtime") else None) or []
    names = [tracker.type_name for tracker in trackers]
    for i, tracker in enumerate(trackers):
        name, span = tracker.type_name, spec.span("runtime", "track", i)
        if name in names[:i]:
            yield Diagnostic("repeated-name", f"`{name}` is listed twice", span, help="remove it")
        cure = install_missing(*tracker.modules)
        if cure is not None:
            message = f"`{name}` is not installed; a run is trained all the same, and not logged there"
            yield Diagnostic("missing-package", message, span, Severity.NOTE, help=f"type `{cure}`")
