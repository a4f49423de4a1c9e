"""Name -> class, for one kind of thing: layers, datasets, pretraining methods, baselines, optimizers.

The folder (or module) of a kind is the list of what there is: a class with `@REGISTRY.register` in it is
known to the spec language, the reference and the tests under its name in snake case. Other packages add classes by
entry points in the group that `Registry.group` names, and a file that the command line names (`plugins`) by the same
decorator. Neither can replace a class of dlspec.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import SpecModel, mistake, not_yet, rebuild_error, show_value
from dlspec.language.homes import HOMES
from dlspec.language.notations import NAMED_BY, Call, as_calls
from dlspec.language.words import bare, did_you_mean, nearest, one_of, same
from dlspec.language.yaml import to_inline_yaml

K = TypeVar("K", bound="Kind")


def snake_case(name: str) -> str:
    """`MaxPooling2D` -> `max_pooling2d`, as Keras names layers."""
    name = re.sub("P?ReLU", lambda match: match[0].capitalize(), name)  # `prelu`, where Keras has `p_re_lu`
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Kind(SpecModel):
    """Base of everything that a spec names: its class name, in snake case, is what one writes."""

    type_name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Other names that people know it by; one that writes them is told this one."""
    examples: ClassVar[list[Any]] = []
    """Ways to write it, each tried by the tests."""

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        why = cls.why_no_argument(key)
        if why is None:
            return super()._explain_unknown(key)
        said = f"`{cls.type_name}` takes no `{key}` here: {why}"
        return mistake("unknown-key", said, help=f"leave `{key}` out", at="key")

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.type_name = cls.name_in_yaml()

    @classmethod
    def name_in_yaml(cls) -> str:
        """How the class is called in a spec."""
        return snake_case(cls.__name__)

    @classmethod
    @cache
    def primary(cls) -> str | None:
        """The key whose value may be written directly behind the name."""
        for name, field in cls.keys().items():
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("primary"):
                return name
        return None

    @classmethod
    def unfold(cls, written: Any) -> tuple[Any, str | None]:
        """The arguments of what was written behind the name, and the key that was left out in it, if a mapping was."""
        primary = cls.primary()
        if written is None:
            return {}, None
        return (written if isinstance(written, dict) or primary is None else {primary: written}), None

    @classmethod
    def names_above(cls) -> tuple[str, Sequence[str]] | None:
        """An argument whose value may be written as a key, with the others below it, and its values."""
        return None

    @classmethod
    def written_at(cls, place: tuple[int | str, ...], written: Any) -> tuple[int | str, ...]:
        """Where an argument stands in what was written behind the name, if `unfold` moved it."""
        return place

    def arguments(self) -> dict[str, Any]:
        """The fields by name, as the class that this builds takes them."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    @classmethod
    @cache
    def _defaults(cls) -> tuple[tuple[str, str, bool, Any], ...]:
        """Of each field its attribute, its key, whether it must be given, and what it is otherwise."""
        return tuple(
            (name, name.removesuffix("_"), field.is_required(), field.get_default())
            for name, field in cls.fields_in_order().items()
        )

    def brief(self) -> Any:
        """As a person would write it: `{dropout: 0.2}`, without defaults."""
        given = {}
        for name, key, required, default in self._defaults():
            value = getattr(self, name)
            if required or value != default:
                given[key] = brief_of(value)
        if list(given) == [self.primary()]:
            return {self.type_name: given[self.primary() or ""]}
        return {self.type_name: given} if given else self.type_name

    def written(self) -> Any:
        """`{name: {argument: value}}`, every argument written out, or the bare name where there is none."""
        fields = super().written()
        return {self.type_name: fields} if fields else self.type_name


def brief_of(value: Any) -> Any:
    """A value of a field as a person would write it."""
    if isinstance(value, Kind):
        return value.brief()
    if isinstance(value, SpecModel):
        return value.written()
    if isinstance(value, list | tuple):
        return [brief_of(v) for v in value]
    return value


def _to_fill_in(cls: type[Kind], given: Any = None) -> str:
    """`{filters: 16, kernel_size: …}`: the keys that are needed, the first with what was given for it."""
    keys = [name for name, field in cls.keys().items() if field.is_required()] or [*cls.keys()][:1]
    plain = isinstance(given, int | float) and not isinstance(given, bool)
    return "{" + ", ".join(f"{key}: {given if plain and key == keys[0] else '…'}" for key in keys) + "}"


def _behind(name: str, written: Any) -> Iterator[Call]:
    """The ways to read what stands behind a name in place of a mapping of keys: `dense: 64 relu`."""
    if isinstance(written, str):
        yield from as_calls(f"{name} {written}")
    elif isinstance(written, list):
        yield Call(name, written)


def plural_of(noun: str) -> str:
    """`pretraining method` -> `pretraining_methods`, as `dlspec layers --kind` and groups of entry points have it."""
    word = noun.replace(" ", "_")
    return word + ("es" if word.endswith("s") else "s")


@cache
def _installed() -> Any:
    """The entry points of all installed packages; looking for them takes a while."""
    return entry_points()


def is_own(cls: type) -> bool:
    """Whether a class is one of dlspec's."""
    return cls.__module__.startswith("dlspec.")


def _place_of(module: str) -> str:
    """Where a class comes from, in words: dlspec, or the file of its module."""
    if module.startswith("dlspec."):
        return "dlspec"
    return f"`{getattr(sys.modules.get(module), '__file__', None) or module}`"


def _package_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.value


class NameTaken(ValueError):
    """Two classes want the same name."""


class Registry(Generic[K]):
    """The kinds of one sort.

    Args:
        noun: what one of them is called in messages: `layer`.
        home: the package (or module) whose classes register here; loaded on the first look-up.
        later: names of the language that this version does not have yet.
        left_out: names that someone may look for here -> why there are none.
        usual: the one that someone means who writes its arguments alone.
        lazy: whether a module is loaded only when one of its own names is looked up, by the list in `homes`: 150 layer
            types take a while to make. A class that is not listed there yet is found all the same, by loading all.
    """

    made: ClassVar[list[Registry[Any]]] = []
    """Every registry there is."""

    def __init__(
        self,
        noun: str,
        home: str,
        later: Sequence[str] = (),
        left_out: Mapping[str, str] | None = None,
        lazy: bool = False,
        usual: str | None = None,
    ) -> None:
        self.noun = noun
        self.later = later
        self.left_out = left_out or {}
        self.home = home
        self.lazy = lazy
        self.usual = usual
        self._classes: dict[str, type[K]] = {}
        self._all_loaded = False
        self.made.append(self)

    def register(self, cls: type[K]) -> type[K]:
        """Class decorator. Raises NameTaken when there is a class of that name."""
        name = cls.type_name
        # while dlspec's own modules are loaded, the list of them is not complete
        taken = name in self._classes or (not is_own(cls) and name in self._own_names())
        if taken:
            before = _place_of(self._classes[name].__module__ if name in self._classes else self.home)
            raise NameTaken(
                f"there is {self.a_noun} `{name}` of {before}, so {_place_of(cls.__module__)} cannot add one"
            )
        self._classes[name] = cls
        return cls

    def names_of(self, module: str) -> list[str]:
        """What a module registered here."""
        return [name for name, cls in self._classes.items() if cls.__module__ == module]

    def remove(self, name: str) -> None:
        """Takes a class out again that was registered."""
        del self._classes[name]

    @property
    def group(self) -> str:
        """The group of entry points by which other packages add classes: `dlspec.layers`."""
        return f"dlspec.{plural_of(self.noun)}"

    def built_in(self, name: str) -> type[K] | None:
        """The class of dlspec itself, or None; plugins and other packages are not asked."""
        cls = self[name] if name in self._own_names() else None
        return cls if cls is not None and is_own(cls) else None

    def package_of(self, name: str) -> str | None:
        """The installed package that adds a class of this name."""
        return _package_of(self._added[name]) if name in self._added else None

    def __getitem__(self, name: str) -> type[K]:
        if name not in self._classes and name in self._listed:
            importlib.import_module(f"{self.home}.{self._listed[name]}")
        if name not in self._classes and name in self._added:
            self._load(self._added[name])
        if name not in self._classes:
            self._load_modules()
        return self._classes[name]

    def get(self, name: object) -> type[K] | None:
        """The class, or None where there is none of that name."""
        return self[name] if isinstance(name, str) and name in self else None

    @property
    def a_noun(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    @property
    def unknown(self) -> str:
        """The code of a name that is none."""
        return f"unknown-{self.noun.replace(' ', '-')}"

    def __repr__(self) -> str:
        return f"<registry of {self.noun}s>"

    def __contains__(self, name: object) -> bool:
        if name in self._classes:
            return True
        return name in self._own_names() or name in self._added

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names()))

    def __len__(self) -> int:
        return len(self._names())

    def load_all(self) -> dict[str, type[K]]:
        """Every class by its name."""
        self._load_modules()
        return {name: self[name] for name in self}

    def _names(self) -> set[str]:
        return {*self._own_names(), *self._added}

    def _own_names(self) -> set[str]:
        if not self.lazy:
            self._load_modules()
        return {*self._listed, *self._classes}

    @property
    def _listed(self) -> Mapping[str, str]:
        """Name -> module, of classes that need not be loaded yet."""
        return HOMES.get(self.noun, {}) if self.lazy else {}

    @cached_property
    def _added(self) -> dict[str, EntryPoint]:
        """Name -> where a class stands that another package adds; looked up when a name is not one of our own."""
        found: dict[str, EntryPoint] = {}
        for entry in _installed().select(group=self.group):
            package, before = _package_of(entry), found.setdefault(entry.name, entry)
            taken_by = "dlspec" if self.built_in(entry.name) else f"`{_package_of(before)}`"
            if taken_by == "dlspec" or before.value != entry.value:
                said = f"the package `{package}` adds {self.a_noun} `{entry.name}`, which {taken_by} has already"
                raise DataError.of("broken-package", said, help=f"remove `{package}`, or rename its {self.noun}")
        return found

    def _load(self, entry: EntryPoint) -> None:
        try:
            entry.load()
        except Exception as error:
            package = _package_of(entry)
            said = f"the {self.noun} `{entry.name}` of the package `{package}` cannot be loaded: {error}"
            raise DataError.of("broken-package", said, help=f"mend or remove `{package}`") from error
        if entry.name not in self._classes:
            said = f"`{entry.value}` registers no {self.noun} `{entry.name}`"
            raise DataError.of("broken-package", said, help="name the entry point as the class is called in YAML")

    def _load_modules(self) -> None:
        """Loads the home and all its modules, but not private ones, which may load Keras."""
        if not self._all_loaded:
            self._all_loaded = True  # before, since modules look names up while they are loaded
            home = importlib.import_module(self.home)
            for module in iter_modules(getattr(home, "__path__", ())):
                if not module.name.startswith("_"):
                    importlib.import_module(f"{self.home}.{module.name}")

    def own_homes(self) -> dict[str, str]:
        """Name -> module below the home, of all classes of dlspec itself; what `homes` lists."""
        self._load_modules()
        own = {name: cls for name, cls in self._classes.items() if is_own(cls)}
        return {name: own[name].__module__.removeprefix(f"{self.home}.") for name in sorted(own)}

    def read(self, value: Any) -> K:
        """A bare name, or `{name: arguments}`, as an instance.

        Raises:
            ValidationError: with our words, at places that begin with the name.
        """
        if isinstance(value, Kind):
            return value  # type: ignore[return-value]
        name, arguments, place = self._split(value)
        cls = self._find(name, place, value)
        written = arguments
        arguments, unwritten = cls.unfold(arguments)
        if not isinstance(arguments, dict):
            keys = cls.keys()
            alone = f"write `{name}: {_to_fill_in(cls, arguments)}`" if keys else f"write `{name}` alone"
            raise self.error(
                mistake(
                    "wrong-type",
                    f"`{name}` takes {'keys' if keys else 'no value'}, got {show_value(arguments)}",
                    help=self._help_for(*_behind(name, arguments)) or alone,
                ),
                place,
                arguments,
            )
        try:
            return cls.model_validate(arguments)
        except ValidationError as error:
            cure = None if isinstance(written, dict) else self._help_for(*_behind(name, written))

            def as_written(line: InitErrorDetails) -> InitErrorDetails:
                place, said = line.get("loc", ()), line["type"]
                if unwritten is not None and place[:1] == (unwritten,):
                    line["loc"] = place[1:]
                else:
                    line["loc"] = cls.written_at(place, written)
                if not isinstance(said, PydanticCustomError):
                    return line
                if cure and said.context and not said.context["help"]:
                    line["type"] = PydanticCustomError(said.type, "{message}", {**said.context, "help": cure})
                elif written is None and said.type == "missing-key":  # the bare name
                    help = f"write `{name}: {_to_fill_in(cls)}`"
                    line["type"] = PydanticCustomError(said.type, "{message}", {**(said.context or {}), "help": help})
                return line

            raise rebuild_error(error, name, as_written, below=place) from None

    def _help_for(self, *calls: Call) -> str | None:
        """What to write here for what another tool writes as one of these calls; None: none of them would be valid."""
        for call in calls:
            name = same(call.name, self) or next((own for own in self._classes if call.name in self[own].also), None)
            if name is None:
                continue
            known = self[name].keys()
            keys = [key for key in known if key not in ("name", "trainable", "dtype", "from")]
            arguments = call.arguments(keys)
            for _ in range(3):  # words of other tools may stand in it too
                if arguments is None:
                    break
                written = {name: arguments} if arguments else name
                try:
                    self.read(written)
                except ValidationError as error:
                    meant = {line["loc"][1:]: line["ctx"].get("meant") for line in error.errors(include_url=False)}
                    known = {str(place[0]): word for place, word in meant.items() if len(place) == 1 and word}
                    if len(known) < len(meant):
                        break
                    arguments = {key: known.get(key, value) for key, value in arguments.items()}
                    continue
                short = list(arguments) == [self[name].primary()]
                return f"write `{to_inline_yaml({name: next(iter(arguments.values()))} if short else written)}`"
        return None

    def _below_it(self, name: str, value: Mapping[str, Any]) -> str | None:
        """How arguments are written below a name, where they stand beside it: `{dense: 8, name: h}`."""
        if name not in self:
            return None
        own, others = value[name], {key: value[key] for key in value if key != name}
        given, left_out = self[name].unfold(own)
        if left_out or not isinstance(given, Mapping) or not given or {*given} & {*others}:
            return None
        together, keys = {**given, **others}, self[name].keys()
        return f"write `{to_inline_yaml({name: together})}`" if all(key in keys for key in together) else None

    def _not_of_it(self, name: str, others: Sequence[str]) -> str | None:
        """That a class has no such arguments, where they stand beside its name."""
        keys = self[name].keys() if name in self else {}
        strange = [other for other in others if not same(other, keys)]
        known = any(other in self or other in keys for other in others)
        return f"`{name}` has no {one_of(strange)}; leave it out" if keys and strange and not known else None

    def _usual(self, value: Any) -> Iterator[Call]:
        """The class that is meant where its arguments stand without its name."""
        if self.usual is None:
            return
        keys = self[self.usual].keys()
        if isinstance(value, Mapping) and value and all(key in keys for key in value):
            yield Call(self.usual, (), value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield Call(self.usual, [value])

    def _split(self, value: Any) -> tuple[str, Any, tuple[str, ...]]:
        if isinstance(value, str):
            return value, None, ()
        if isinstance(value, dict) and len(value) == 1:
            ((name, arguments),) = value.items()
            return name, arguments, (name,)
        if isinstance(value, dict) and value:
            name, *others = value
            aside = value[name] is None and name in self
            raise self.error(
                mistake(
                    "not-one-key",
                    f"{self.a_noun} is one key with its arguments below it, got {one_of(value)} side by side",
                    help=f"write `- {others[0]}` below `{name}`, further to the right"
                    if aside and getattr(self[name], "lists", None)
                    else self._help_for(*self._usual(value), *as_calls(value))
                    or (
                        f"indent {one_of(others)} below `{name}`, or write `{name}: {{{others[0]}: …}}`"
                        if aside
                        else self._below_it(name, value)
                        or self._not_of_it(name, others)
                        or f"write one {self.noun} in each entry"
                    ),
                    at="key",
                ),
                (others[0],),
                value,
            )
        help = self._help_for(*self._usual(value), *as_calls(value))
        said = mistake("wrong-type", f"{self.a_noun} is needed here, got {show_value(value)}", help=help)
        raise self.error(said, (), value)

    def _find(self, name: str, place: tuple[str, ...], value: Any) -> type[K]:
        if name not in self:
            self._load_modules()  # it may be one that is not listed yet
        if name in self:
            return self[name]
        at: Literal["key", "value"] = "key" if place else "value"
        if name in self.later:
            said = not_yet(f"the {self.noun} `{name}`", at)
        elif (why := self.why_not(name)) is not None:
            said = mistake(self.unknown, f"there is no {self.noun} `{name}`: {why}", at=at)
        else:
            message = f"there is no {self.noun} `{name}`"
            known = next((own for own, cls in self._classes.items() if name in cls.also), None)
            alone = isinstance(value, dict) and name not in (*self, *NAMED_BY)
            calls = as_calls(name) if not place else self._usual(value) if alone else ()
            help = (
                f"write `{known}`"
                if known
                else self._help_for(*calls)
                or did_you_mean(name, self, otherwise=f"`dlspec layers{self._option}` lists them", find=nearest)
            )
            word = re.match(r"[\w-]*", name)[0]  # type: ignore[index]
            meant = known or (word if word in self else nearest(name, self))
            said = mistake(self.unknown, message, help=help, at=at, given=name, meant=meant)
        raise self.error(said, place, value)

    def why_not(self, name: str) -> str | None:
        """Why there is none of this name, where someone may look for it; as Keras writes it, or in snake case."""
        folded = bare(name)
        return next((why for left, why in self.left_out.items() if bare(left) == folded), None)

    @property
    def _option(self) -> str:
        """Of `dlspec layers`, to list what is kept here."""
        return "" if self.noun == "layer" else f" --kind {plural_of(self.noun)}"

    def error(self, said: Any, place: tuple[str | int, ...], value: Any) -> ValidationError:
        """A mistake at a place below the value that is being read."""
        return ValidationError.from_exception_data(self.noun, [InitErrorDetails(type=said, loc=place, input=value)])


def anything_added() -> bool:
    """Whether plugins or other packages have added to dlspec's own classes."""
    return any(not is_own(cls) for registry in Registry.made for cls in registry._classes.values())


class OneOf:
    """Annotation of a field that holds one kind out of a registry: `Annotated[Optimizer, OneOf(OPTIMIZERS)]`."""

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.registry.read)
