"""Fields of layers that take one number or several."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo
from pydantic_core import InitErrorDetails

from dlspec.language.fields import explain_value, mistake, show_value

_WORDS = {2: "two", 3: "three"}


def is_number(value: Any, whole: bool = False) -> bool:
    """Whether it is a finite number, and not `true`, which is one in Python."""
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return math.isfinite(value)


def _shown(value: Any) -> str:
    numbers = isinstance(value, list | tuple) and all(map(is_number, value))
    return f"`{list(value)}`" if numbers else show_value(value)


def one_or(
    size: int | None,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    whole: bool = False,
    above: bool = False,
    rising: bool = False,
) -> PlainValidator:
    """The check of one number, or of a list of `size` numbers; None: of any length.

    Args:
        low: the smallest number.
        high: the largest number.
        whole: only whole numbers are taken.
        above: `low` itself is not taken.
        rising: of two numbers the lower one comes first.
    """
    kind = "whole number" if whole else "number"
    wanted = f"one {kind} or a list of {_WORDS[size] if size else 'them'}"
    least = f"{'more than' if above else 'at least'} {low:g}"
    span = least if high == math.inf else f"{least} and at most {high:g}"

    def check(value: Any, info: ValidationInfo) -> Any:
        name = f"`{info.field_name}`"
        several = isinstance(value, list | tuple)
        numbers = list(value) if several else [value]
        fits = len(numbers) == size or (size is None and numbers) if several else True
        if not fits or not all(is_number(number, whole) for number in numbers):
            wrong = InitErrorDetails(type="int_type" if whole else "float_type", input=value)
            help = (explain_value(wrong, str(info.field_name)).context or {}).get("help")
            raise mistake("wrong-type", f"{name} must be {wanted}, got {_shown(value)}", help=help)
        for number in numbers:
            if not low <= number <= high or (above and number == low):
                subject = f"a number of {name}" if several else name
                raise mistake("out-of-range", f"{subject} must be {span}, got `{number}`")
        if rising and numbers[0] > numbers[-1]:
            raise mistake(
                "wrong-value",
                f"{name} begins with the larger number, got `{numbers}`",
                help=f"write `{info.field_name}: [{numbers[1]}, {numbers[0]}]`",
            )
        numbers = numbers if whole else [float(number) for number in numbers]
        return (numbers if size is None else tuple(numbers)) if several else numbers[0]

    lowest, highest = (None if math.isinf(limit) else limit for limit in (low, high))
    limits = Field(ge=None if above else lowest, gt=lowest if above else None, le=highest)
    number: Any = Annotated[int if whole else float, limits]
    numbers: Any = Annotated[list[number], Field(min_length=size or 1, max_length=size)]
    return PlainValidator(check, json_schema_input_type=number | numbers)


Numbers = Annotated[float | list[float], one_or(None)]
"""One number for all, or one for each."""

Factor = Annotated[float | tuple[float, float], one_or(2, low=0, high=1, rising=True)]
"""How much, at random, from 0 to 1: up to a number, or between two."""

SignedFactor = Annotated[float | tuple[float, float], one_or(2, low=-1, high=1, rising=True)]
"""How much, at random, in either direction: up to a number, or between two."""


def _range(value: Any, info: ValidationInfo) -> tuple[float, float]:
    name = f"`{info.field_name}`"
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(is_number, value)):
        raise mistake(
            "wrong-type",
            f"{name} must be a list of two numbers, got {_shown(value)}",
            help=f"write `{info.field_name}: [0, {value}]`" if is_number(value) and value > 0 else None,
        )
    low, high = value
    if low >= high:
        raise mistake(
            "wrong-value",
            f"{name} must begin with the smaller number, got `{list(value)}`",
            help=f"write `{info.field_name}: [{high}, {low}]`" if high < low else None,
        )
    return float(low), float(high)


_TwoNumbers = Annotated[list[float], Field(min_length=2, max_length=2)]
ValueRange = Annotated[tuple[float, float], PlainValidator(_range, json_schema_input_type=_TwoNumbers)]
"""The smallest and the largest value."""

Salt = Annotated[int | tuple[int, int], one_or(2, whole=True, low=0)]
"""Two whole numbers that a hash function starts from; one stands for both."""


def each(numbers: float | list[float]) -> list[float]:
    """One number, or several, as a list."""
    return numbers if isinstance(numbers, list) else [numbers]
