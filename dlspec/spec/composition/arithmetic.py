"""Arithmetic on numbers: `width * 2`, with `+ - * / // % **`, parentheses and names. There is no `eval`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Number = int | float

MAX_LENGTH = 200
LARGEST = 1e15

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|//|[-+*/%()]))")


class ArithmeticProblem(Exception):
    """What is wrong with an expression, in words."""


def calculate(text: str, look_up: Callable[[str], Number]) -> Number:
    """The value of an expression; whole numbers stay whole, also where `/` leaves nothing over.

    Args:
        look_up: gives the value of a name, or raises.

    Raises:
        ArithmeticProblem: it is no arithmetic, divides by zero, or grows past all bounds.
    """
    if len(text) > MAX_LENGTH:
        raise ArithmeticProblem(f"it is longer than {MAX_LENGTH} characters")
    reader = _Parser(_tokens(text), look_up)
    value = reader.sum()
    if reader.tokens:
        raise ArithmeticProblem(f"`{reader.tokens[0]}` stands where it should end")
    return value


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if not match:
            raise ArithmeticProblem(f"`{text[place:].strip()[0]}` is no number, name or sign")
        tokens.append(match[0].strip())
        place = match.end()
    return tokens


class _Parser:
    """Reads sums of products of powers, from left to right."""

    def __init__(self, tokens: list[str], look_up: Callable[[str], Number]) -> None:
        self.tokens = tokens
        self.look_up = look_up

    def sum(self) -> Number:
        value = self.product()
        while self._next_is("+", "-"):
            sign = self.tokens.pop(0)
            other = self.product()
            value = _bounded(value + other if sign == "+" else value - other)
        return value

    def product(self) -> Number:
        value = self.signed()
        while self._next_is("*", "/", "//", "%"):
            sign = self.tokens.pop(0)
            other = self.signed()
            if sign != "*" and other == 0:
                raise ArithmeticProblem("it divides by zero")
            if sign == "*":
                value = value * other
            elif sign == "/":
                exact = isinstance(value, int) and isinstance(other, int) and value % other == 0
                value = value // other if exact else value / other
            else:
                value = value // other if sign == "//" else value % other
            value = _bounded(value)
        return value

    def signed(self) -> Number:
        if self._next_is("-", "+"):
            sign = self.tokens.pop(0)
            value = self.signed()
            return -value if sign == "-" else value
        return self.power()

    def power(self) -> Number:
        base = self.single()
        if not self._next_is("**"):
            return base
        self.tokens.pop(0)
        exponent = self.signed()
        if abs(exponent) > 64 or (base == 0 and exponent < 0):
            raise ArithmeticProblem(f"`{base} ** {exponent}` is out of bounds")
        power = base**exponent
        if isinstance(power, complex):
            raise ArithmeticProblem(f"`{base} ** {exponent}` is no number")
        return _bounded(power)

    def single(self) -> Number:
        if not self.tokens:
            raise ArithmeticProblem("a number is missing at its end")
        token = self.tokens.pop(0)
        if token == "(":
            value = self.sum()
            if not self._next_is(")"):
                raise ArithmeticProblem("`)` is missing")
            self.tokens.pop(0)
            return value
        if token[0].isdigit() or token[0] == ".":
            return _bounded(int(token) if token.isdecimal() else float(token))
        if token[0].isalpha() or token[0] == "_":
            return self.look_up(token)
        raise ArithmeticProblem(f"a number is missing before `{token}`")

    def _next_is(self, *signs: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in signs


def _bounded(value: Number) -> Number:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ArithmeticProblem("it grows past all bounds")
    return value
