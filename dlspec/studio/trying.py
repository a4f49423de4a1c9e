"""The process in which the network of a run is tried: it loads the run once, and answers what is asked of it.

`python -m dlspec.studio.trying ROOT RUN [PLUGIN…]` answers questions as `dlspec.studio.checking` does.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dlspec.language.diagnostics.errors import DataError
from dlspec.studio.answering import Values, answer_lines

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.runs.folder import Run
    from dlspec.runs.row_predictor import RowPredictor, Taken
    from dlspec.runs.samples import SampleRows

    Array = np.ndarray

SMOOTHED, NOISE = 24, 0.15
"""Copies of an input whose gradients are averaged, and the deviation of their noise as a share of the input's range, as
Smilkov et al. (2017) take them."""
MOST_LAYERS, MOST_MAPS, MOST_CHOICES = 8, 16, 20
"""Layers that are shown, maps or units of each, and classes that an answer names."""
SMALLEST, NARROWEST = 6, 4
"""Of pictures that can be drawn: pixels along a side at least, and how many times as long the other one may be."""
MARGIN = 0.25
"""Beyond the lowest and the highest mean of kept samples, as a share of what lies between: so far nothing is odd."""
SURE = 0.9
"""Of an interval: how often the truth lies in it."""


class Tried:
    """A run whose network is tried.

    Args:
        run: finished; of several outputs the first is shown as the others are.
    """

    def __init__(self, run: Run) -> None:
        from dlspec.runs.samples import samples_of

        self.run = run
        self.first = next(iter(run.outputs.values())) if run.outputs else run
        self.record = self.first.data
        self.samples: SampleRows = samples_of(run)
        self.parts: dict[str, Any] = {}
        try:
            self.predictor: RowPredictor = run.predictor_with(SURE, None)
        except DataError:  # there are no intervals of such answers
            self.predictor = run.predictor

    # --- what can be given

    def form(self, question: Mapping[str, Any]) -> Values:
        """How an input is given: `kind`, and the columns of a form with what they take."""
        record = self.record
        shape = self._shape
        kind = self._kind
        return {
            "kind": kind,
            "shape": list(shape),
            "fields": [self._field(feature) for feature in record.features] if kind == "form" else [],
            "columns": list(record.raw_columns),
            "range": self._range,
            "rate": record.rate,
            "samples": len(self.samples),
            "target": {
                "name": record.target.name,
                "kind": record.target.kind,
                "classes": list(record.target.classes),
                "unit": record.target.unit,
            },
            "writes": bool(record.target.tokens),
        }

    @property
    def _shape(self) -> tuple[int, ...]:
        """Of a sample as the saved model takes it, where that is one array."""
        return () if self.record.encoded else tuple(next(iter(self.samples.raw.values())).shape[1:])

    @property
    def _kind(self) -> str:
        """`form`, `picture`, `sound`, `series` or `sample`, of which another can be asked for alone."""
        from dlspec.evaluation.pictures.filters import is_picture

        record, shape = self.record, self._shape
        if record.encoded:
            arrays = any(feature.shape for feature in record.features)
            return "sample" if arrays or record.timesteps is not None or record.target.kind == "input" else "form"
        if record.rate is not None and len(shape) == 1:
            return "sound"
        if record.timesteps is not None:
            return "series"
        if is_picture(shape) and min(shape[:2]) >= SMALLEST and max(shape[:2]) <= NARROWEST * min(shape[:2]):
            return "picture"
        if shape == (len(record.raw_columns),):
            return "form"
        return "sample"

    @property
    def _range(self) -> list[float]:
        numbers = [feature for feature in self.record.features if feature.min is not None and feature.max is not None]
        return [min(f.min or 0.0 for f in numbers), max(f.max or 0.0 for f in numbers)] if numbers else [0.0, 1.0]

    def _field(self, feature: Any) -> Values:
        """A column of the form: what it takes, and the range or the words that training had."""
        known = list(feature.known or (feature.shares or {}))
        return {
            "name": feature.name,
            "takes": feature.raw,
            "type": feature.type,
            "unit": feature.unit,
            "low": feature.min,
            "high": feature.max,
            "usual": feature.mean,
            "words": [word for word in known if word][:200],
            "form": feature.form,
            "holes": bool(feature.holes),
        }

    def another(self, question: Mapping[str, Any]) -> Values:
        """A sample of the test part as it can be given, what is true of it, and the answer."""
        import pandas as pd

        from dlspec.runs.row_predictor import Taken

        number = int(question["number"]) % max(1, len(self.samples))
        given = {name: values[number : number + 1] for name, values in self.samples.raw.items()}
        values: Any = given if self.record.encoded else next(iter(given.values()))
        shown = self._as_given(given)
        answer = self._answered(Taken(values, pd.RangeIndex(1)))
        if self.record.target.written and "values" in shown:
            answer |= {name: found for name, found in self.ask(shown).items() if name in ("answers", "notes")}
        return {**answer, "number": number, "given": shown, "truth": self._truth(number)}

    def _as_given(self, given: Mapping[str, Array]) -> Values:
        from dlspec.runs.kept_pictures import quantized

        kind = self._kind
        if kind == "form" and self.record.encoded:
            features = {feature.input or feature.name: feature for feature in self.record.features}
            values = {name: _plain(values.reshape(-1)[0]) for name, values in given.items() if name in features}
            return {"values": {features[name].name: _as_typed(features[name], value) for name, value in values.items()}}
        if kind == "sample":
            return self._sample(given)
        only = next(iter(given.values()))[0]
        if kind == "form":
            return {"values": dict(zip(self.record.raw_columns, map(_plain, only.tolist()), strict=True))}
        if kind == "series":
            return {"table": [[_plain(value) for value in row] for row in only.tolist()]}
        if kind in ("picture", "sound"):
            return {"array": quantized(only, "u1" if kind == "picture" else "u2")}
        return {}

    def _sample(self, given: Mapping[str, Array]) -> Values:
        """An input that cannot be made on the page: its arrays, and its other columns."""
        from dlspec.runs.kept_pictures import quantized

        arrays = {name: values[0] for name, values in given.items() if values.dtype != object and values[0].size > 1}
        small = {name: array for name, array in arrays.items() if array.ndim < 3 or array.shape[-1] in (1, 3)}
        others = {name: _plain(values.reshape(-1)[0]) for name, values in given.items() if name not in arrays}
        return {
            "arrays": [{"name": name, "array": quantized(array, "u1")} for name, array in small.items()],
            "others": others,
        }

    def _truth(self, number: int) -> str | None:
        predictions = self.first.predictions
        place = int(self.samples.places[number])
        if "truth" not in predictions or place >= len(predictions):
            return None
        return str(_plain(predictions["truth"].iloc[place]))

    # --- answers

    def ask(self, question: Mapping[str, Any]) -> Values:
        """The answer to what is given: `values` by column, `table` of timesteps, `drawn`, `picture` or `sound`."""
        import numpy as np
        import pandas as pd

        from dlspec.runs.kept_pictures import from_quantized
        from dlspec.studio.drawing import as_known

        predictor = self._fresh()
        rows: Any
        if "text" in question and self.record.target.tokens:
            return self._written(str(question["text"]))
        if "values" in question:
            rows = pd.DataFrame({name: [value] for name, value in question["values"].items()})
        elif "table" in question:
            columns = self.record.raw_columns
            rows = pd.DataFrame({name: [row[i] for row in question["table"]] for i, name in enumerate(columns)})
            if self.record.group is not None:  # all timesteps are of one series
                rows[self.record.group] = "1"
        elif "drawn" in question:
            rows = as_known(from_quantized(question["drawn"]), next(iter(self.samples.raw.values())))[None]
        elif "picture" in question or "sound" in question:
            given = from_quantized(question.get("picture") or question["sound"])
            low, high = self._range
            scaled = given if "sound" in question else low + given * (high - low)
            rows = scaled.reshape(1, *self._shape)
        else:
            return {"error": "nothing was given"}
        if isinstance(rows, np.ndarray) and not self.record.encoded:
            rows = rows.astype(next(iter(self.samples.raw.values())).dtype)
        if self.record.target.written or self.record.target.tokens:
            return self._text_of(predictor.predict(rows), predictor.notes(1))
        taken = predictor.taken(rows)
        if len(taken.index) > 1:  # of a longer table its last window
            taken = replace(taken, values=taken.values[-1:], index=taken.index[-1:])
        answer = self._answered(taken, predictor)
        if isinstance(rows, np.ndarray):
            from dlspec.runs.kept_pictures import quantized

            answer["given"] = {"array": quantized(np.asarray(rows[0], "float64"), "u1")}
        return answer

    def _fresh(self) -> RowPredictor:
        """A predictor that has counted nothing yet."""
        from dlspec.runs.odd_values import OddValues
        from dlspec.runs.unknown_words import WordsSeen

        return replace(self.predictor, seen=WordsSeen(), odd=OddValues())

    def _answered(self, taken: Taken, predictor: RowPredictor | None = None) -> Values:
        predictor = predictor or self._fresh()
        if self.record.target.written or self.record.target.tokens:
            return {"answers": [], "notes": [], "layers": self._layers(taken.values), "looks": None}
        found = predictor.of_taken(taken)
        for other in predictor.others:
            own = other.of_taken(taken)
            found = found.join(own[[name for name in own.columns if name not in found.columns]])
        answer = self._named(found)
        return {
            **answer,
            "notes": [*dict.fromkeys([*predictor.odd.notes(1), *predictor.seen.notes(), *self._outside(taken.values)])],
            "layers": self._layers(taken.values),
            "looks": self._looks(taken.values),
        }

    def _named(self, found: pd.DataFrame) -> Values:
        """The columns of a prediction as answers: classes with probabilities, numbers with the interval around them."""
        outputs: list[Values] = []
        records = [own.data for own in self.run.outputs.values()] or [self.record]
        row = found.iloc[0]
        for record in records:
            target, ahead = record.target, ""
            if target.of_words:
                outputs.append({"name": target.name, "text": str(_plain(row.iloc[0]))})
                continue
            if (target.places and record.window is None) or target.kind == "input":
                outputs.append({"name": target.name, "places": self._places(found, record)})
                continue
            if record.window is not None and record.window.horizon:
                ahead = f"+{record.window.horizon}"
            if target.kind == "class":
                shares = {label: float(row[f"{target.name}={label}"]) for label in target.classes}
                best = sorted(shares, key=lambda label: -shares[label])[:MOST_CHOICES]
                certain = [{"label": label, "share": shares[label]} for label in best]
                told = row.get(f"{target.name} set")
                outputs.append({"name": target.name, "classes": certain, "set": None if told is None else str(told)})
                continue
            values = [name for name in found.columns if name == f"{target.name}{ahead}" or name in target.values]
            if not values:
                values = [name for name in found.columns if not str(name).endswith((" low", " high"))]
            for name in values:
                low, high = row.get(f"{name} low"), row.get(f"{name} high")
                outputs.append({"name": str(name), "number": _plain(row[name]), "unit": target.unit,
                                "low": _plain(low), "high": _plain(high)})  # fmt: skip
        return {"answers": outputs}

    def _places(self, found: pd.DataFrame, record: Any) -> Values | None:
        """What is said of each place, as a picture where it is one."""
        import numpy as np

        from dlspec.runs.kept_pictures import quantized

        target = record.target
        shape = tuple(target.places) or tuple(record.input_shape)
        values = [value for name, value in found.iloc[0].items() if "=" not in str(name) and name != "squared_error"]
        if int(np.prod(shape)) != len(values) or len(shape) > 3:
            return None
        if target.kind == "class":
            place = {label: number for number, label in enumerate(target.classes)}
            numbers = np.array([place.get(str(value), 255) for value in values], "uint8").reshape(shape)
            return {"array": quantized(numbers, "u1", whole=True), "classes": list(target.classes)}
        return {"array": quantized(np.array(values, "float64").reshape(shape), "u1"), "classes": []}

    def _text_of(self, found: pd.DataFrame, notes: list[str]) -> Values:
        row = found.iloc[0]
        said = [{"name": str(name), "text": str(_plain(value))} for name, value in row.items()]
        return {"answers": said[:MOST_CHOICES], "notes": notes, "layers": [], "looks": None}

    def _written(self, prompt: str) -> Values:
        from dlspec.conversion import generate

        notes: list[str] = []
        text = generate(self.run, prompt, length=160, temperature=0.7, seed=0, note=notes.append)
        return {"answers": [{"name": self.record.target.name, "text": text}], "notes": notes, "layers": [],
                "looks": None}  # fmt: skip

    def _outside(self, values: Any) -> list[str]:
        """What is said of an array that is unlike all kept samples of the test part, by its mean or its spread."""
        import numpy as np

        if self.record.encoded:
            return []
        known = np.asarray(next(iter(self.samples.raw.values())), "float64").reshape(len(self.samples), -1)
        own = np.asarray(values, "float64").reshape(-1)
        if known.shape[1] < 2 or len(known) < 10:
            return []
        found = []
        for name, measure in (("mean", np.mean), ("spread", np.std)):
            if name == "mean" and self._kind == "sound":  # which is nearly 0 of every sound
                continue
            among, value = measure(known, axis=1), float(measure(own))
            low, high = float(among.min()), float(among.max())
            if not abs(value - (low + high) / 2) <= (0.5 + MARGIN) * (high - low):
                found.append(
                    f"the {name} of its values is {value:.3g}, and between {low:.3g} and {high:.3g} in "
                    f"{len(known)} samples of the test part: the network may not know inputs like this"
                )
        return found

    # --- what happens inside

    def _layers(self, values: Any) -> list[Values]:
        """What each layer with weights makes of an input: maps, or values of its units."""
        import numpy as np

        from dlspec.evaluation.pictures.planes import hidden_ends
        from dlspec.runs.kept_pictures import quantized

        found, ends = [], hidden_ends(self.run.graph)
        places = np.linspace(0, max(0, len(ends) - 1), min(MOST_LAYERS, len(ends))).astype(int)
        for layer, ends_in in (ends[place] for place in places):
            try:
                part = self._part(ends_in)
            except (DataError, ValueError):
                continue  # it is there in training alone
            out = np.asarray(_called(part, values)).astype("float64")[0]
            if out.ndim == 3:
                maps = np.moveaxis(out, -1, 0)[:MOST_MAPS]
                step = max(1, -(-max(maps.shape[1:]) // 32))
                shown = {"maps": quantized(maps[:, ::step, ::step], "u1")}
            elif out.ndim == 2:  # timesteps and channels
                shown = {"maps": quantized(out[None, :200, :64].swapaxes(1, 2), "u1")}
            else:
                shown = {"units": quantized(out.reshape(-1)[:256], "u1")}
            found.append({"name": layer.name, "type": layer.type_name, "shape": list(out.shape), **shown})
        return found

    def _part(self, last: str) -> Any:
        if last not in self.parts:
            self.parts[last] = self.run.part(None, last)
        return self.parts[last]

    def _looks(self, values: Any) -> Values | None:
        """Where the network looks: how strongly its answer depends on each value of the input, as gradients of noisy
        copies averaged (SmoothGrad: Smilkov et al., 2017); None where that cannot be computed."""
        import keras
        import numpy as np

        from dlspec.runs.kept_pictures import quantized

        record, graph = self.record, self.run.graph
        if keras.backend.backend() != "tensorflow" or record.encoded or record.target.places or self.run.outputs:
            return None
        if record.target.kind not in ("class", "number") or len(graph.inputs) != 1:
            return None
        import tensorflow as tf

        if "looks" not in self.parts:
            self.parts["looks"] = _scaled_and_network(self.run.model)
        scaled, network = self.parts["looks"]
        seen = np.asarray(_called(scaled, values), "float32")
        noise = np.random.default_rng(0).normal(size=(SMOOTHED, *seen.shape[1:])).astype("float32")
        copies = tf.constant(seen + NOISE * float(np.ptp(seen) or 1.0) * noise)
        place = int(np.asarray(network(seen, training=False)).reshape(-1).argmax())
        with tf.GradientTape() as tape:
            tape.watch(copies)
            outputs = tf.reshape(network(copies, training=False), (SMOOTHED, -1))[:, place]
        gradients = tape.gradient(outputs, copies)
        if gradients is None:
            return None
        strength = np.abs(gradients.numpy().mean(axis=0))
        if strength.ndim == 3:
            strength = strength.sum(axis=-1)
        return quantized(strength, "u1")


def _scaled_and_network(model: Any) -> tuple[Any, Any]:
    """A saved model in two: what its network sees, and the network."""
    import keras

    from dlspec.model.build import preprocessing_of

    network = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    return keras.Model(model.input, preprocessing_of(model)(model.input)), network


def _called(model: Any, values: Any) -> Any:
    """What a model makes of one input, as in use."""
    from dlspec.training.values import predict

    return predict(model, values)


def _as_typed(feature: Any, value: Any) -> Any:
    """A value as a user types it: a time as the data have it, and not in seconds."""
    if feature.raw != "time" or value is None:
        return value
    when = datetime.fromtimestamp(float(value), UTC)
    if feature.form and "%" in feature.form:
        return when.strftime(feature.form)
    return when.date().isoformat() if float(value) % 86400 == 0 else when.isoformat(sep=" ").removesuffix("+00:00")


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if value != value else float(f"{value:.7g}")
    return value if value is None or isinstance(value, int | str | bool) else str(value)


def main(root: str, folder: str, *plugins: str) -> None:
    tried: list[Tried] = []

    def ready() -> None:
        from dlspec.runs.folder import open_run
        from dlspec.runtime.backend import load_keras

        load_keras()
        run = open_run(folder)
        run.check_finished()
        tried.append(Tried(run))
        tried[0].another({"number": 0})

    questions = {
        "form": lambda question: tried[0].form(question),
        "another": lambda question: tried[0].another(question),
        "ask": lambda question: tried[0].ask(question),
    }
    answer_lines(root, plugins, questions, ready=ready)


if __name__ == "__main__":
    main(*sys.argv[1:])
