"""Bars of a market that moves at random, and what they are at a longer interval, worked out without a database."""

import random

from history import Bar

MINUTE = 60_000
UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": 1440 * MINUTE, "w": 7 * 1440 * MINUTE}
# 1970 began on a Thursday; weeks begin on Mondays.
MONDAY = 4 * UNITS["d"]


def minutes(start: int, number: int, seed: int = 1) -> list[Bar]:
    """Bars of a minute each, one in fifty missing."""
    chance = random.Random(seed)
    price = 100.0
    made = []
    for n in range(number):
        ticks = [price := round(price * (1 + chance.gauss(0, 0.001)), 2) for _ in range(4)]
        if chance.random() > 0.02:
            made.append(Bar(start + n * MINUTE, ticks[0], max(ticks), min(ticks), ticks[-1], round(chance.random() * 10, 3)))
    return made


def resample(given: list[Bar], interval: str) -> list[Bar]:
    length = int(interval[:-1]) * UNITS[interval[-1]]
    shift = MONDAY if interval[-1] == "w" else 0
    groups: dict[int, list[Bar]] = {}
    for bar in given:
        groups.setdefault((bar.time - shift) // length * length + shift, []).append(bar)
    return [
        Bar(time, group[0].open, max(b.high for b in group), min(b.low for b in group), group[-1].close, sum(b.volume for b in group))
        for time, group in sorted(groups.items())
    ]
