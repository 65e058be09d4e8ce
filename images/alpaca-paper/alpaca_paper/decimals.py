"""Decimal numbers as Alpaca reads and prints them: strings or JSON numbers in, plain strings out."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

ZERO = Decimal(0)
CENT = Decimal("0.01")
# Alpaca counts quantities in billionths: https://docs.alpaca.markets/docs/fractional-trading
QTY_STEP = Decimal("0.000000001")
# What no real order reaches; keeps sums and exponents small.
LARGEST = Decimal(10) ** 15


def parse(value: object) -> Decimal | None:
    """A finite number from a JSON string or number, or None if it is none (booleans, NaN, absurd sizes)."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = Decimal(value if isinstance(value, (str, int)) else repr(value))
    except (InvalidOperation, ValueError):  # the latter: integers of thousands of digits
        return None
    if not number.is_finite() or abs(number) > LARGEST or number.as_tuple().exponent < -18:
        return None
    return number


def text(number: Decimal | None) -> str | None:
    """Plain notation without trailing zeros."""
    if number is None:
        return None
    return format(number.normalize(), "f") if number else "0"


def dollars(number: Decimal) -> str:
    """An amount rounded to cents."""
    return text(number.quantize(CENT, ROUND_HALF_UP))


def floor(number: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` at or below `number` (towards zero)."""
    return (number / step).to_integral_value(ROUND_DOWN) * step


def nearest(number: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` that is nearest to `number`."""
    return (number / step).to_integral_value(ROUND_HALF_UP) * step


def is_multiple(number: Decimal, step: Decimal) -> bool:
    return number % step == 0
