"""Spec and description of the data -> Signature: what a network must take and give. No data are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dlspec.data.columns import guess_time, no_numbers, place_of_feature
from dlspec.data.datasets import Column, Description
from dlspec.data.features import FEATURES, Feature, infer
from dlspec.data.features.base import MANY
from dlspec.data.features.image import Image
from dlspec.data.features.text import Text
from dlspec.data.language import UNKNOWN_TOKEN, vocabulary_of, written_on
from dlspec.data.signature import HOLDS, INPUT_TARGET, Signature, Target, shapes_of, share_out, task_of
from dlspec.data.target import Sequenced
from dlspec.data.written import sequence_of
from dlspec.data.written import vocabulary_of as items_of
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.shapes import Shape
from dlspec.language.words import did_you_mean
from dlspec.spec.language_targets import language_problems, too_few_tokens
from dlspec.spec.named_columns import column_problems
from dlspec.spec.sequence_targets import fed_back, sequence_problems, target_of_sequence, too_long_or_empty
from dlspec.spec.spec import Spec
from dlspec.spec.tag_targets import tag_problems, tags_words, text_of
from dlspec.spec.targets import (
    cut_by,
    target_of_columns,
    with_fitted_output,
    with_form,
    with_unit_each,
    wrong_classes,
)


def read_signature(spec: Spec, description: Description) -> tuple[Signature | None, list[Diagnostic]]:
    """The signature, and what is wrong with the names of columns. None: it cannot be known."""
    problems = list(column_problems(spec, description))
    try:
        return with_unit_each(spec, _Reader(spec, description).signature()), problems
    except _NotKnown as reason:
        return None, [*problems, *reason.problems]


class _NotKnown(Exception):
    """There is no signature: because of a problem, or of what was reported as a problem of a column."""

    def __init__(self, *problems: Diagnostic) -> None:
        self.problems = problems


@dataclass(frozen=True)
class _Reader:
    """Takes a signature together, step by step; each may find that it cannot be known."""

    spec: Spec
    description: Description

    def signature(self) -> Signature:
        data, series = self.spec.data, self.series
        if written_on(data):
            return self._written_on()
        if tags_words(data) and (problems := [*tag_problems(self.spec, self.description)]):
            raise _NotKnown(*problems)
        said = sequence_of(data)
        target = self._target() if said is None else self._sequence(said)
        features = self._features(target)
        types, widths, shape = self._seen_of(features)
        if target.written and not target.aligned:
            features, types, widths, shape = self._with_fed_back(target, features, types, widths)
        target = with_fitted_output(self.spec, with_form(self.spec, cut_by(self.spec, target, shape)))
        targets = {name: self._formed(name, each, shape) for name, each in self.targets_of_outputs.items() if each}
        if len(targets) > 1:  # of which the first stands for all where one is asked for
            target = next(iter(targets.values()))
        if self.gives_back:
            target = self._given_back(target, features, types, shape)
        words = self.description.column(data.split.column) if data.split.column else None
        shared = self.spec.model.columns_of_inputs
        return Signature(
            task_of(target, series=series),
            shape,
            features,
            target,
            share_out(shared, shape, [column.name for column in features], widths, shapes_of(features)),
            targets,
            self.time if series else None,
            data.window if series else None,
            self.description.test_rows,
            types,
            widths,
            self.description.validation_rows,
            self.group,
            words.classes if words else None,
            shared,
        )

    # --- what is predicted

    @property
    def series(self) -> bool:
        return self.description.layout == "series"

    @cached_property
    def targets_of_outputs(self) -> dict[str, Target | None]:
        """Of a network that names its outputs, what each predicts; None: that cannot be predicted."""
        outputs, found = self.spec.model.outputs or {}, dict[str, Target | None]()
        for name, output in outputs.items():
            data = self.spec.data.model_copy(update={"target": output.target})
            found[name] = target_of_columns(self.description, data.target_names, data)
        return found

    def _formed(self, name: str, target: Target, seen: Shape) -> Target:
        """What an output predicts, in the form in which it is put out.

        Args:
            seen: the shape of what the network sees.
        """
        outputs = {name: (self.spec.model.outputs or {})[name]}
        alone = self.spec.with_changes(model=self.spec.model.model_copy(update={"outputs": outputs}))
        return with_form(alone, cut_by(alone, target, seen))

    @cached_property
    def target_names(self) -> list[str]:
        """The columns that are predicted, as the spec or the data say."""
        of_outputs = [target for target in self.targets_of_outputs.values() if target]
        if of_outputs and not self.spec.data.target_names:
            return list(of_outputs[0].names)
        otherwise = [INPUT_TARGET] if self.spec.unrolls else list(self.description.targets)
        return self.spec.data.target_names or otherwise

    @property
    def gives_back(self) -> bool:
        """Whether the network is to give back its input."""
        return self.target_names == [INPUT_TARGET] and INPUT_TARGET not in self.description.names

    def _target(self) -> Target:
        names, data = self.target_names, self.spec.data
        if not names and not self.spec.has("model") and self.spec.is_written("model", "outputs"):
            raise _NotKnown  # in which something is wrong, which is reported there
        if not names:
            raise _NotKnown(
                Diagnostic(
                    "missing-key",
                    "`target` is missing: the column to predict",
                    self.spec.key_span("data", next(key for key in data.sources if getattr(data, key) is not None)),
                    help=did_you_mean("", self.description.names)
                    or "add `target: …`, or `target: input` to give it back",
                )
            )
        given = Target(INPUT_TARGET, "input")
        target = given if self.gives_back else target_of_columns(self.description, names, data)
        if len(self.targets_of_outputs) > 1:  # of which the first stands for all where one is asked for
            target = next(iter(self.targets_of_outputs.values()))
        if target is None or None in self.targets_of_outputs.values():
            raise _NotKnown  # which is reported as a problem of the column
        each = [own for own in self.targets_of_outputs.values() if own] or [target]
        problems = [problem for own in each if (problem := wrong_classes(self.spec, own)) is not None]
        if problems:
            raise _NotKnown(*problems)
        return target

    def _written_on(self) -> Signature:
        """Of texts of which the next token is predicted, which the network sees too."""
        data, problems = self.spec.data, [*language_problems(self.spec, self.description)]
        name = data.target_names[0]
        column = self.description.column(name)
        if problems or column is None or column.kind != "text":  # the last of which is said of the column
            raise _NotKnown(*problems)
        kind = data.feature_type(name)
        assert isinstance(kind, Text), "all else is a problem"
        assert kind.length is not None, "all else is a problem"
        assert kind.tokens != "spaced", "all else is a problem"
        try:
            known = vocabulary_of(data, self.spec.seed, name, kind)
        except DataError as error:
            raise _NotKnown(*error.diagnostics) from None
        too_few = too_few_tokens(self.spec, known)
        if too_few is not None:
            raise _NotKnown(too_few)
        column, places = Column(name, "text", classes=known.tokens), (kind.length,)
        target = Target(name, "class", (UNKNOWN_TOKEN, *known.tokens), places=places, tokens=kind.tokens)
        shape, shared = (None, kind.length), self.spec.model.columns_of_inputs
        words = self.description.column(data.split.column) if data.split.column else None
        return Signature(
            task_of(target, series=False),
            shape,
            (column,),
            target,
            share_out(shared, shape, [name], places),
            {},
            test_rows=self.description.test_rows,
            types=(kind,),
            widths=places,
            validation_rows=self.description.validation_rows,
            group=data.split.group,
            part_words=words.classes if words else None,
            shared=shared,
            one_text=known.texts == 1,
        )

    def _sequence(self, said: Sequenced) -> Target:
        """A text that is written item by item, or read off timesteps."""
        data, problems = self.spec.data, [*sequence_problems(self.spec, self.description, said)]
        name = data.target_names[0]
        column = self.description.column(name)
        if problems or column is None or column.kind != "text" or not self.spec.has("model"):
            raise _NotKnown(*problems)  # the column is spoken of elsewhere
        try:
            known = items_of(data, self.spec.seed, name, said)
        except DataError as error:
            raise _NotKnown(*error.diagnostics) from None
        problem = too_long_or_empty(self.spec, said, known)
        if problem is not None:
            raise _NotKnown(problem)
        target = target_of_sequence(name, said, known)
        problem = wrong_classes(self.spec, target)
        if problem is not None:
            raise _NotKnown(problem)
        return target

    def _with_fed_back(
        self, target: Target, features: tuple[Column, ...], types: tuple[Feature, ...], widths: tuple[int, ...]
    ) -> tuple[tuple[Column, ...], tuple[Feature, ...], tuple[int, ...], Shape]:
        """What the network sees, with what was written so far behind it."""
        if not types:
            message = f"`{features[0].name}` holds arrays, and texts are written from columns of a table"
            place = self.spec.key_span("model", "inputs")
            raise _NotKnown(Diagnostic("wrong-value", message, place, help="name columns of text, numbers or words"))
        column, kind = fed_back(target)
        widths = (*widths, kind.width(column))
        return (*features, column), (*types, kind), widths, (None, sum(widths))

    # --- what the network sees

    @property
    def time(self) -> str | None:
        """The column of times."""
        return self.spec.data.time_name or self.description.time or guess_time(self.description)

    @property
    def group(self) -> str | None:
        """The column that says which series, or which group, a row belongs to."""
        return self.spec.data.group if self.series else self.spec.data.split.group

    def _features(self, target: Target) -> tuple[Column, ...]:
        """The columns that the network sees: those that are named, or those that can be seen by themselves."""
        by_inputs = [name for names in (self.spec.model.columns_of_inputs or {}).values() for name in names]
        kept = self._not_to_be_seen()
        fed = target.written is not None and not target.aligned
        by_inputs = [name for name in by_inputs if not fed or name != target.name]
        chosen = self.spec.data.feature_names or list(dict.fromkeys(by_inputs))
        chosen = chosen or [name for name in self.description.features if name not in kept]
        chosen = chosen or [
            column.name
            for column in self.description.columns
            if column.name not in (self.time, self.group, self.spec.data.weight)
            and (self.series or column.name not in kept)
            and not (self._is_now and column.name in self._predicted)
            and self._by_itself(column)
        ]
        if not chosen:
            raise _NotKnown(self._no_features(target, kept))
        # a name that is not there counts as a number, so that shapes are still checked
        return tuple(self.description.column(name) or Column(name) for name in chosen)

    @property
    def _predicted(self) -> set[str]:
        """The columns that are predicted, by whichever output."""
        of_outputs = (name for each in self.targets_of_outputs.values() if each for name in each.names)
        return {*self.target_names, *of_outputs}

    def _not_to_be_seen(self) -> set[str]:
        """Columns that say what is predicted, which part or group a row belongs to, or how much it counts."""
        predicted = self._predicted
        if self.gives_back and not self.series:
            predicted |= {*self.description.targets}  # the label of a built-in set is no part of a sample
        data = self.spec.data
        return predicted | {name for name in (self.group, data.split.column, data.weight) if name}

    @property
    def _is_now(self) -> bool:
        """Whether what is predicted stands in rows that the network sees."""
        window = self.spec.data.window
        return self.series and window is not None and window.each and window.horizon == 0

    def _by_itself(self, column: Column) -> bool:
        """Whether the network sees a column that nobody names: numbers, and of a table words that come again."""
        words = column.kind == "class" and not self.series and len(column.classes) <= MANY
        return column.kind == "number" or words

    def _no_features(self, target: Target, kept: set[str]) -> Diagnostic:
        kinds = no_numbers(self.description)
        other = next((c for c in self.description.columns if c.kind in kinds and c.name not in kept), None)
        help = "predict another column"
        if other:
            help = f"name one: `features: {{{other.name}: {other.kind}}}`"
        elif self.spec.data.table:
            help += "; or, if a row is a timestep, write `series` in place of `table`"
        message = f"no column is left for the network to see besides `{target.name}`"
        return Diagnostic("no-features", message, self.spec.key_span("data"), help=help)

    def _seen_of(self, features: Sequence[Column]) -> tuple[tuple[Feature, ...], tuple[int, ...], Shape]:
        """The type of each feature of a table, how many numbers each is, and the shape of all of them together."""
        data, alone = self.spec.data, (1,) * len(features)
        if self.series:
            if data.window is None:
                raise _NotKnown(
                    Diagnostic(
                        "missing-key",
                        "a series needs `window`: how many timesteps the network sees",
                        self.spec.key_span("data"),
                        help="add `window: {length: 30, horizon: 1}` under `data`",
                    )
                )
            return (), alone, (None, data.window.length, len(features))
        arrays = next((column for column in features if column.shape), None)
        if arrays is None or len(features) > 1:
            self._check_side_by_side(features)
            types = tuple(self._type_of(column) for column in features)
            types = (text_of(data),) if tags_words(data) else types
            widths = tuple(kind.width(column) for kind, column in zip(types, features, strict=True))
            return types, widths, (None, sum(widths))
        said = data.feature_type(arrays.name)
        if isinstance(said, Image) and said.scale is not None:
            problem = f"`{arrays.name}` is all that the network sees, and its scale is that of the data"
            span = data.span(*place_of_feature(data, arrays.name))
            help = f"write `scale: {said.scale}` under `data`, and `{arrays.name}: image`"
            raise _NotKnown(Diagnostic("wrong-value", problem, span, help=help))
        return (), alone, (None, *arrays.shape)

    def _type_of(self, column: Column) -> Feature:
        said = self.spec.data.feature_type(column.name)
        if column.shape:  # a network of `keras.applications` takes pixels as they are
            return said or FEATURES["image"](**({"scale": "none"} if self.spec.model.application is not None else {}))
        return said or infer(column) or FEATURES["numeric"]()

    def _check_side_by_side(self, features: Sequence[Column]) -> None:
        """Arrays beside other features take an input of their own each."""
        inputs, data = self.spec.model.columns_of_inputs or {}, self.spec.data
        for column in features:
            if not column.shape or any(names == [column.name] for names in inputs.values()):
                continue
            beside = next(other.name for other in features if other is not column)
            given = next((name for name, names in inputs.items() if column.name in names), None)
            others = ", ".join(other.name for other in features if other is not column)
            raise _NotKnown(
                Diagnostic(
                    "wrong-value",
                    f"`{column.name}` holds arrays, such as pictures, and `{beside}` stands beside it; arrays have an "
                    "input of their own",
                    self.spec.key_span("model", "inputs", given)
                    if given is not None
                    else self.spec.span("data", "features")
                    if data.features
                    else self.spec.key_span("model"),
                    help=f"write `inputs: {{{column.name}_in: {column.name}, others: [{others}]}}` under `model`, or "
                    f"`features: {column.name}`",
                )
            )

    def _given_back(self, target: Target, features: Sequence[Column], types: Sequence[Feature], shape: Shape) -> Target:
        """The input as a target, which must hold numbers."""
        data = self.spec.data
        words = next((c for c, kind in zip(features, types, strict=False) if kind.raw != "number"), None)
        if words is not None:
            raise _NotKnown(
                Diagnostic(
                    "wrong-target",
                    f"`target: {INPUT_TARGET}` gives back numbers, and `{words.name}` holds {HOLDS[words.kind]}",
                    self.spec.span("data", "target") if data.target else self.spec.key_span("data"),
                    help=f"list the features without `{words.name}`",
                )
            )
        sizes = tuple(size for size in shape[1:] if size is not None)
        return replace(target, shape=sizes, inside=data.inside(types))
