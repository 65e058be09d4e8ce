"""What is kept in Redis: the day's list, and what became of the day's signals. All of it can be lost at any time; it is written again.

Keys: `<list>` (set of symbols, `-` alone when there are none), `<list>:day` (text, whose list it is), `earnyearn:<account>:<day>` (hash, a
signal's id -> JSON of what was ordered and what came of it, and `-` -> the time at which nothing was known; kept 10 days).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from botkit.bus import Bus

KEPT_SECONDS = 10 * 86_400
NOBODY = "-"


@dataclass(frozen=True)
class Record:
    """What became of a signal."""

    outcome: str = ""
    """"" while it is being sent."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The order's, as they were first sent: neither other settings nor corrected bars may make another order of the same signal."""
    alert: str = ""


@dataclass(frozen=True)
class Day:
    """What is known of a day."""

    unknown_until: datetime | None = None
    """Broker's time at which nothing was known: earlier signals may have been ordered. None: everything is known."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """By the signal's id."""


class Memory:
    """Every method raises BusDown."""

    def __init__(self, bus: Bus, account: str, list_name: str) -> None:
        self._bus, self._list, self._prefix = bus, list_name, f"earnyearn:{account}"

    async def listed(self, day: date) -> frozenset[str] | None:
        """The day's symbols; None when Redis has no list of that day."""
        whose, members = await self._bus.together(("GET", f"{self._list}:day"), ("SMEMBERS", self._list))
        return frozenset(members) - {NOBODY} if members and whose == day.isoformat() else None

    async def keep_list(self, day: date, symbols: Iterable[str]) -> None:
        """Replaces the list; nobody sees it half made."""
        members = sorted(symbols) or [NOBODY]
        await self._bus.together(("DEL", self._list), ("SADD", self._list, *members), ("SET", f"{self._list}:day", day.isoformat()))

    async def day(self, day: date) -> Day | None:
        """None when nothing is known of it."""
        (found,) = await self._bus.together(("HGETALL", self._name(day)))
        if not found:
            return None
        since = found.pop(NOBODY, "")
        return Day(_time(since), {name: record for name, text in found.items() if (record := _record(text))})

    async def keep_records(self, day: date, unknown_until: datetime | None, records: Mapping[str, Record]) -> None:
        """Adds to the day's."""
        pairs = [part for name, one in records.items() for part in (name, json.dumps(asdict(one)))]
        since = unknown_until.isoformat() if unknown_until else ""
        await self._bus.together(("HSET", self._name(day), NOBODY, since, *pairs), ("EXPIRE", self._name(day), KEPT_SECONDS))

    async def count(self, day: date) -> int:
        """Records of the day that Redis has."""
        (fields,) = await self._bus.together(("HLEN", self._name(day)))
        return max(fields - 1, 0)

    def _name(self, day: date) -> str:
        return f"{self._prefix}:{day}"


def _record(text: str) -> Record | None:
    try:
        return Record(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
