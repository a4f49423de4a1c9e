"""Single samples: split at random or in their order, then scaled."""

from __future__ import annotations

import numpy as np

from dlspec.datasets import Columns
from dlspec.preparation.columns import classes_of, data_error, fingerprint, numbers_of
from dlspec.preparation.drawing import draw_evenly, draw_some, generator, stratified_order
from dlspec.preparation.held_out import without_held_out
from dlspec.preparation.parts import Part, Prepared, Preprocessing, fit_affine, flattened
from dlspec.signature import Signature
from dlspec.spec import Spec

Array = np.ndarray


def prepare_samples(spec: Spec, signature: Signature, columns: Columns, unlabeled: Columns | None) -> Prepared:
    """Splits and scales single samples."""
    target = signature.target
    raw = _stacked(spec, signature, columns)
    classes = truth = None
    if target.kind == "class":
        classes = truth = classes_of(spec, signature, columns)
    elif target.kind == "number":
        truth = numbers_of(spec, target.name, columns)
    train, validation, test = _split(spec, signature, classes, len(raw))
    if spec.data.limit:
        train = draw_some(generator(spec.seed, "limit"), classes, train, spec.data.limit)
    labelled = train
    if spec.data.labels is not None:
        count = _label_count(spec, signature, len(train))
        labelled = draw_some(generator(spec.seed, "labels"), classes, train, count)
    hidden = np.setdiff1d(train, labelled)

    fitted = raw[train]
    scale = fit_affine(fitted.reshape(-1, 1) if signature.features[0].shape else fitted, spec.data.scale)
    target_scale = None
    if target.kind == "number":
        assert truth is not None, "a number was read"
        target_scale = fit_affine(truth[labelled][:, None], spec.data.scale)
    preprocessing = Preprocessing(scale, target_scale, "level", tuple(c.name for c in signature.features))

    def part(rows: Array) -> Part:
        rows = np.sort(rows)
        inputs = preprocessing.network_inputs(raw[rows])
        if truth is None:
            flat = flattened(inputs)
            return Part(inputs, flat, raw[rows], flat, rows)
        targets = truth[rows]
        if target_scale is not None:
            targets = target_scale(targets[:, None]).astype("float32")
        elif target.units == 1:
            targets = targets[:, None].astype("float32")
        return Part(inputs, targets, raw[rows], truth[rows], rows)

    parts = [part(rows) for rows in (labelled, validation, test)]
    more = preprocessing.network_inputs(raw[hidden])
    left_out = 0
    if unlabeled is not None:
        found = preprocessing.network_inputs(_stacked(spec, signature, unlabeled, "unlabeled"))
        kept = without_held_out(found, [part.inputs for part in parts[1:]])
        left_out = len(found) - len(kept)
        more = np.concatenate([more, kept])
    return Prepared(
        signature, preprocessing, parts[0], parts[1], parts[2], columns, fingerprint(columns), more, left_out
    )


def _stacked(spec: Spec, signature: Signature, columns: Columns, source: str | None = None) -> Array:
    """Features side by side, (samples, features), or the one that is an array for each sample."""
    values = [numbers_of(spec, column.name, columns, source) for column in signature.features]
    return values[0] if signature.features[0].shape else np.stack(values, axis=1)


def _split(spec: Spec, signature: Signature, classes: Array | None, count: int) -> tuple[Array, Array, Array]:
    """Rows of the training, validation and test part."""
    split, given = spec.data.split, signature.test_rows
    sizes = split.sizes(count, given)
    if min(sizes[0], sizes[2]) < 1 or (split.validation and not sizes[1]):
        asked = f"{split.validation:g}" if given else f"{split.validation:g} and {split.test:g}"
        raise data_error(spec, "too-few-rows", f"{count} rows are too few for a split of {asked}", "split")
    if split.by == "order":
        train, validation, test = np.split(np.arange(count), np.cumsum(sizes[:2]))
        return train, validation, test
    drawn = None if classes is None else classes[: count - given]
    rest, test = stratified_order(generator(spec.seed, "split"), drawn, count - given), np.arange(count - given, count)
    in_validation, in_test = split.amounts(count, given)
    if not given:
        taken = draw_evenly(rest, in_test / count)
        rest, test = rest[~taken], rest[taken]
    taken = draw_evenly(rest, in_validation / (count - in_test))
    return rest[~taken], rest[taken], test


def _label_count(spec: Spec, signature: Signature, available: int) -> int:
    asked = spec.data.labels
    count = round(asked * available) if isinstance(asked, float) else int(asked or 0)
    classes = len(signature.target.classes)
    if count > available or count < max(1, classes):
        few = f"there are {classes} classes" if classes else "one is the least"
        reason = f"the training part has {available}" if count > available else few
        raise data_error(spec, "labels-out-of-range", f"`labels` asks for {count}, and {reason}", "labels")
    return count
