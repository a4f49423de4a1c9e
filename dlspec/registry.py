"""Name -> class, for one kind of thing: layers, datasets, pretraining methods, baselines, optimizers.

The folder (or module) of a kind is the list of what there is: a class with `@REGISTRY.register` in it is
known to the spec language, the reference and the tests under its name in snake case.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, core_schema

from dlspec.fields import SpecModel, did_you_mean, mistake, not_yet, one_of, rebuild_error, show_value

K = TypeVar("K", bound="Kind")


def snake_case(name: str) -> str:
    """`MaxPooling2D` -> `max_pooling2d`, as Keras names layers."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Kind(SpecModel):
    """Base of everything that a spec names: its class name, in snake case, is what one writes."""

    type_name: ClassVar[str]
    examples: ClassVar[list[Any]] = []
    """Ways to write it, each tried by the tests."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.type_name = cls.name_in_yaml()

    @classmethod
    def name_in_yaml(cls) -> str:
        """How the class is called in a spec."""
        return snake_case(cls.__name__)

    @classmethod
    def primary(cls) -> str | None:
        """The field that may be written directly behind the name."""
        for name, field in cls.model_fields.items():
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("primary"):
                return name
        return None

    def arguments(self) -> dict[str, Any]:
        """The fields by name, as the class that this builds takes them."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def brief(self) -> Any:
        """As a person would write it: `{dropout: 0.2}`, without defaults."""
        fields = type(self).model_fields
        given = {
            name: value
            for name, value in super().written().items()
            if fields[name].is_required() or getattr(self, name) != fields[name].get_default()
        }
        if list(given) == [self.primary()]:
            return {self.type_name: given[self.primary() or ""]}
        return {self.type_name: given} if given else self.type_name

    def written(self) -> Any:
        """`{name: {argument: value}}`, every argument written out, or the bare name where there is none."""
        fields = super().written()
        return {self.type_name: fields} if fields else self.type_name


def _first_to_write(cls: type[Kind]) -> str:
    required = [name for name, field in cls.model_fields.items() if field.is_required()]
    return (required or list(cls.model_fields))[0]


class Registry(Generic[K]):
    """The kinds of one sort.

    Args:
        noun: what one of them is called in messages: `layer`.
        home: the package (or module) whose classes register here; loaded on the first look-up.
        later: names of the language that this version does not have yet.
    """

    def __init__(self, noun: str, home: str, later: Sequence[str] = ()) -> None:
        self.noun = noun
        self.later = later
        self.home = home
        self._classes: dict[str, type[K]] = {}
        self._loaded = False

    def register(self, cls: type[K]) -> type[K]:
        """Class decorator. Raises ValueError when the name is taken."""
        if cls.type_name in self._classes:
            raise ValueError(f"there are two {self.noun}s named `{cls.type_name}`")
        self._classes[cls.type_name] = cls
        return cls

    def __getitem__(self, name: str) -> type[K]:
        return self._all()[name]

    @property
    def a_noun(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def __repr__(self) -> str:
        return f"<registry of {self.noun}s>"

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, type[K]]:
        if not self._loaded:
            self._loaded = True
            home = importlib.import_module(self.home)
            for module in pkgutil.iter_modules(getattr(home, "__path__", ())):
                if not module.name.startswith("_"):  # a private module may load Keras
                    importlib.import_module(f"{self.home}.{module.name}")
        return self._classes

    def read(self, value: Any) -> K:
        """A bare name, or `{name: arguments}`, as an instance.

        Raises:
            ValidationError: with our words, at places that begin with the name.
        """
        if isinstance(value, Kind):
            return value  # type: ignore[return-value]
        name, arguments, place = self._split(value)
        cls = self._find(name, place, value)
        if arguments is None:
            arguments = {}
        elif not isinstance(arguments, dict):
            primary = cls.primary()
            if primary is None:
                keys = list(cls.model_fields)
                raise self.error(
                    mistake(
                        "wrong-type",
                        f"`{name}` takes {'keys' if keys else 'no value'}, got {show_value(arguments)}",
                        help=f"write `{name}: {{{_first_to_write(cls)}: …}}`" if keys else f"write `{name}` alone",
                    ),
                    place,
                    arguments,
                )
            arguments = {primary: arguments}
        try:
            return cls.model_validate(arguments)
        except ValidationError as error:
            raise rebuild_error(error, name, lambda line: line, below=place) from None

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
                    help=f"indent {one_of(others)} below `{name}`, or write `{name}: {{{others[0]}: …}}`"
                    if aside
                    else f"write one {self.noun} in each entry",
                    at="key",
                ),
                (others[0],),
                value,
            )
        raise self.error(mistake("wrong-type", f"{self.a_noun} is needed here, got {show_value(value)}"), (), value)

    def _find(self, name: str, place: tuple[str, ...], value: Any) -> type[K]:
        if name in self:
            return self[name]
        at: Literal["key", "value"] = "key" if place else "value"
        if name in self.later:
            said = not_yet(f"the {self.noun} `{name}`", at)
        else:
            code, message = f"unknown-{self.noun.replace(' ', '-')}", f"there is no {self.noun} `{name}`"
            word, rest = re.fullmatch(r"([\w-]*)[\s:(]*(.*?)\)?", name, re.DOTALL).groups()  # type: ignore[union-attr]
            joined = f"write `{word}: {rest}`" if word in self and rest else None  # `gru 16`, `dense(3)`
            said = mistake(code, message, help=joined or did_you_mean(name, self), at=at)
        raise self.error(said, place, value)

    def error(self, said: Any, place: tuple[str, ...], value: Any) -> ValidationError:
        """A mistake at a place below the value that is being read."""
        return ValidationError.from_exception_data(self.noun, [InitErrorDetails(type=said, loc=place, input=value)])


class OneOf:
    """Annotation of a field that holds one kind out of a registry: `Annotated[Optimizer, OneOf(OPTIMIZERS)]`."""

    def __init__(self, registry: Registry[Any]) -> None:
        self.registry = registry

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.registry.read)
