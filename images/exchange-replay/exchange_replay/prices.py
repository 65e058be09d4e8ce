"""How the price moves inside a candle, and the order book round it: pure functions of what was recorded.

A candle has an open, a high, a low and a close, not the way between them. The way shown here is straight lines: open, then the
extreme on the far side of the close, then the other one, then the close. All numbers are whole units of 1e-8.
"""

import zlib
from typing import NamedTuple


class Bar(NamedTuple):
    """What is known of a span of time: prices, base and quote volume, number of trades."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int
    trades: int


# A recorded candle counts as this many trades: one at each corner of its path. The recording doesn't tell the real number.
TRADES = 4


def corners(opened: int, high: int, low: int, close: int) -> tuple[int, int, int, int]:
    """The path's four prices, in order. A rising candle dips first, a falling one peaks first."""
    return (opened, low, high, close) if close >= opened else (opened, high, low, close)


def _legs(length_ms: int) -> tuple[int, int, int, int]:
    # The last millisecond of the candle shows exactly its close, so that nothing jumps when it closes.
    last = length_ms - 1
    return 0, last // 4, last * 3 // 4, last


def quote_volume(path: tuple[int, int, int, int], volume: int, length_ms: int) -> int:
    """Quote volume of the whole candle: its volume at the path's mean price. The recording doesn't tell the real one."""
    times = _legs(length_ms)
    twice_area = sum((path[leg] + path[leg + 1]) * (times[leg + 1] - times[leg]) for leg in (0, 1, 2))
    return volume * twice_area // (2 * times[3]) // 10**8


def moving(path: tuple[int, int, int, int], volume: int, elapsed_ms: int, length_ms: int, tick: int) -> tuple[Bar, bool]:
    """The candle after `elapsed_ms` of `length_ms` (0 to length - 1), and whether its price is falling just now."""
    times = _legs(length_ms)
    leg = 0
    twice_area = 0
    while leg < 2 and elapsed_ms >= times[leg + 1]:
        twice_area += (path[leg] + path[leg + 1]) * (times[leg + 1] - times[leg])
        leg += 1
    start, end = path[leg], path[leg + 1]
    elapsed = elapsed_ms - times[leg]
    duration = times[leg + 1] - times[leg]
    price = start + (end - start) * elapsed // duration
    price -= price % tick  # can't leave the leg: both its ends are on the tick
    twice_area += 2 * start * elapsed + (end - start) * elapsed * elapsed // duration
    reached = (*path[: leg + 1], price)
    traded = volume * elapsed_ms // times[3]
    quote = volume * twice_area // (2 * times[3]) // 10**8
    trades = 0 if not traded else TRADES if elapsed_ms == times[3] else leg + 1
    return Bar(path[0], max(reached), min(reached), price, traded, quote, trades), end < start


def tick_size(prices: list[int]) -> int:
    """Largest power of ten that divides every price and is at most a 10,000th of the lowest one (at least 1 unit)."""
    tick = 1
    lowest = min(prices)
    while tick * 10 * 10_000 <= lowest and all(price % (tick * 10) == 0 for price in prices):
        tick *= 10
    return tick


def best(price: int, falling: bool, tick: int) -> tuple[int, int, int]:
    """Best bid, best ask, and the distance between levels (half a basis point, at least a tick).

    The last trade was at one of the two: a falling price hits the bid, a rising one lifts the ask.
    """
    step = max(tick, price // 20_000 // tick * tick)
    if falling or price - step <= 0:
        return price, price + step, step
    return price - step, price, step


def quantity(symbol: str, price: int, level: int, typical: int) -> int:
    """Amount at a price level: about a fifth of a typical candle's volume at the top, more further down, never 0."""
    noise = zlib.crc32(b"%s%d" % (symbol.encode(), price)) % 100
    return max(typical * (50 + noise) * (10 + level) // 5_000, 10**8)


def book(symbol: str, price: int, falling: bool, tick: int, typical: int, levels: int) -> tuple[list, list]:
    """Bids (best first) and asks (best first) as (price, quantity). Bids end above 0, so there may be fewer."""
    bid, ask, step = best(price, falling, tick)
    down = range(bid, max(0, bid - levels * step), -step)
    up = range(ask, ask + levels * step, step)
    bids, asks = ([(at, quantity(symbol, at, level, typical)) for level, at in enumerate(side)] for side in (down, up))
    return bids, asks
