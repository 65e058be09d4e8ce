"""What became of an alert, for the log, the dead letters and whoever listens."""

from dataclasses import dataclass

from slanger.execute.state import Order


@dataclass(frozen=True, kw_only=True)
class Outcome:
    kind: str
    """ordered, passed or refused; a refused one goes to the dead letters."""
    reason: str = ""
    orders: tuple[Order, ...] = ()
    """What is at the broker."""


class NotTraded(Exception):
    """It must not, or can't, be traded; the message is the reason."""
