"""`signature.json`: what an exported network takes, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlspec.deployment.steps import Program, Value
from dlspec.runs.records.data import DataRecord, FeatureRecord, TargetRecord

if TYPE_CHECKING:
    from dlspec.runs.folder import Run


def signature_of(run: Run, raw: Program, format: str, *, whole: bool = True, by_step: bool = False) -> dict[str, Any]:
    """The record.

    Args:
        raw: the steps around the exported file; its inputs are what is given, its outputs what comes out.
        format: of the file.
        whole: whether it is the whole network, and not a part of it.
        by_step: whether it takes a timestep, and states.
    """
    record, window = run.data, run.spec.data.window
    every = window.every if window is not None else 1
    features = {feature.input or feature.name: feature for feature in record.features} if record.encoded else {}
    return {
        "name": run.spec.name,
        "task": record.task,
        "format": format,
        "inputs": [
            _input(value, features.get(value.name), record, every)
            for value in (raw.inputs[:1] if by_step else raw.inputs)
        ],
        "states": _states(raw) if by_step else [],
        "outputs": _target(record, raw) if whole else _part(raw),
        "takes": [value.as_json() for value in raw.takes],
        "gives": [value.as_json() for value in raw.gives],
        "preprocessing": None if raw.is_empty else "preprocessing.json",
        "missing_word": record.missing_word,
        "group": record.group,
        "fingerprint": record.fingerprint,
    }


def _states(raw: Program) -> list[dict[str, Any]]:
    """Inputs of a step model that are zeros at first, and then what the output beside them was."""
    states = zip(raw.inputs[1:], raw.outputs[1:], strict=True)
    return [{**state.as_json(), "output": value.name} for state, value in states]


def _input(value: Value, feature: FeatureRecord | None, record: DataRecord, every: int) -> dict[str, Any]:
    if feature is not None:
        return {**value.as_json(), **_column(feature)}
    columns = record.raw_columns if value.name == "raw" else ()
    known = {feature.name: feature for feature in record.features}
    found: dict[str, Any] = value.as_json()
    if columns and value.shape[-1:] == (len(columns),):
        found["columns"] = [_column(known[name]) if name in known else {"column": name} for name in columns]
    elif len(record.features) == 1:
        found |= _column(record.features[0])
    if record.timesteps is not None and len(value.shape) == 2:
        found["timesteps"] = value.shape[0]
        if every > 1:  # rows of the data from one timestep to the next
            found["every"] = every
        if record.window is not None and record.timesteps > record.window.length:  # of changes the level says nothing
            found["changes"] = True
    if record.rate is not None:
        found["rate"] = record.rate
    return found


def _column(feature: FeatureRecord) -> dict[str, Any]:
    """What is known of the values of a column in the training part."""
    said: dict[str, Any] = {
        "column": feature.name,
        "kind": feature.raw,
        "unit": feature.unit,
        "may_be_missing": feature.holes,
        "min": feature.min,
        "max": feature.max,
        "words": list(feature.known) if feature.known is not None else None,
        "from": feature.from_,
        "to": feature.to,
        "form": feature.form,
    }
    return {key: value for key, value in said.items() if value is not None or key == "unit"}


def _target(record: DataRecord, raw: Program) -> dict[str, Any]:
    target, window = record.target, record.window
    ahead = f"+{window.horizon}" if window and window.horizon else ""
    values = list(target.values) or [f"{target.name}{ahead}"]
    units = list(target.units) or [target.unit] * len(values)
    if target.form != "value":
        weights = [not target.mixture or place >= target.mixture for place in range(target.values_each)]
        units = [unit if has else None for unit in units for has in weights]
        values = [name for value in values for name in target.names_of(value)]
    return {
        "kind": target.kind,
        "name": f"{target.name}{ahead}" if target.kind == "class" else target.name,
        "values": values,
        "units": units,
        "classes": list(target.classes),
        "labels": [
            {"name": name, "column": column, "word": word, "other": other}
            for name, column, word, other in target.labels
        ],
        "separator": target.separator,
        "shape": list(raw.outputs[0].shape),
        **({"places": list(raw.outputs[0].shape[:-1] if target.aligned else target.places)} if target.places else {}),
        **({"decoding": decoding_of(target)} if target.aligned else {}),
        **({"quantiles": list(target.levels)} if target.levels else {}),
        **({"mixture": target.mixture} if target.mixture else {}),
    }


def decoding_of(target: TargetRecord) -> dict[str, Any]:
    """How a text is read off what a network puts out, which no file of a network does: logits, of which class 0 is the
    blank (Graves et al., 2006)."""
    assert target.written is not None, "texts are read"
    return {"outputs": "logits", "method": "ctc", "blank": 0, "unit": target.written.unit, "beam": target.written.beam}


def _part(raw: Program) -> dict[str, Any]:
    return {"kind": "layer", "name": raw.outputs[0].name, "shape": list(raw.outputs[0].shape)}
