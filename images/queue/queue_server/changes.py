"""What has changed in MiniStack's queues since the last commit, found without looking at every message.

MiniStack appends new messages to the end of a queue's list and drops others from anywhere in it: what is new lies behind the last known
message, and only a shorter list has lost any. Messages that change in place are named by whoever changed them.
"""

import json
from dataclasses import dataclass, field
from itertools import takewhile


@dataclass(frozen=True)
class Stored:
    """A message as the disk has it, or will have with the next commit."""

    position: int
    """Ascending in the order of the queue."""
    message: dict
    """MiniStack's own, not a copy: what it changes in place is seen here."""


@dataclass
class Rows:
    """Rows for the database, in the order of its tables' columns."""

    queues: list[tuple] = field(default_factory=list)
    messages: list[tuple] = field(default_factory=list)
    deduplication: list[tuple] = field(default_factory=list)
    gone: list[tuple] = field(default_factory=list)
    """Ids of messages."""


@dataclass
class Changes:
    """The known messages of every queue, and which rows differ from the disk."""

    known: dict[str, dict[str, Stored]] = field(default_factory=dict)
    """Queue name -> message id -> message."""
    last_position: int = 0
    _queues: dict[str, dict] = field(default_factory=dict)
    _messages: dict[str, str | None] = field(default_factory=dict)
    """Message id -> name of its queue; None: deleted. A message that moves to a dead-letter queue keeps its id."""
    _deduplication: dict[tuple[str, str], dict] = field(default_factory=dict)

    def look(self, queue: dict) -> bool:
        """Note which messages came and went; True if any did. After a move look at the source before the target."""
        name, known = queue["name"], self.known.setdefault(queue["name"], {})
        fresh = list(takewhile(lambda message: message["id"] not in known, reversed(queue["messages"])))
        for message in reversed(fresh):
            self.last_position += 1
            known[message["id"]] = Stored(self.last_position, message)
            self._messages[message["id"]] = name
            self._note_deduplication(queue, message)
        if fresh:
            self._queues[name] = queue  # its sequence number has moved on
        lost = len(known) > len(queue["messages"])
        if lost:
            for one in known.keys() - {message["id"] for message in queue["messages"]}:
                del known[one]
                self._messages[one] = None
        return bool(fresh) or lost

    def touch(self, queue: dict, message_id: str) -> None:
        """Note that a message has changed in place."""
        self._messages[message_id] = queue["name"]

    def touch_queue(self, queue: dict) -> None:
        """Note that a queue is new or has other attributes or tags."""
        self._queues[queue["name"]] = queue

    def pending(self) -> bool:
        return bool(self._queues or self._messages or self._deduplication)

    def take(self) -> Rows:
        """The rows as they are now; from here on nothing counts as changed."""
        rows = Rows()
        for name, queue in self._queues.items():
            rows.queues.append((name, json.dumps({key: value for key, value in queue.items() if key not in ("messages", "dedup_cache")})))
        for one, name in self._messages.items():
            if name is None:
                rows.gone.append((one,))
            else:
                stored = self.known[name][one]
                rows.messages.append((one, stored.position, name, json.dumps(stored.message)))
        for (name, key), entry in self._deduplication.items():
            rows.deduplication.append((name, key, entry["expire"], json.dumps(entry)))
        self._queues, self._messages, self._deduplication = {}, {}, {}
        return rows

    def _note_deduplication(self, queue: dict, message: dict) -> None:
        key = message["dedup_cache_key"]
        entry = queue["dedup_cache"].get(key)
        # A message that came from another queue brings that queue's key, which means nothing here.
        if entry and entry["id"] == message["id"]:
            self._deduplication[queue["name"], key] = entry


def known_messages(queues: list[dict], positions: dict[str, int]) -> Changes:
    """What the disk has, as the starting point: queues as they were loaded, message id -> position."""
    known = {queue["name"]: {one["id"]: Stored(positions[one["id"]], one) for one in queue["messages"]} for queue in queues}
    return Changes(known, max(positions.values(), default=0))
