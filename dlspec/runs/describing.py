"""What a run folder says of its spec, its data and the machine, and how that is read again."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec._version import __version__
from dlspec.signature import PARTS_IN_FILES, source_of, unlabeled_source
from dlspec.source import to_yaml
from dlspec.sources.rows import RowsFiles
from dlspec.spec import Spec
from dlspec.weights import find_source

if TYPE_CHECKING:
    import numpy as np

    from dlspec.preparation import Prepared
    from dlspec.signature import Signature


def portable(spec: Spec, folder: Path) -> dict[str, Any]:
    """The resolved spec as plain values, data files relative to the run folder; what is not set is left out."""

    def without_nothing(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: without_nothing(value) for key, value in values.items() if value is not None}
        return [without_nothing(v) for v in values] if isinstance(values, list) else values

    values: dict[str, Any] = without_nothing(spec.written())
    data = values["data"]
    for source, section in ((source_of(spec), data), (unlabeled_source(spec), data.get("unlabeled"))):
        if isinstance(source, RowsFiles):
            paths = [_relative(source.folder.resolve() / path, folder.resolve()) for path in source.paths]
            section[source.key] = paths if len(paths) > 1 else paths[0]
            for part in PARTS_IN_FILES:
                own = getattr(source, part)
                if own is not None:
                    data["split"][part] = [
                        _relative(own.folder.resolve() / path, folder.resolve()) for path in own.paths
                    ]
    other_run = find_source(spec)
    if other_run is not None:
        values["pretrain"]["from"] = os.path.relpath(other_run.parent.resolve(), folder.resolve())
    return values


def _relative(file: Path, folder: Path) -> str:
    try:
        return os.path.relpath(file, folder)
    except ValueError:  # another drive of Windows
        return str(file)


def resolved_text(spec: Spec, values: dict[str, Any]) -> str:
    return (
        f"# {spec.name} with every default written out; dlspec {__version__} runs it again as it is.\n{to_yaml(values)}"
    )


def environment_of(seed: int, fingerprint: str, device: str, command: str) -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    packages = ["keras", "numpy", "pandas", "scikit-learn"]
    try:
        version("tensorflow")
        packages.insert(0, "tensorflow")
    except PackageNotFoundError:  # Keras has another backend
        pass
    return {
        "dlspec": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "platform": platform.platform(),
        "device": device,
        "cpu_cores": os.cpu_count(),
        "seed": seed,
        "data_fingerprint": fingerprint,
        "command": command or f"{Path(sys.argv[0]).name} (Python)",
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def describe(spec: Spec, data: Prepared) -> dict[str, Any]:
    """`data.json`: what the data looked like, enough to predict with the model and to draw the report."""
    signature, steps, target = data.signature, data.preprocessing, data.signature.target
    return {
        "task": signature.task,
        "rows": len(next(iter(data.columns.values()))),
        "fingerprint": data.fingerprint,
        "target": {
            "name": target.name,
            "kind": target.kind,
            "classes": list(target.classes),
            "unit": target.unit,
            "inside": target.inside,
        },
        "features": _features(spec, data),
        "raw_columns": list(steps.raw_columns),
        "encoded": bool(steps.columns),
        "timesteps": steps.timesteps,
        "window": {"length": signature.window.length, "horizon": signature.window.horizon}
        if signature.window
        else None,
        "input_shape": list(signature.input_shape[1:]),
        "parts": {name: len(getattr(data, name)) for name in ("train", "validation", "test")},
        "unlabeled": len(data.unlabeled),
        "left_out": data.left_out,
        "group": signature.group if signature.window else None,
        "gaps": data.gaps._asdict() if data.gaps else None,
        "class_counts": _class_counts(data),
        "naive_error": data.naive_error,
    }


def signature_of(described: dict[str, Any], spec: Spec) -> Signature:
    """What `data.json` says of the inputs and the target."""
    from dlspec.datasets import Column
    from dlspec.signature import Signature, Target, share_out
    from dlspec.splits import Window

    target, shape = described["target"], (None, *described["input_shape"])
    features = tuple(Column(feature["name"], unit=feature["unit"]) for feature in described["features"])
    widths = [feature.get("width", 1) for feature in described["features"]]
    return Signature(
        described["task"],
        shape,
        features,
        Target(
            target["name"],
            target["kind"],
            tuple(target["classes"]),
            target["unit"],
            shape[1:] if target["kind"] == "input" else (),
            target.get("inside", False),
        ),
        share_out(spec, shape, [feature.name for feature in features], widths),
        {},
        window=Window(**described["window"]) if described["window"] else None,
    )


def _features(spec: Spec, data: Prepared) -> list[dict[str, Any]]:
    """Each feature with its type, how many numbers the network sees of it, and what its values are like."""
    signature = data.signature
    found = []
    for i, column in enumerate(signature.features):
        kind = signature.types[i] if signature.types else None
        values = data.columns[column.name]
        described: dict[str, Any] = {"name": column.name, "unit": column.unit, "width": signature.widths[i]}
        if kind is not None:
            if data.preprocessing.columns:
                described["input"] = data.preprocessing.input_names[i]
            described |= {"type": kind.type_name, "holes": kind.policy(spec.data.missing) not in ("error", "drop")}
        if kind is not None and kind.raw == "text":
            described |= {"raw": "text", "words": len(column.classes)}
        else:
            described |= _summary(values)
        found.append(described)
    return found


def _summary(values: np.ndarray) -> dict[str, float]:
    import numpy as np

    numbers = values if values.dtype.kind in "iuf" else values.astype("float64")
    if numbers.dtype.kind == "f" and np.isnan(numbers).any():
        numbers = numbers[~np.isnan(numbers)]
    return {"min": float(numbers.min()), "max": float(numbers.max()), "mean": float(numbers.mean(dtype="float64"))}


def _class_counts(data: Prepared) -> dict[str, dict[str, int]] | None:
    import numpy as np

    classes = data.signature.target.classes
    if not classes:
        return None
    counts = {
        name: np.bincount(getattr(data, name).truth, minlength=len(classes)) for name in ("train", "validation", "test")
    }
    return {label: {name: int(count[i]) for name, count in counts.items()} for i, label in enumerate(classes)}
