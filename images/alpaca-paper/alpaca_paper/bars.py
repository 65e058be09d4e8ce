"""One-minute bars and trades: pure functions of symbol and time, consistent with the last prices."""

import zlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from . import sessions
from .assets import Asset
from .conditions import Change
from .orders import EPOCH, iso
from .prices import MINUTE_US, Recording, in_force, place, price_at, under

# USD that one recorded coin stands for: the quiet stocks trade some hundred shares a minute.
TURNOVER = 500
SECOND_US = 1_000_000
MICROSECOND = timedelta(microseconds=1)


def bar(recording: Recording, asset: Asset, changes: Sequence[Change], minute: int) -> dict:
    """The bar of a minute (number since 1970) as Alpaca's JSON. The price's path is straight between what moves it (the recording,
    the test API), so that its extremes are at those ends.
    """
    start, end = minute * MINUTE_US, (minute + 1) * MINUTE_US
    cuts = [start, *(one.time for one in changes if start < one.time < end), end]
    path, weighted = [], Decimal(0)
    for here, there in zip(cuts, cuts[1:]):
        change = in_force(changes, here)
        piece = [under(recording, asset, change, at) for at in (here, there)]
        path += piece
        weighted += sum(piece) / 2 * (there - here)
    volume = recorded_volume(recording, asset, minute)
    return {
        "t": f"{at_instant(start):%Y-%m-%dT%H:%M:%SZ}",
        "o": number(path[0]),
        "h": number(max(path)),
        "l": number(min(path)),
        "c": number(path[-1]),
        "v": round(volume * TURNOVER / float(asset.start), 6) if asset.is_crypto else 1 + int(volume * TURNOVER / float(asset.start)),
        "n": 1 + int(volume**0.5),
        "vw": number(round(weighted / MINUTE_US, 6)),
    }


def recorded_volume(recording: Recording, asset: Asset, minute: int) -> float:
    """Coins. The recording's row of a minute is the one that ends it, the other way round on the way back."""
    return recording.volumes[max(place(recording, asset.symbol, minute), place(recording, asset.symbol, minute + 1))]


def trade(recording: Recording, asset: Asset, changes: Sequence[Change], time_us: int) -> dict:
    """A trade at the last price as Alpaca's JSON; numbers are JSON numbers here, other than in trading."""
    price = price_at(recording, asset, changes, time_us)
    lot = 1 + zlib.crc32(f"{asset.symbol} {time_us}".encode()) % 100
    body = {"t": iso(time_us), "p": number(price), "s": lot / 1000 if asset.is_crypto else lot, "i": time_us}
    return body | ({"tks": "B" if lot % 2 else "S"} if asset.is_crypto else {"x": "V", "c": ["@"], "z": "C"})


def number(value: Decimal) -> int | float:
    """Without a fraction where there is none, as Alpaca prints it."""
    return int(value) if value == value.to_integral_value() else float(value)


def at_instant(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=time_us)


def in_session(hours: str, time_us: int) -> bool:
    """Whether shares trade in regular hours then. Coins always do."""
    at = at_instant(time_us)
    session = sessions.session_of(at.astimezone(sessions.NEW_YORK).date(), hours)
    return session is not None and session.open <= at < session.close


def minutes(asset: Asset, hours: str, first: int, last: int, newest_first: bool = False) -> Iterator[int]:
    """The minutes that have a bar, from `first` to `last` (numbers since 1970, both included)."""
    if asset.is_crypto:
        yield from _range(first, last, newest_first)
        return
    begin, end = (at_instant(minute * MINUTE_US).astimezone(sessions.NEW_YORK).date() for minute in (first, last))
    for number_of_day in _range(0, (end - begin).days, newest_first):
        session = sessions.session_of(begin + number_of_day * sessions.DAY, hours)
        if session is not None:
            opens, closes = ((at - EPOCH) // MICROSECOND // MINUTE_US for at in (session.open, session.close))
            yield from _range(max(first, opens), min(last, closes - 1), newest_first)


def _range(first: int, last: int, newest_first: bool) -> range:
    return range(last, first - 1, -1) if newest_first else range(first, last + 1)
