"""What became of the alerts of a chaos run: lost, doubled, out of order. Plain data in, counts out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AlertTally:
    """Counts of a run."""

    sent: int
    """Different alerts; each was sent several times."""
    accepted: int
    """Answered 2xx at least once."""
    ordered: int
    """Accepted alerts with exactly one order at the broker."""
    duplicated: int
    """Orders beyond the first of an alert."""
    lost: int
    """Accepted alerts without an order."""
    out_of_order: int
    """Accepted alerts whose order came after that of a later alert of the same symbol."""

    def line(self, faults: int, seed: int) -> str:
        """The one line at the end."""
        return (
            f"sent={self.sent} accepted={self.accepted} ordered={self.ordered} duplicated={self.duplicated} lost={self.lost} "
            f"out_of_order={self.out_of_order} faults={faults} seed={seed}"
        )

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, all in order, and most of what was sent was accepted: else little was tried."""
        return self.accepted * 2 >= self.sent > 0 and not (self.duplicated or self.lost or self.out_of_order)


def tally(sent: int, accepted: Mapping[str, Sequence[str]], orders: Iterable[tuple[str, str]]) -> AlertTally:
    """Compare what was accepted with what the broker has.

    accepted: symbol -> keys of accepted alerts in the order in which they were answered; one alert of a symbol was sent after the other.
    orders: (symbol, client_order_id) of every order that the broker took, in its order of arrival.
    """
    keys = {key: symbol for symbol, own in accepted.items() for key in own}
    arrived: dict[str, list[str]] = {symbol: [] for symbol in accepted}
    count: dict[str, int] = {}
    for symbol, client_order_id in orders:
        # An alert that nobody answered 2xx may have been ordered all the same: its sender was told to try again, and gave up.
        key = next((part for part in client_order_id.split("-") if part in keys), client_order_id)
        count[key] = count.get(key, 0) + 1
        if count[key] == 1 and keys.get(key) == symbol:
            arrived[symbol].append(key)
    return AlertTally(
        sent=sent,
        accepted=len(keys),
        ordered=sum(count.get(key) == 1 for key in keys),
        duplicated=sum(number - 1 for number in count.values()),
        lost=sum(key not in count for key in keys),
        out_of_order=sum(misplaced(accepted[symbol], arrived[symbol]) for symbol in accepted),
    )


def misplaced(expected: Sequence[str], arrived: Sequence[str]) -> int:
    """How many of `arrived` come after one that should come later."""
    place = {key: index for index, key in enumerate(expected)}
    latest, wrong = -1, 0
    for key in arrived:
        wrong += place[key] < latest
        latest = max(latest, place[key])
    return wrong
