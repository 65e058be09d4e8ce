"""What is kept in Redis: the day's list, and what became of the day's signals. All of it can be lost at any time; it is written again.

Keys: `<list>` (set of symbols, `-` alone when there are none), `<list>:day` (text, whose list it is), `earnyearn:<account>:<day>` (hash, a
signal's id -> JSON of what was ordered and what came of it; kept 10 days).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date

from botkit.bus import Bus

KEPT_SECONDS = 10 * 86_400
NOBODY = "-"


@dataclass(frozen=True)
class Record:
    """What became of a signal."""

    outcome: str = ""
    """"" while it is being sent."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The order's amounts when it was first sent: other settings must not make another order of the same signal."""
    alert: str = ""


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

    async def records(self, day: date) -> dict[str, Record] | None:
        """Signal's id -> what became of it; None when nothing is known of the day."""
        (found,) = await self._bus.together(("HGETALL", self._name(day)))
        return {name: record for name, text in found.items() if (record := _record(text))} if found else None

    async def keep_records(self, day: date, records: Mapping[str, Record]) -> None:
        """Adds to the day's; with an empty mapping it says that the day is known."""
        pairs = [part for name, one in records.items() for part in (name, json.dumps(asdict(one)))]
        await self._bus.together(("HSET", self._name(day), NOBODY, "", *pairs), ("EXPIRE", self._name(day), KEPT_SECONDS))

    async def known(self, day: date) -> bool:
        """Whether Redis still has the day's records."""
        (there,) = await self._bus.together(("EXISTS", self._name(day)))
        return bool(there)

    def _name(self, day: date) -> str:
        return f"{self._prefix}:{day}"


def _record(text: str) -> Record | None:
    try:
        return Record(**json.loads(text))
    except (ValueError, TypeError):
        return None
