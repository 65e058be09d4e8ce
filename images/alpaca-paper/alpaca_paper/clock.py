"""The broker's clock: the wall's, moved by the test API and run faster. A change of the speed alone never makes it jump."""

from .conditions import Conditions

FASTEST = 600
# Resting orders look at prices once a second of the broker, but not more often than this (real microseconds).
FINEST_US = 20_000
SECOND_US = 1_000_000


def reading(conditions: Conditions, wall_us: int) -> int:
    """Unix microseconds on the broker's clock at a time of the wall's."""
    return wall_us + conditions.clock_shift + (wall_us - conditions.speed_since) * (conditions.speed - 1)


def set_time(conditions: Conditions, wall_us: int, time_us: int) -> None:
    """The clock shows `time_us` and runs on from there at its speed."""
    conditions.clock_shift, conditions.speed_since = time_us - wall_us, wall_us


def set_speed(conditions: Conditions, wall_us: int, speed: int) -> None:
    """Broker seconds per real second, from here on."""
    set_time(conditions, wall_us, reading(conditions, wall_us))
    conditions.speed = speed


def look_us(conditions: Conditions) -> int:
    """How far apart (microseconds of the broker) resting orders look at prices."""
    return max(SECOND_US, FINEST_US * conditions.speed)


def tick_seconds(conditions: Conditions, slowest: float) -> float:
    """Real seconds between two ticks: a broker's second, within what is fine enough and what is bearable."""
    return min(slowest, look_us(conditions) / conditions.speed / SECOND_US)
