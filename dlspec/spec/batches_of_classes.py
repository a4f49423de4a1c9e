"""Whether batches of the training part have triplets: two samples of one class, and one of another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.data.preparation import Prepared, generator
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.spec.spec import Spec
from dlspec.training.losses.pairs import Comparing, Contrastive, Triplet
from dlspec.training.plan import FINE_TUNE

Array = np.ndarray
FEW = 0.1
"""A warning tells of batches without a triplet where they are more than this share."""


def check_batches(spec: Spec, data: Prepared) -> Iterator[Diagnostic]:
    """What is wrong with the classes of the training part, where samples are compared by them."""
    loss = spec.train.loss
    if not isinstance(loss, Comparing) or not len(data.train):
        return
    truth, classes = np.asarray(data.train.truth), data.signature.target.classes
    counts, span = np.bincount(truth, minlength=len(classes)), spec.span(*spec.place_of_loss)
    if (counts > 0).sum() < 2:
        only = classes[int(counts.argmax())]
        yield Diagnostic(
            "few-triplets" if isinstance(loss, Triplet) else "one-class",
            f"all {len(truth):,} samples of the training part are `{only}`, and `{loss.type_name}` compares classes",
            span,
            help="write `split: {by: random}` under `data`, or add samples of another class",
        )
        return
    if isinstance(loss, Contrastive):
        return
    if counts.max() < 2:
        yield Diagnostic(
            "few-triplets",
            f"no class of `{data.signature.target.name}` has two samples in the training part, and a triplet takes two",
            span,
            help="take rare classes together, or add samples",
        )
        return
    size = spec.train.batch_size
    place = spec.span("train", "batch_size") if spec.is_written("train", "batch_size") else span
    for part, purpose, why in (
        (data.train, f"{FINE_TUNE}/1", "and teach nothing"),
        (data.validation, "validation", "and count as 0 in `val_loss`"),
    ):
        own = np.asarray(part.truth)
        order = generator(spec.seed, purpose).permutation(len(own))
        without = [not has_triplet(own[order[i : i + size]]) for i in range(0, len(own), size)]
        if without and np.mean(without) > FEW:
            which = "training" if part is data.train else "validation"
            yield Diagnostic(
                "few-triplets",
                f"{sum(without):,} of {len(without):,} batches of the {which} part have no two samples of a class "
                f"beside one of another, {why}",
                place,
                Severity.WARNING,
                help="write a larger `batch_size`" if len(without) > 1 else "make the part larger",
                notes=_alone(counts) if part is data.train else (),
            )


def _alone(counts: Array) -> tuple[str, ...]:
    """How many classes have a single sample."""
    alone = int((counts == 1).sum())
    return (f"of {alone:,} classes the training part has a single sample",) if alone else ()


def has_triplet(truth: Array) -> bool:
    """Whether two of some samples are of one class, and one is of another."""
    found = np.unique(truth, return_counts=True)[1]
    return len(found) > 1 and bool(found.max() > 1)
