"""What an alert allows, in words: the same on the command line, on the page, and for a pasted text."""

from datetime import UTC, datetime

from slanger.alert import SIZES, Fixed, Limits, OrderFields
from slanger.generator.fields import BY_KEY
from slanger.generator.routes import RULES

_LIMITS = {
    "order_notional": "at most {} an order",
    "notional_per_day": "at most {} a day",
    "position_notional": "a position of at most {}",
    "orders_per_day": "at most {} orders a day",
    "loss_per_day": "nothing new after a loss of {} in a day",
}


def dollars(value: object) -> str:
    """Decimal -> `$2,000`, `$0.5` stays `$0.50`."""
    text = f"{value:,.2f}"
    return f"${text.removesuffix('.00')}"


def day(when: float) -> str:
    """Unix seconds -> `22 Feb 2027, 14:30 UTC`."""
    moment = datetime.fromtimestamp(when, UTC)
    return f"{moment.day} {moment.strftime('%b %Y, %H:%M')} UTC"


def limits_in_words(limits: Limits) -> str:
    """`at most $500 an order, at most $2,000 a day`; empty without limits."""
    given = limits.model_dump(exclude_none=True)
    return ", ".join(
        text.format(given[key] if key == "orders_per_day" else dollars(given[key])) for key, text in _LIMITS.items() if key in given
    )


def order_in_words(order: OrderFields) -> str:
    """The fixed order fields, `$100, take-profit 1%`; empty without any."""
    words = []
    for key, value in order.model_dump(exclude_none=True).items():
        field = BY_KEY[key]
        if key == "notional":
            words.append(dollars(value))
        elif field.unit == "flag":
            words.append(field.label.lower())
        else:
            text = {"dollars": "${}", "percent": "{}%"}.get(field.unit, "{}").format(getattr(value, "value", value))
            words.append(f"{field.label.lower()} {text}")
    return ", ".join(words)


def summary(fixed: Fixed) -> list[str]:
    """Sentences about what a signed alert allows."""
    symbols = ", ".join(fixed.symbols) if fixed.symbols else "any symbol that the server allows"
    own = limits_in_words(fixed.limits)
    return [
        f"{fixed.name} {f'{fixed.action.value}s' if fixed.action else 'buys or sells'} {symbols} on the account {fixed.account}, {RULES[fixed.route].summary}.",
        f"Limits: {own}." if own else "Limits: the server's own, none of the alert's.",
        f"Order: {order_in_words(fixed.order) or 'nothing is fixed'}.",
        f"Valid until {day(fixed.expires)}.",
    ]


def cautions(fixed: Fixed, signed: bool) -> list[str]:
    """What whoever has the text could do with it, and what the server decides."""
    found = []
    if not signed:
        found.append("It is not signed: the webhook takes it only if its authentication does without signatures.")
    if all(getattr(fixed.order, key) is None for key in SIZES):
        found.append("No size is signed: whoever has the text can choose one, up to the limits.")
    if not fixed.symbols:
        found.append("No symbols are signed: whoever has the text can trade any that the server allows.")
    action = "" if fixed.action else "action, "
    found.append(
        f"What isn't fixed ({action}ticker, prices, other order fields) can be changed by whoever has the text: treat it as a secret."
    )
    return found
