"""What the report shows of a network: arrays taken from it between and after the stages.

`Pictures` collects them by name; the run folder keeps them as `pictures.npz`, so that a report is drawn
without loading Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.arrays import chosen
from dlspec.data.preparation import Part, Prepared
from dlspec.evaluation.pictures.aligned import of_timesteps
from dlspec.evaluation.pictures.codes import of_comparing
from dlspec.evaluation.pictures.decoded import decoded
from dlspec.evaluation.pictures.filters import filters, is_picture, without_channel
from dlspec.evaluation.pictures.language import of_text, of_writing
from dlspec.evaluation.pictures.mixtures import cumulated
from dlspec.evaluation.pictures.only_feature import over_only_feature
from dlspec.evaluation.pictures.places import at_places
from dlspec.evaluation.pictures.planes import is_plane, keep_plane
from dlspec.evaluation.pictures.quantiles import calibration
from dlspec.evaluation.pictures.sequences import of_sequences
from dlspec.evaluation.pictures.stages import SAMPLES, keep_stages
from dlspec.evaluation.pictures.tags import of_tags
from dlspec.model.graph import Graph
from dlspec.model.layers.sampling import samplings
from dlspec.model.states import output_of
from dlspec.training.plan import Plan
from dlspec.training.values import predict

Array = np.ndarray
MOST_CLASSES = 12
"""So many classes have colors of their own."""


class Pictures:
    """Collects arrays for the report."""

    def __init__(self, data: Prepared, graph: Graph) -> None:
        self.data = data
        self.graph = graph
        self.arrays: dict[str, Array] = {}

    def after_pretraining(self, plan: Plan, network: Any, stage_models: list[Any]) -> None:
        """What the stages have learned, before the whole network is trained."""
        keep_stages(self.arrays, self.data, plan, network, stage_models)
        self.arrays |= filters(self.data, self.graph, network, "pretrained")

    def after_training(self, network: Any, predictions: Mapping[str, Array]) -> None:
        """Everything that is seen of the finished network.

        Args:
            predictions: of the network and of each baseline, for the test part.
        """
        self.arrays |= filters(self.data, self.graph, network, "final")
        kind = self.data.signature.target.kind
        if self.data.signature.target.tokens:
            target, test = self.data.signature.target, self.data.test
            self.arrays |= of_text(target, test, predictions) | of_writing(target, test, network)
            return
        if self.data.signature.target.of_words:
            self.arrays |= of_tags(self.data.signature, self.data.test, self.data.columns, predictions)
            return
        if self.data.signature.target.written:
            self.arrays |= of_sequences(self.data, predictions)
            if self.data.signature.target.aligned:
                inputs = self.data.test.inputs
                self.arrays |= of_timesteps(
                    self.data, predictions, lambda places: predict(network, chosen(inputs, places))
                )
            return
        if self.data.signature.target.places:
            self.arrays |= at_places(self.data.signature, self.data.test, predictions)
            return
        if is_plane(self.data):
            keep_plane(self.arrays, self.data, self.graph, network)
        if self.data.signature.task == "series":
            self._keep_series()
        if self.data.signature.target.levels:
            self.arrays |= calibration(self.data, predictions["network"]) | over_only_feature(
                self.data, network, "quantiles"
            )
        if self.data.signature.target.fitted:
            self.arrays |= of_comparing(self.data, network)
        if self.data.signature.target.mixture:
            self.arrays |= cumulated(self.data, predictions["network"]) | over_only_feature(
                self.data, network, "mixtures"
            )
        if kind == "class" and self.data.signature.window is None and has_pictures(self.data):
            self._keep_some()
            self._keep_wrong(predictions["network"])
        if kind == "input":
            self.arrays |= given_back(self.data.test, predictions)
            self._keep_code(network)
            if is_picture(self.data.train.inputs.shape[1:]) and self.data.signature.window is None:
                self.arrays |= decoded(self.data, self.graph, network)

    @property
    def facts(self) -> dict[str, dict[str, float]]:
        """Layer -> its units, how many of them are dead, their mean activation, and what its reconstruction explains of
        what it sees, after its stage."""
        found = {}
        for name, values in self.arrays.items():
            if name.startswith("units:"):
                units, dead, mean = values.tolist()
                layer = name.removeprefix("units:")
                found[layer] = {"units": int(units), "dead_units": int(dead), "mean_activation": mean}
                if f"explained:{layer}" in self.arrays:
                    found[layer]["explained"] = float(self.arrays[f"explained:{layer}"])
        return found

    def _keep_series(self) -> None:
        """The whole series of the target, of several the one that is shown, and the rows where a new part begins; and
        what was known last before each forecast."""
        data = self.data
        values = np.asarray(data.columns[data.signature.target.names[0]], "float64")
        times = np.arange(len(values)) if data.times is None else data.times
        if data.shown is not None:
            values, times = values[data.shown], times[data.shown]
        assert data.test.last is not None, "a series keeps the last value of each window"
        self.arrays["series:last"] = np.asarray(data.test.last)
        dated = times.dtype.kind == "M"
        self.arrays["series:times"] = times.astype("datetime64[us]").astype("int64") if dated else times
        self.arrays["series:dated"] = np.array(dated)
        self.arrays["series:values"] = values
        self.arrays["series:ends"] = np.array(data.ends)

    def _keep_some(self) -> None:
        """Some training pictures, of every class in turn, and what they show."""
        train, classes = self.data.train, self.data.signature.target.classes
        truth = np.asarray(train.truth)
        of_class = [np.flatnonzero(truth == label) for label in range(len(classes))]
        rounds = [rows[i] for i in range(SAMPLES) for rows in of_class if i < len(rows)]
        chosen = np.array(sorted(rounds[:SAMPLES], key=lambda row: truth[row]), int)
        self.arrays["some:pictures"] = pictures_of(self.data, train.at(chosen))
        self.arrays["some:truth"] = np.array(classes)[truth[chosen]]

    def _keep_wrong(self, shares: Array) -> None:
        """Test pictures that were taken for something else, the surest mistakes first."""
        test = self.data.test
        guessed = shares.argmax(axis=1)
        wrong = np.flatnonzero(guessed != test.truth)
        wrong = wrong[np.argsort(-shares[wrong, guessed[wrong]], kind="stable")][: 2 * SAMPLES]
        labels = np.array(self.data.signature.target.classes)
        self.arrays["wrong:pictures"] = pictures_of(self.data, test.at(wrong))
        self.arrays["wrong:truth"] = labels[test.truth[wrong]]
        self.arrays["wrong:guessed"] = labels[guessed[wrong]]

    def _keep_code(self, network: Any) -> None:
        """Test samples in the plane of a code of two numbers, with the classes that the data have besides."""
        import keras

        layers = samplings(self.graph) or self.graph.hidden
        narrow = [layer for layer in layers if layer.output_shape == (None, 2)]
        if not narrow:
            return
        test = self.data.test
        self.arrays["code:points"] = predict(
            keras.Model(network.inputs, output_of(network.get_layer(narrow[0].name))), test.inputs
        )
        used = {column.name for column in self.data.signature.features}
        for name, values in self.data.columns.items():
            if name not in used and values.dtype.kind == "U" and len(np.unique(values)) <= MOST_CLASSES:
                self.arrays["code:classes"] = values[test.rows]


def has_pictures(data: Prepared) -> bool:
    """Whether samples are pictures, or pictures stand among their features."""
    return is_picture(data.test.raw.shape[1:]) or any(is_picture(each.shape) for each in data.signature.features)


def pictures_of(data: Prepared, part: Part) -> Array:
    """The pictures of samples that have some, (samples, rows, columns) or with three channels behind; of several of one
    height those side by side, with a line between them, else the first."""
    if is_picture(part.raw.shape[1:]):
        return without_channel(np.asarray(part.raw))
    names = [column.name for column in data.signature.features if is_picture(column.shape)]
    found = [without_channel(np.asarray(data.columns[name][np.asarray(part.rows)])) for name in names]
    heights = {(each.shape[1], *each.shape[3:]) for each in found}
    if len(heights) > 1:
        return found[0]
    between = np.full_like(found[0][:, :, :1], found[0].max(initial=0))
    return np.concatenate([each for own in found for each in (between, own)][1:], axis=2)


def given_back(part: Part, predictions: Mapping[str, Array]) -> dict[str, Array]:
    """Some samples, and what the network and the baselines give back of them, as the network sees them."""
    some = np.linspace(0, len(part) - 1, min(SAMPLES, len(part))).astype(int)
    return {f"given_back:{name}": values[some] for name, values in {"truth": part.truth, **predictions}.items()}
