"""Does a timestep see later ones? Shown of the graph before training, and of the trained network after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.data.preparation.places import steps_ahead
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError, SavedModelError
from dlspec.model.causality import looks_ahead
from dlspec.runs.records.metrics import PastAlone
from dlspec.training.masked import mask_of
from dlspec.training.values import predict

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.model.graph import Graph
    from dlspec.spec.spec import Spec

Array = np.ndarray
SAMPLES, CUTS = 16, 8
"""Samples that are changed, and the timesteps behind which they are."""
ALLOWED, ALLOWED_MIXED = 1e-5, 2e-2
"""How far earlier outputs may move, as a share of their spread: a network computes the same values again."""


def answers_lie_ahead(data: Prepared) -> int:
    """How many timesteps later that is seen which is predicted at a timestep: the horizon, or by so many `y` is `x`
    moved; 0: the answers do not stand in what is seen."""
    target, window = data.signature.target, data.signature.window
    if not target.places or target.aligned:
        return 0
    if target.tokens or target.written:
        return 1
    if window is not None:
        return window.horizon
    seen = data.columns.get(data.signature.features[0].name)
    own = data.columns.get(target.name)
    return 0 if seen is None or own is None else steps_ahead(seen, own)


def check_graph(spec: Spec, graph: Graph, data: Prepared) -> None:
    """Raises DataError where arrays are shifted inputs, and a layer lets a timestep see later ones."""
    target = data.signature.target
    if data.signature.window is not None or target.tokens or target.written:  # of which `validate` says it
        return
    steps = answers_lie_ahead(data)
    if not steps:
        return
    layer = looks_ahead(graph)
    if layer is not None:
        x, y = data.signature.features[0].name, data.signature.target.name
        problem = Diagnostic(
            "sees-the-answer",
            f"`{y}` at each timestep stands in `{x}` {steps} timestep{'s' * (steps > 1)} later, which a timestep "
            f"sees by `{layer.name}`",
            spec.key_span(*layer.path, layer.type_name),
            help=layer.layer.cure_of_sight(),
        )
        raise DataError([problem], spec.document.texts)


def check_past(spec: Spec, data: Prepared, network: Any) -> PastAlone | None:
    """Changes later timesteps of some test samples, and compares what comes out at earlier ones, but for those that are
    masked, which do not count; None where a timestep may see all.

    Args:
        network: as it was trained.
    """
    if not answers_lie_ahead(data):
        return None
    given = np.asarray(data.test.inputs[:SAMPLES])
    fed = data.signature.target.places[0] if data.signature.target.written else given.shape[1]
    ahead = given.shape[1] - fed  # what is written from may be seen by all
    timesteps, before = fed, predict(network, given)
    spread = max(float(before.std()), 1e-12)
    mask = mask_of(network, given)
    counts = np.ones(before.shape[:2], bool)
    if mask is not None:
        counts = np.asarray(mask.reshape(len(mask), timesteps, -1).any(axis=-1))
    largest, place = 0.0, 0
    other = np.roll(given, 1, axis=0)
    other[:, ahead:] = other[:, ahead:][:, ::-1]  # of whole numbers, which may be words, some that there are
    shown = given[:, ahead:]
    other = other + 1 if given.dtype.kind == "f" and (shown % 1 != 0).any() else other
    for last in np.unique(np.linspace(0, timesteps - 2, CUTS).astype(int)) if timesteps > 1 else ():
        changed = given.copy()
        changed[:, ahead + last + 1 :] = other[:, ahead + last + 1 :]
        moved = np.abs(predict(network, changed) - before)[:, : last + 1][counts[:, : last + 1]]
        apart = moved.max(initial=0.0) / spread
        if not apart <= largest:
            largest, place = float(apart), int(last)
    allowed = ALLOWED if spec.runtime.precision == "float32" else ALLOWED_MIXED
    return PastAlone(samples=len(given), allowed=allowed, difference=largest, timestep=place)


def refuse_seer(found: PastAlone | None) -> None:
    """Raises SavedModelError where outputs changed with timesteps that come later."""
    if found is not None and not found.holds:
        raise SavedModelError.of(
            "sees-the-answer",
            f"the trained network sees later timesteps: when these change, what it says up to timestep "
            f"{found.timestep + 1} changes by {found.difference:.1g} of its spread, and the answers stand there",
            help="do not trust the figures; the run is kept. This is a bug in dlspec or in a plugin, please report it",
        )
