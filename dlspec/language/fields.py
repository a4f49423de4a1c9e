"""Typed fields of the spec language, and how a wrong value is explained.

A spec class derives from `SpecModel` and declares its keys with the types below. Scalars are strict:
`"64"`, `true` and `3.0` are no whole numbers. What pydantic finds wrong is put into the words of dlspec
by the class whose key it is, which knows the keys it might have been.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from dlspec.language.words import alike, did_you_mean, nearest, one_of, same

Whole = Annotated[int, Strict()]
PositiveInt = Annotated[int, Strict(), Field(ge=1)]
MANY_SAMPLES, LONG = 10**8, 10**6
"""The most samples that are made, and the most timesteps that are looked at, at once."""
SampleCount = Annotated[PositiveInt, Field(le=MANY_SAMPLES)]
Timesteps = Annotated[PositiveInt, Field(le=LONG)]
NonNegativeInt = Annotated[int, Strict(), Field(ge=0)]
Number = Annotated[float, Strict()]
PositiveNumber = Annotated[float, Strict(), Field(gt=0)]
NonNegativeNumber = Annotated[float, Strict(), Field(ge=0)]
Rate = Annotated[float, Strict(), Field(ge=0, lt=1)]
Fraction = Annotated[float, Strict(), Field(gt=0, lt=1)]
Deviation = Annotated[float, Strict(), Field(ge=0, le=1)]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, Strict()]


def Primary(default: Any = ..., **keywords: Any) -> Any:
    """A field whose value may stand directly behind the name: `dropout: 0.2` for `dropout: {rate: 0.2}`."""
    return Field(default, json_schema_extra={"primary": True}, **keywords)


def mistake(
    code: str,
    message: str,
    *,
    help: str | None = None,
    at: Literal["key", "value"] = "value",
    meant: str | None = None,
    given: str | None = None,
) -> PydanticCustomError:
    """A mistake to raise from a validator; it becomes a diagnostic at the key or value being checked.

    Args:
        meant: the key that was probably meant to be in place of this one.
        given: the name that is not known.
    """
    said = {"message": message, "help": help, "at": at, "meant": meant, "given": given}
    return PydanticCustomError(code, "{message}", said)


def not_yet(what: str, at: Literal["key", "value"] = "key") -> PydanticCustomError:
    """The mistake of using what the language has and this version has not."""
    message = f"{what} is part of the language, but not of this version of dlspec yet"
    return mistake("not-supported-yet", message, at=at)


def show_value(value: Any) -> str:
    """A received value as the words of a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'the text `"{value}"`' if len(value) <= 60 else f'the text `"{value[:57]}…"`'
    if isinstance(value, Mapping):
        return f"a mapping with {one_of(value)}" if 0 < len(value) <= 4 else "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"`{value}`"


class SpecModel(BaseModel):
    """A mapping of the spec with known keys."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # a class that no spec uses costs nothing
        alias_generator=lambda name: name.removesuffix("_"),  # `from_` is the key `from`, a word of Python
    )

    needed: ClassVar[tuple[str, ...]] = ()
    """Keys that are needed together, and that one message says are missing."""
    later: ClassVar[Mapping[str, str]] = {}
    """Keys of the language that this version does not have yet, with what they will do."""

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        super().__pydantic_init_subclass__(**keywords)
        for name in cls.__class_vars__ & cls.__annotations__.keys():
            cls.__annotations__[name] = ClassVar  # else pydantic compiles the text of it again for each subclass

    @classmethod
    def fields_in_order(cls) -> dict[str, FieldInfo]:
        """Attribute -> field, as they are listed and written out: in the order of the class."""
        return cls.model_fields

    @classmethod
    def keys(cls) -> dict[str, FieldInfo]:
        """The keys that one may write."""
        return {name.removesuffix("_"): field for name, field in cls.fields_in_order().items()}

    @classmethod
    def why_no_argument(cls, key: str) -> str | None:
        """Why a key that someone may look for cannot be written here; None: there is no such reason."""
        return None

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            keys = cls.keys()
            unknown = [key for key in value if key not in keys] if isinstance(value, dict) else []
            meant = {
                key: nearest(key, keys) for key in unknown
            }  # a misspelt key is one mistake, not also a missing one
            taken = None
            if len(unknown) == 1 and None in meant.values() and cls.why_no_argument(unknown[0]) is None:
                taken = meant[unknown[0]] = cls._missing_that_takes(value[unknown[0]], value, error)

            def in_our_words(line: InitErrorDetails) -> InitErrorDetails:
                place = line.get("loc", ())
                if line["type"] == "extra_forbidden" and taken:
                    line["type"] = _unknown_key(str(place[0]), f"did you mean `{taken}`?", taken)
                return cls._explain(line)

            raise rebuild_error(error, cls.__name__, in_our_words, leave_out=meant.values()) from None

    @classmethod
    def _missing_that_takes(cls, value: Any, values: Mapping[str, Any], error: ValidationError) -> str | None:
        """The one key that is missing, if it takes what stands behind the one that is not known."""
        lines = error.errors(include_url=False)
        missing = [str(line["loc"][0]) for line in lines if line["type"] == "missing" and len(line["loc"]) == 1]
        if len(missing) != 1 or value is None:
            return None
        try:
            known = cls.keys()
            cls.model_validate({key: given for key, given in values.items() if key in known} | {missing[0]: value})
        except ValidationError as error:
            fits = all(line["loc"][:1] != (missing[0],) for line in error.errors(include_url=False))
            return missing[0] if fits else None
        return missing[0]

    @classmethod
    def _explain(cls, error: InitErrorDetails) -> InitErrorDetails:
        """Our words for one of pydantic's errors about a key of this class."""
        if isinstance(error["type"], PydanticCustomError):
            return error
        loc = error.get("loc", ())
        key = str(loc[0]) if loc else ""
        said: PydanticCustomError
        if error["type"] == "missing" and len(loc) > 1:
            said = mistake(
                "wrong-value", f"`{key}` needs more numbers than it has", help="write one number for all of them"
            )
            error["loc"] = loc[:1]
        elif error["type"] == "missing":
            said = cls._explain_missing(key)
            error["loc"] = loc[:-1]
        elif error["type"] == "extra_forbidden":
            said = cls._explain_unknown(key)
        elif error["type"] in ("model_type", "dict_type", "model_attributes_type"):
            value = error["input"]
            meant = cls._short_for(value) if isinstance(value, str | int | float) else None
            help = f"write `{meant}`" if meant else f"its keys are {one_of(cls.keys())}"
            pair = re.fullmatch(r"(\w+)\s*[ =:]\s*(\S.*)", value) if isinstance(value, str) else None
            if pair and nearest(pair[1], cls.keys()):
                help = f"write `{nearest(pair[1], cls.keys())}: {pair[2]}`"
            elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
                help = "remove the `- ` in front of its keys"
            said = mistake("wrong-type", f"a mapping of keys is needed here, got {show_value(value)}", help=help)
        else:
            said = explain_value(error, key, cls.keys().get(key))
        error["type"] = said
        return error

    @classmethod
    def _short_for(cls, value: Any) -> str | None:
        """What someone had in mind who wrote a value in place of a mapping of keys."""
        required = [key for key, field in cls.keys().items() if field.is_required()]
        if len(required) != 1 or isinstance(value, bool | Mapping):
            return None
        try:
            cls.model_validate({required[0]: value})
        except ValidationError:
            return f"{{{required[0]}: …}}"
        return f"{{{required[0]}: {value}}}"

    @classmethod
    def _explain_missing(cls, key: str) -> PydanticCustomError:
        description = cls.keys()[key].description
        return mistake(
            "missing-key",
            f"`{key}` is missing" + (f": {description}" if description else ""),
            help=f"add `{key}: …`",
            at="key",
        )

    @classmethod
    def _explain_unknown(cls, key: str) -> PydanticCustomError:
        if key in cls.later:
            return not_yet(f"`{key}` ({cls.later[key]})")
        known = cls.keys()
        keys = [name for name in known if name != "method"]
        name, colon, value = key.partition(":")
        joined = f"a space is missing behind `:`: write `{name}: {value}`" if colon and name in keys else None
        pair = re.fullmatch(r"(\w+)\s*=\s*(.+)", key)
        if pair and nearest(pair[1], keys):
            joined = f"write `{nearest(pair[1], keys)}: {pair[2]}`"
        listed = f"the keys here are {one_of(keys)}" if keys else "it has no keys"
        help = joined or did_you_mean(key, keys, otherwise=listed, find=nearest)
        return _unknown_key(key, help, nearest(key, keys))

    def written(self) -> dict[str, Any]:
        """The fields as plain YAML values, defaults included."""
        return {name.removesuffix("_"): _written(getattr(self, name)) for name in self.fields_in_order()}


def _unknown_key(key: str, help: str | None, meant: str | None) -> PydanticCustomError:
    return mistake("unknown-key", f"unknown key `{key}`", help=help, at="key", meant=meant)


def _written(value: Any) -> Any:
    if isinstance(value, SpecModel):
        return value.written()
    if isinstance(value, list | tuple):
        return [_written(v) for v in value]
    if isinstance(value, Mapping):
        return {key: _written(v) for key, v in value.items()}
    return value


def rebuild_error(
    error: ValidationError,
    title: str,
    change: Any,
    *,
    below: tuple[str | int, ...] = (),
    leave_out: Collection[str | None] = (),
) -> ValidationError:
    """The same errors, each passed through `change`, at places that begin with `below`.

    Of keys that are missing, those in `leave_out` are not mentioned.
    """
    lines = []
    for line in _lines_of(error):
        place = line.get("loc", ())
        if line["type"] == "missing" and len(place) == 1 and place[0] in leave_out:
            continue
        line = change(line)
        line["loc"] = (*below, *line.get("loc", ()))
        lines.append(line)
    return ValidationError.from_exception_data(title, lines)


def joined_errors(errors: Iterable[ValidationError], title: str) -> ValidationError:
    """One error that says what all of them say."""
    return ValidationError.from_exception_data(title, [line for error in errors for line in _lines_of(error)])


def _lines_of(error: ValidationError) -> Iterator[InitErrorDetails]:
    """What an error says, as a new one can be made of it."""
    for raw in error.errors(include_url=False):
        kind: Any = raw["type"]
        if "-" in kind:  # one of ours already: pydantic's own names have underscores
            kind = PydanticCustomError(kind, "{message}", raw["ctx"])
        line = InitErrorDetails(type=kind, loc=raw["loc"], input=raw["input"])
        if "ctx" in raw and isinstance(kind, str):
            line["ctx"] = raw["ctx"]
        yield line


_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
}

_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def explain_value(error: InitErrorDetails, key: str, field: FieldInfo | None = None) -> PydanticCustomError:
    """Our words for a value that has the wrong type or lies out of range."""
    kind, value = str(error["type"]), error["input"]
    inner = len(error.get("loc", ())) > 1
    name = f"an item of `{key}`" if inner else (f"`{key}`" if key else "the value")
    if kind in _WANTED:
        wanted = _WANTED[kind]
        return mistake(
            "wrong-type",
            f"{name} must be {wanted}, got {show_value(value)}",
            help=_retype(kind, key if not inner else "", value) or _such_as(kind, key, field),
        )
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        limit = error.get("ctx", {}).get(bound)
        limit = int(limit) if isinstance(limit, float) and limit == int(limit) else limit
        help = (
            _percent(field, key, value) or _range(field, name) or (f"write `{key}: {limit}`" if "e" in bound else None)
        )
        return mistake("out-of-range", f"{name} must be {words} {limit}, got `{value}`", help=help)
    if kind == "finite_number":
        return mistake("out-of-range", f"{name} must be a finite number, got `{value}`")
    if kind in ("literal_error", "enum"):
        choices = _choices(field)
        texts = [choice for choice in choices if isinstance(choice, str)]
        ours = same(value, texts) if isinstance(value, str) else None
        return mistake(
            "unknown-value",
            f"{name} must be {one_of(choices, last='or')}, got {show_value(value)}",
            help=f"write `{key}: {ours}`"
            if ours and not inner
            else did_you_mean(str(value), map(str, choices), otherwise="", find=nearest),
            meant=nearest(value, texts) if isinstance(value, str) else None,
        )
    if kind == "too_short":
        least = error.get("ctx", {}).get("min_length", 1)
        return mistake("out-of-range", f"{name} needs at least {least} {'entry' if least == 1 else 'entries'}")
    if kind == "too_long":
        longest = error.get("ctx", {}).get("max_length")
        return mistake("out-of-range", f"{name} takes {longest} entries at most")
    return mistake("wrong-value", f"{name} cannot be {show_value(value)}")


_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


_THOUSANDS = {"k": 10**3, "K": 10**3, "M": 10**6}
_COUNTED = "k|m|px|(?:day|hour|minute|month|week|year|step|timestep|epoch|row|sample|unit|neuron|pixel|filter|layer)s?"
"""What people write behind a number that is counted."""


def _retype(kind: str, key: str, value: Any) -> str | None:
    prefix = f"{key}: " if key else ""
    if isinstance(value, str):
        text = value.strip()
        sizes = re.fullmatch(r"\(?(\d+)\s*[x×*,]\s*(\d+)(?:\s*[x×*,]\s*(\d+))?\)?", text)
        if sizes and kind in ("list_type", "tuple_type", "int_type"):
            return f"write `{prefix}[{', '.join(size for size in sizes.groups() if size)}]`"
        remark = re.fullmatch(r"(\S+?)(#.*)", text)
        if remark:
            return f"put a blank in front of `#`: `{prefix}{remark[1]} {remark[2]}`"
        counted = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({_COUNTED})", text, re.IGNORECASE)
        if counted and kind in ("int_type", "float_type"):
            number = float(counted[1]) * _THOUSANDS.get(counted[2], 1)
            return f"write `{prefix}{int(number) if number.is_integer() else number}`"
        percent = text.endswith("%")
        try:
            number = float(text.rstrip("%,").replace("_", "").replace(",", "")) / (100 if percent else 1)
        except ValueError:
            number = math.nan
        if kind == "int_type" and text.lower() in _NUMBERS:
            return f"write `{prefix}{_NUMBERS.index(text.lower())}`"
        if kind in ("int_type", "float_type") and math.isfinite(number):
            if kind == "float_type" or number == int(number):
                plain = int(number) if number == int(number) and not percent else number
                plainly = percent or "_" in text or "," in text
                return f"write `{prefix}{plain}`" + ("" if plainly else " without quotation marks")
        elif kind == "bool_type":
            if text.lower() in ("yes", "on", "y"):
                return f"write `{prefix}true`"
            if text.lower() in ("no", "off", "n"):
                return f"write `{prefix}false`"
            near = alike(text, ("true", "false"))
            return f"write `{prefix}{near}`" if near else None
    if kind in ("int_type", "int_from_float") and isinstance(value, float) and math.isfinite(value) and value > 1:
        return f"write `{prefix}{round(value)}`"
    if kind == "string_type" and value is not None and not isinstance(value, dict | list):
        shown = str(value).lower() if isinstance(value, bool) else value
        return f'write `{prefix}"{shown}"`'
    if kind == "list_type" and isinstance(value, dict):
        return "put `- ` before each entry"
    if kind == "list_type" and isinstance(value, str | int):
        return f"write `{prefix}[{value}]`"
    return None


def _such_as(kind: str, key: str, field: FieldInfo | None) -> str | None:
    """The default as an example, where a number is needed."""
    if field is None or kind not in ("int_type", "int_from_float", "float_type"):
        return None
    default = field.default
    if default is None:
        return f"write a {'whole number' if 'int' in kind else 'number'}, or leave `{key}` out"
    number = isinstance(default, int | float) and not isinstance(default, bool)
    return f"write a number, such as `{key}: {default}`" if number else None


def _percent(field: FieldInfo | None, key: str, value: Any) -> str | None:
    """What to write for 20, where a share is needed."""
    shares = any(
        1 in (getattr(part, "lt", None), getattr(part, "le", None)) for part in (field.metadata if field else ())
    )
    return f"write `{key}: {value / 100}` for {value}%" if shares and 5 <= value <= 100 else None


def looks_like_a_number(text: str) -> bool:
    """Whether someone meant a number who wrote a text: `20%`, `"0.2"`."""
    return _retype("float_type", "", text) is not None


def _range(field: FieldInfo | None, name: str) -> str | None:
    limits = {}
    for part in field.metadata if field else ():
        for bound in ("gt", "ge", "lt", "le"):
            if getattr(part, bound, None) is not None:
                limits[bound] = getattr(part, bound)
    if len(limits) < 2:
        return None
    low = f"more than {limits['gt']}" if "gt" in limits else f"at least {limits.get('ge')}"
    high = f"less than {limits['lt']}" if "lt" in limits else f"at most {limits.get('le')}"
    return f"{name} must be {low} and {high}"


def _choices(field: FieldInfo | None) -> tuple[Any, ...]:
    def find(annotation: Any) -> tuple[Any, ...]:
        if get_origin(annotation) is Literal:
            return get_args(annotation)
        for part in get_args(annotation):
            found = find(part)
            if found:
                return found
        return ()

    return find(field.annotation) if field else ()


def one_for_all(count: int) -> BeforeValidator:
    """One whole number stands for a list of `count` of them."""
    return BeforeValidator(lambda v: [v] * count if isinstance(v, int) and not isinstance(v, bool) else v)


Size1D = Annotated[tuple[PositiveInt], one_for_all(1)]
"""One whole number."""
Size2D = Annotated[tuple[PositiveInt, PositiveInt], one_for_all(2)]
"""Height and width; one whole number stands for both."""
Size3D = Annotated[tuple[PositiveInt, PositiveInt, PositiveInt], one_for_all(3)]
"""Depth, height and width; one whole number stands for all."""
Edges = Annotated[tuple[NonNegativeInt, NonNegativeInt], one_for_all(2)]
"""What is cut off or added before and behind; one whole number stands for both."""
Edges2D = Annotated[tuple[Edges, Edges], one_for_all(2)]
"""The same of height and width."""
Edges3D = Annotated[tuple[Edges, Edges, Edges], one_for_all(3)]
"""The same of depth, height and width."""


def read_amount(value: Any, info: ValidationInfo) -> int | float:
    """A share below 1, or a whole number."""
    name = (info.field_name or "").removesuffix("_")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mistake(
            "wrong-type",
            f"`{name}` must be a number, got {show_value(value)}",
            help=_retype("float_type", name, value),
        )
    if value < 0 or (isinstance(value, float) and not value < 1):
        raise mistake(
            "out-of-range", f"`{name}` is a share below 1, such as 0.15, or a whole number of samples, got `{value}`"
        )
    return value


Amount = Annotated[int | float, PlainValidator(read_amount)]
"""How many, or which share of them."""
OneOrMore = BeforeValidator(lambda v: v if isinstance(v, list | tuple) else [v])
"""A list may be written without brackets when it has one entry."""
Paths = Annotated[list[Text], OneOrMore, Field(min_length=1)]
"""Files, or patterns of their names."""


Share = Annotated[float, Strict(), Field(ge=0, le=1)]


FloatType = Literal["float16", "bfloat16", "float32", "float64"]


def either(what: str) -> WrapValidator:
    """Annotation of a field of several types: says in one message what it takes."""

    def read(value: Any, handler: Any, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise mistake(
                "wrong-value", f"`{(info.field_name or '').removesuffix('_')}` is {what}, got {show_value(value)}"
            ) from None

    return WrapValidator(read)
