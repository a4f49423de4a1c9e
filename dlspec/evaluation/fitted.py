"""Baselines that were fitted: what they guess of any samples, and the arrays that they are kept as."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.preparation import Part
from dlspec.data.preparation.prepared import quantities

Array = np.ndarray


@dataclass(frozen=True)
class Fitted(ABC):
    """What a baseline learned from the training part: arrays of numbers alone, so that nothing else is ever kept.

    Args:
        notes: what a reader should know of it, in sentences.
    """

    notes: tuple[str, ...] = field(default=(), kw_only=True)

    axes: ClassVar[Mapping[str, int]]
    """How many axes each of its arrays has."""
    kinds: ClassVar[dict[str, type[Fitted]]] = {}
    """All of them, by name."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Fitted.kinds[cls.__name__] = cls

    @abstractmethod
    def guess(self, part: Part) -> Array:
        """Its guess for every sample.

        Returns:
            Values in the target's own units, shape (samples,), of several numbers (samples, numbers); for a class the
            probability of each, shape (samples, classes); at each place (samples, *places) or
            (samples, *places, classes); for a reconstruction the inputs as the network sees them,
            shape (samples, values).
        """

    def arrays(self) -> dict[str, Array]:
        """What it is kept as."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "notes"}

    @classmethod
    def restored(cls, arrays: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Self:
        """What was kept.

        Raises:
            ValueError: these are no such arrays.
        """
        if {*arrays} != {*cls.axes}:
            raise ValueError(f"it holds {sorted(arrays)} in place of {sorted(cls.axes)}")
        for name, axes in cls.axes.items():
            values = arrays[name]
            if values.ndim != axes or values.dtype.kind not in "fi" or not np.isfinite(values).all():
                raise ValueError(f"`{name}` is no array of numbers with {axes} axes")
        found = cls(**arrays, notes=notes)
        found.check()
        return found

    def check(self) -> None:  # noqa: B027 - not all have something to check
        """Raises ValueError where its arrays do not fit each other."""


@dataclass(frozen=True)
class FittedConstant(Fitted):
    """The same for every sample.

    Args:
        value: one number (1,), several, or the share of each class or label.
        single: (1,): 1 where the target is one number.
    """

    value: Array
    single: Array

    axes: ClassVar = {"value": 1, "single": 1}

    def guess(self, part: Part) -> Array:
        value = self.value[0] if self.single[0] else self.value
        return np.repeat(np.asarray(value)[None], len(part), axis=0)


@dataclass(frozen=True)
class FittedPlaces(Fitted):
    """The same for every sample, at each of its places.

    Args:
        values: (places, values): a number, or the share of each class, at each place.
        sizes: (axes,): those of the places.
        classes: as of `FittedPersistence`.
    """

    values: Array
    sizes: Array
    classes: Array

    axes: ClassVar = {"values": 2, "sizes": 1, "classes": 1}

    @classmethod
    def of_means(cls, truth: Array, *, each: bool) -> FittedPlaces:
        """Of numbers, (samples, *places), NaN where a place does not count.

        Args:
            each: whether each place has a mean of its own.
        """
        flat = truth.reshape(len(truth), -1)
        there = ~np.isnan(flat)
        sums, counts = np.where(there, flat, 0.0).sum(axis=0), there.sum(axis=0)
        whole = sums.sum() / max(1, counts.sum())
        means = np.where(counts > 0, sums / np.maximum(counts, 1), whole) if each else np.full(len(sums), whole)
        return cls(means[:, None], np.array(truth.shape[1:]), np.zeros(1, int))

    @classmethod
    def of_classes(cls, truth: Array, classes: int, *, each: bool) -> FittedPlaces:
        """Of classes, (samples, *places), -1 where a place does not count; see `of_means`."""
        flat = truth.reshape(len(truth), -1)
        counts = np.stack([(flat == label).sum(axis=0) for label in range(classes)], axis=1)
        whole = counts.sum(axis=0) / max(1, counts.sum())
        known = counts.sum(axis=1, keepdims=True)
        shares = np.where(known > 0, counts / np.maximum(known, 1), whole) if each else whole + np.zeros(counts.shape)
        return cls(shares, np.array(truth.shape[1:]), np.array([classes]))

    def check(self) -> None:
        if len(self.values) != np.prod(self.sizes) or self.values.shape[1] != max(1, int(self.classes[0])):
            raise ValueError("`values` are of other places or classes than `sizes` and `classes`")

    def guess(self, part: Part) -> Array:
        classes = int(self.classes[0])
        shape = (*self.sizes.tolist(), classes) if classes else tuple(self.sizes.tolist())
        return np.broadcast_to(self.values.reshape(shape), (len(part), *shape))


@dataclass(frozen=True)
class FittedPersistence(Fitted):
    """The last value that is known.

    Args:
        classes: (1,): how many classes there are; 0: the target is a number.
    """

    classes: Array

    axes: ClassVar = {"classes": 1}

    def guess(self, part: Part) -> Array:
        assert part.last is not None, "a series keeps the last value of each window"
        last, classes = np.asarray(part.last), int(self.classes[0])
        return np.eye(classes)[last] if classes else last


@dataclass(frozen=True)
class FittedComponents(Fitted):
    """The principal components of the inputs.

    Args:
        components, middle: (components, values) and (values,).
    """

    components: Array
    middle: Array

    axes: ClassVar = {"components": 2, "middle": 1}

    def check(self) -> None:
        if self.components.shape[1] != len(self.middle):
            raise ValueError("`components` and `middle` are of other inputs")

    def guess(self, part: Part) -> Array:
        given = np.asarray(part.targets, "float64")
        code = given @ self.components.T - self.middle @ self.components.T
        return code @ self.components + self.middle


@dataclass(frozen=True)
class FittedLinear(Fitted):
    """A linear model of what the network sees.

    Args:
        slopes, level: (values, outputs) and (outputs,).
        layout: (features, 2): as that of `Prepared`.
    """

    slopes: Array
    level: Array
    layout: Array

    axes: ClassVar = {"slopes": 2, "level": 1, "layout": 2}

    def check(self) -> None:
        if self.slopes.shape[1] != len(self.level) or self.layout.shape[1:] != (2,):
            raise ValueError("`slopes`, `level` and `layout` are not of one model")

    def outputs(self, part: Part) -> Array:
        """(samples, outputs)"""
        layout = [(int(width), int(tokens)) for width, tokens in self.layout]
        found = [quantities(block, layout) @ self.slopes + self.level for block in blocks(part.inputs)]
        return np.concatenate(found) if found else np.empty((0, len(self.level)))


@dataclass(frozen=True)
class FittedLine(FittedLinear):
    """Of numbers.

    Args:
        scale, offset: (outputs,): of the target, by which outputs are brought to its own units.
        change: (1,): of a series, what an output is: 0 the level, 1 a difference, 2 a logarithmic return.
        single: as of `FittedConstant`.
    """

    scale: Array
    offset: Array
    change: Array
    single: Array

    axes: ClassVar = {**FittedLinear.axes, "scale": 1, "offset": 1, "change": 1, "single": 1}

    def check(self) -> None:
        super().check()
        if not len(self.scale) == len(self.offset) == len(self.level) or (self.scale == 0).any():
            raise ValueError("`scale` and `offset` do not fit `level`")

    def guess(self, part: Part) -> Array:
        values = (self.outputs(part) - self.offset) / self.scale
        values = values[:, 0] if self.single[0] else values
        if part.last is None or not self.change[0]:
            return values
        last = np.asarray(part.last)
        return last + values if self.change[0] == 1 else last * np.exp(values)


@dataclass(frozen=True)
class FittedLogistic(FittedLinear):
    """Of classes: a line for each of those that the training part has, one of two; none where it has one.

    Args:
        seen: the places of these classes, in their order.
        classes: (1,): how many there are in all.
    """

    seen: Array
    classes: Array

    axes: ClassVar = {**FittedLinear.axes, "seen": 1, "classes": 1}

    def check(self) -> None:
        super().check()
        lines = {1: 0, 2: 1}.get(len(self.seen), len(self.seen))
        if len(self.level) != lines or not ((self.seen >= 0) & (self.seen < self.classes[0])).all():
            raise ValueError("`seen` are other classes than those of `level`")

    def guess(self, part: Part) -> Array:
        from scipy.special import expit, softmax

        shares = np.zeros((len(part), int(self.classes[0])))
        if len(self.seen) == 1:
            shares[:, self.seen[0]] = 1
            return shares
        given = self.outputs(part)
        if len(self.seen) == 2:
            yes = expit(given[:, 0])
            shares[:, self.seen] = np.stack([1 - yes, yes], axis=1)
        else:
            shares[:, self.seen] = softmax(given, axis=1)
        return shares


@dataclass(frozen=True)
class FittedLabels(FittedLinear):
    """Of labels: a line for each.

    Args:
        always: of each, 1 or 0 where the training part has it everywhere or nowhere; else -1.
    """

    always: Array

    axes: ClassVar = {**FittedLinear.axes, "always": 1}

    def check(self) -> None:
        super().check()
        if len(self.always) != len(self.level):
            raise ValueError("`always` is of other labels than `level`")

    def guess(self, part: Part) -> Array:
        from scipy.special import expit

        return np.where(self.always >= 0, np.clip(self.always, 0, 1), expit(self.outputs(part)))
