"""What a network puts out, as named values; see `outputs` of `signature.json`.

The file stands for itself: it needs Python 3.10 and NumPy, and comes along with what dlspec exports.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def named(target: dict, outputs: np.ndarray) -> list[dict[str, Any]]:
    """Of each row what is predicted, by name.

    Args:
        target: `outputs` of `signature.json`.
        outputs: (rows, ...), in the target's own units, or probabilities.

    Returns:
        Numbers by their names. Of classes the name of the likeliest, and `probabilities` of all of them; of labels each
        column, and the probability of each. Where the input is given back, or a layer's output is asked for, `values`.
        What is not finite is None.
    """
    kind = target["kind"]
    if kind == "class":
        shares = np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        return [_of_class(target, row) for row in shares]
    if kind == "labels":
        return [_of_labels(target, row) for row in outputs]
    if kind == "number":
        return [dict(zip(target["values"], _plain(row), strict=True)) for row in outputs.reshape(len(outputs), -1)]
    return [{"values": _plain(row)} for row in outputs]


def _of_class(target: dict, shares: np.ndarray) -> dict[str, Any]:
    known = bool(np.isfinite(shares).all())
    label = target["classes"][int(shares.argmax())] if known else None
    return {target["name"]: label, "probabilities": dict(zip(target["classes"], _plain(shares), strict=True))}


def _of_labels(target: dict, shares: np.ndarray) -> dict[str, Any]:
    known, there = bool(np.isfinite(shares).all()), shares > 0.5
    labels = target["labels"]
    if target["separator"] is not None:
        joint = target["separator"] + " " * (target["separator"] in ",;")
        tags = joint.join(label["name"] for label, is_there in zip(labels, there, strict=True) if is_there)
        found: dict[str, Any] = {target["name"]: tags if known else None}
    else:
        found = {
            label["column"]: (label["word"] if is_there else label["other"]) if known else None
            for label, is_there in zip(labels, there, strict=True)
        }
    return {**found, "probabilities": dict(zip([label["name"] for label in labels], _plain(shares), strict=True))}


def _plain(values: np.ndarray) -> list[Any]:
    """As lists of Python's own numbers, None for what is not finite."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [
        value if finite else None for value, finite in zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
    ]
