"""Every layer, initializer, regularizer, constraint, loss, metric, optimizer, schedule, callback and activation of
the installed Keras is in the language with all its arguments and defaults, or left out with a reason.

`pytest -s tests/model/test_keras_coverage.py` prints how many there are of each.
"""

import inspect
from operator import attrgetter

import pytest
from pydantic import ValidationError

from dlspec.evaluation.metrics import METRICS
from dlspec.language import left_out as parts_left_out
from dlspec.model.activations import ACTIVATIONS
from dlspec.model.constraints import CONSTRAINTS
from dlspec.model.initializers import INITIALIZERS
from dlspec.model.keras_kind import KerasKind
from dlspec.model.layers import LAYERS
from dlspec.model.layers import left_out as layers_left_out
from dlspec.model.layers.recurrent import CELLS
from dlspec.model.regularizers import REGULARIZERS
from dlspec.training.callbacks.base import CALLBACKS
from dlspec.training.losses import LOSSES
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.schedules.base import SCHEDULES

MODULES = {
    "layers": (LAYERS, "Layer"),
    "initializers": (INITIALIZERS, "Initializer"),
    "regularizers": (REGULARIZERS, "Regularizer"),
    "constraints": (CONSTRAINTS, "Constraint"),
    "losses": (LOSSES, "Loss"),
    "metrics": (METRICS, "Metric"),
    "optimizers": (OPTIMIZERS, "Optimizer"),
    "optimizers.schedules": (SCHEDULES, "LearningRateSchedule"),
    "callbacks": (CALLBACKS, "Callback"),
}

CELL_NAMES = {kind.__name__ for kind in CELLS.load_all().values()}
"""Cells are not in a list of layers but inside `rnn`."""

CALLED_WITH = {"state_from"}
"""What Keras is told where a layer is called: `initial_state`."""
OF_EVERY_LAYER = {"name", "trainable", "dtype", "from_"}
"""What every layer takes, which stands in no signature of Keras, or is ours (`from`)."""

LEFT_OUT = {
    "layers": {name: why for name, why in layers_left_out.LEFT_OUT.items() if name not in CELL_NAMES},
    **parts_left_out.LEFT_OUT,
}
ARGUMENTS_LEFT_OUT = parts_left_out.ARGUMENTS_LEFT_OUT

LEARNT = "Keras learns it from the data; a spec gives it"

OTHER_DEFAULTS = {
    "layers.CategoryEncoding.num_tokens": "Keras demands it wherever there is something to encode",
    "layers.Discretization.bin_boundaries": LEARNT,
    "layers.Embedding.input_dim": "that of the vocabulary of the data",
    "layers.ReversibleEmbedding.input_dim": "that of the vocabulary of the data",
    "layers.IntegerLookup.vocabulary": LEARNT,
    "layers.StringLookup.vocabulary": LEARNT,
    "layers.TextVectorization.vocabulary": LEARNT,
    "optimizers.schedules.CosineDecay.decay_steps": "left out, the whole training",
    "optimizers.schedules.ExponentialDecay.decay_steps": "left out, the whole training",
    "optimizers.schedules.InverseTimeDecay.decay_steps": "left out, the whole training",
    "optimizers.schedules.PolynomialDecay.decay_steps": "left out, the whole training",
}
"""Argument whose default is not Keras's -> why."""


@pytest.fixture(scope="module")
def table():
    """Counts of each module, printed at the end."""
    rows: dict[str, dict[str, int]] = {}
    yield rows
    print(f"\n\n{'':22}{'names':>12}{'left out':>10}{'arguments':>12}")
    for module, row in rows.items():
        covered = f"{row['covered']} of {row['wanted']}"
        print(f"{module:22}{covered:>12}{row['left_out']:>10}{row.get('arguments', 0):>12}")


def home(module: str) -> object:
    """The module of Keras."""
    import keras

    return attrgetter(module)(keras)


def classes(module: str, base: str) -> dict[str, type]:
    """The public classes of a module of Keras, each by its own name."""
    where, found = home(module), {}
    for name in sorted(dir(where)):
        value = getattr(where, name)
        if inspect.isclass(value) and issubclass(value, getattr(where, base)) and value not in found.values():
            found[value.__name__ if hasattr(where, value.__name__) else name] = value
    return found


def arguments(cls: type) -> dict[str, object]:
    """Arguments of a class of Keras with their defaults."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {
        p.name: p.default for p in parameters if p.name != "self" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }


def taken_by(cls: type) -> set[str]:
    """Arguments that may be given to a class, those it passes on to its bases and those of `call` included."""
    taken = {argument for base in cls.__mro__[:-1] for argument in arguments(base)}
    return taken | set(inspect.signature(cls.call).parameters if hasattr(cls, "call") else ())


def is_left_out(module: str, name: str, argument: str) -> bool:
    keys = [f"{module}.{name}.{argument}", f"{module}.*.{argument}"]
    if module != "layers":
        keys.append(f"*.{argument}")
    return any(key in ARGUMENTS_LEFT_OUT for key in keys)


def kinds_of(module: str, name: str) -> list[type]:
    """What stands for a class of Keras."""
    return [kind for kind in all_kinds(module).values() if name in keras_names(kind)]


def all_kinds(module: str) -> dict[str, type]:
    """What one can write, by name."""
    found = MODULES[module][0].load_all()
    return {**found, **CELLS.load_all()} if module == "layers" else dict(found)


def keras_names(kind: type) -> tuple[str, ...]:
    """The classes of Keras that it stands for; none of what is ours."""
    if kind in LAYERS.load_all().values() or kind in CELLS.load_all().values():
        return (kind.__name__,) if hasattr(home("layers"), kind.__name__) else ()
    return kind.keras_names if hasattr(kind, "keras_names") else (kind.keras_name or kind.__name__,)


def same(ours: object, theirs: object) -> bool:
    """Whether two defaults mean the same."""
    if isinstance(ours, KerasKind):  # an initializer; Keras has its name, or an object of it
        import keras

        return keras.initializers.get(theirs).get_config() == ours.build().get_config()
    if ours == "linear" and theirs is None:  # an activation
        return True
    if isinstance(ours, tuple | list) and set(flat(theirs)) == set(flat(ours)) and len(set(flat(ours))) == 1:
        return True  # one number stands for all axes
    return (list(ours) if isinstance(ours, tuple) else ours) == (list(theirs) if isinstance(theirs, tuple) else theirs)


def flat(value: object) -> list[object]:
    return [x for part in value for x in flat(part)] if isinstance(value, tuple | list) else [value]


@pytest.mark.parametrize("module", MODULES)
def test_every_name_of_keras_is_there_or_left_out_for_a_reason(module, table):
    names = classes(module, MODULES[module][1])
    covered = {name for name in names if kinds_of(module, name)}
    missing = set(names) - covered - set(LEFT_OUT[module])
    assert not missing, f"{module}: new in this Keras"
    assert not covered & set(LEFT_OUT[module]), "both there and left out"
    assert all(hasattr(home(module), name) for name in LEFT_OUT[module]), "no longer in Keras"
    given = {name for kind in all_kinds(module).values() for name in keras_names(kind)}
    assert given <= set(names), "Keras has no such class"
    left = len(set(LEFT_OUT[module]) & set(names))
    table.setdefault(module, {}).update(covered=len(covered), wanted=len(names) - left, left_out=left)


@pytest.mark.parametrize("module", MODULES)
def test_every_argument_of_keras_is_there_with_its_default_or_left_out_for_a_reason(module, table):
    counted = 0
    wrong = []
    for name, cls in classes(module, MODULES[module][1]).items():
        for kind in kinds_of(module, name):
            fields = {name.removesuffix("_"): field for name, field in kind.model_fields.items()}
            for argument, default in arguments(cls).items():
                place = f"{module}.{name}.{argument}"
                if module == "layers" and argument in OF_EVERY_LAYER:
                    continue
                field = fields.get(argument)
                if field is None or is_left_out(module, name, argument):
                    if (field is None) != is_left_out(module, name, argument):
                        wrong.append(f"{place} is {'missing' if field is None else 'both there and left out'}")
                    continue
                counted += 1
                if place in OTHER_DEFAULTS:
                    continue
                required = default is inspect.Parameter.empty
                if field.is_required() != required or (not required and not same(field.get_default(), default)):
                    wrong.append(f"{place} has the default {field.get_default()}, in Keras {default}")
    assert not wrong
    table.setdefault(module, {"covered": 0, "wanted": 0, "left_out": 0})["arguments"] = counted


def test_no_argument_is_left_out_that_keras_does_not_have():
    known = {
        f"{module}.{name}.{argument}"
        for module, (_, base) in MODULES.items()
        for name, cls in classes(module, base).items()
        for argument in arguments(cls)
    }
    for key in ARGUMENTS_LEFT_OUT:
        parts = key.split("*")
        assert any(place.startswith(parts[0]) and place.endswith(parts[-1]) for place in known), key


def test_why_an_argument_is_left_out_reaches_the_reader():
    for module in MODULES:
        for place, why in ARGUMENTS_LEFT_OUT.items():
            for kind in all_kinds(module).values():
                for name in keras_names(kind):
                    argument = place.rpartition(".")[2]
                    of_any = module != "layers" and place == f"*.{argument}"
                    if of_any or place in (f"{module}.{name}.{argument}", f"{module}.*.{argument}"):
                        (problem,) = _problems_of(kind, argument)
                        assert why in problem["msg"], (place, kind)


def _problems_of(kind: type, argument: str) -> list[dict]:
    with pytest.raises(ValidationError) as raised:
        kind.model_validate({argument: 1})
    return [problem for problem in raised.value.errors() if problem["loc"] == (argument,)]


def test_what_stands_for_a_class_of_keras_has_no_arguments_of_its_own():
    for module, (_, base) in MODULES.items():
        known = classes(module, base)
        for name, kind in all_kinds(module).items():
            if keras_names(kind):
                taken = {argument for keras_name in keras_names(kind) for argument in taken_by(known[keras_name])}
                extra = set(kind.model_fields) - taken - {f"{name}_" for name in taken} - CALLED_WITH
                assert extra <= (OF_EVERY_LAYER if module == "layers" else set()), f"{module}.{name}"


def test_every_activation_of_keras_is_there_or_left_out_for_a_reason(table):
    import keras

    names = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert names == set(ACTIVATIONS) | set(LEFT_OUT["activations"])
    assert not set(ACTIVATIONS) & set(LEFT_OUT["activations"])
    left = len(LEFT_OUT["activations"])
    table["activations"] = {"covered": len(ACTIVATIONS), "wanted": len(names) - left, "left_out": left}


def test_other_names_are_answered_with_the_one_that_is_written():
    for _, (registry, _) in MODULES.items():
        for name, kind in registry.load_all().items():
            for other in kind.also:
                assert other not in registry, f"{other} names two things"
                with pytest.raises(ValueError, match=other) as caught:
                    registry.read(other)
                assert caught.value.errors()[0]["ctx"]["help"] == f"write `{name}`"
