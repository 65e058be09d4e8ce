"""The settings from the environment, checked at once."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAMES = ("QUEUE_HOST", "QUEUE_PORT", "QUEUE_STATE", "QUEUE_QUEUES")
KEYS = ("name", "visibility_timeout", "retention", "dead_letter_queue", "max_receives")
# SQS's own rule for names; the suffix makes a queue FIFO.
QUEUE_NAME = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?")


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value and the fix."""


@dataclass(frozen=True)
class Queue:
    """One queue that is there as soon as the server answers. Limits and defaults: SQS API reference, SetQueueAttributes."""

    name: str
    """FIFO if it ends with `.fifo`."""
    visibility_timeout: int
    """Seconds for which a received message stays hidden."""
    retention: int
    """Seconds after which a message is dropped."""
    dead_letter_queue: str | None
    """Queue that a message goes to which was received max_receives times and not deleted."""
    max_receives: int | None


@dataclass(frozen=True)
class Settings:
    host: str
    port: int
    state: Path
    """Folder of the server's alone, on a disk that outlives it."""
    queues: tuple[Queue, ...]
    """Dead-letter queues first: the others refer to them."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    mistakes = [
        f"{name} is not a setting: use {', '.join(NAMES)}"
        for name in sorted(environment)
        if name.startswith("QUEUE_") and name not in NAMES
    ]
    port = environment.get("QUEUE_PORT", "9324")
    if not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        mistakes.append(f"QUEUE_PORT={port!r}: use a whole number from 1 to 65535")
    state = environment.get("QUEUE_STATE", "")
    if not Path(state).is_dir() or not state:
        mistakes.append(f"QUEUE_STATE={state!r}: is not a folder; give one on a disk that outlives the server")
    queues = _queues(environment.get("QUEUE_QUEUES", "[]"), mistakes)
    if mistakes:
        raise BadSettings("; ".join(mistakes))
    return Settings(host=environment.get("QUEUE_HOST", "127.0.0.1"), port=int(port), state=Path(state), queues=queues)


def _queues(text: str, mistakes: list[str]) -> tuple[Queue, ...]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        mistakes.append(f'QUEUE_QUEUES={text[:80]!r}: use a JSON list such as [{{"name": "alerts.fifo", "visibility_timeout": 60}}]')
        return ()
    found = len(mistakes)
    names = [row.get("name") for row in rows]
    for row in rows:
        mistakes += [f"QUEUE_QUEUES {row.get('name')!r}: {mistake}" for mistake in _queue_mistakes(row, names)]
    if len(mistakes) > found:
        return ()
    queues = [
        Queue(
            name=row["name"],
            visibility_timeout=row.get("visibility_timeout", 30),
            retention=row.get("retention", 345_600),
            dead_letter_queue=row.get("dead_letter_queue"),
            max_receives=row.get("max_receives"),
        )
        for row in rows
    ]
    return tuple(sorted(queues, key=lambda queue: queue.dead_letter_queue is not None))


def _queue_mistakes(row: dict, names: list) -> list[str]:
    mistakes = [f"{key} is not a key: use {', '.join(KEYS)}" for key in sorted(set(row) - set(KEYS))]

    def number(key: str, low: int, high: int, unit: str) -> None:
        value = row.get(key, low)
        if type(value) is not int or not low <= value <= high:
            mistakes.append(f"{key}={value!r}: use a whole number from {low} to {high}{unit}")

    name, target = row.get("name"), row.get("dead_letter_queue")
    if not isinstance(name, str) or not QUEUE_NAME.fullmatch(name):
        mistakes.append("name: use 1 to 80 letters, digits, hyphens and underscores, with .fifo at the end for a FIFO queue")
    elif names.count(name) > 1:
        mistakes.append("name: is there twice")
    number("visibility_timeout", 0, 43_200, " (seconds)")
    number("retention", 60, 1_209_600, " (seconds)")
    number("max_receives", 1, 1000, "")
    if ("max_receives" in row) != ("dead_letter_queue" in row):
        mistakes.append("dead_letter_queue and max_receives: give both or neither")
    elif "dead_letter_queue" in row:
        # A chain would need an order of making; nobody needs a chain.
        last = [one for one in names if one == target and one != name]
        if not last:
            mistakes.append(f"dead_letter_queue={target!r}: is not another queue of the list")
        elif str(target).endswith(".fifo") != str(name).endswith(".fifo"):
            mistakes.append(f"dead_letter_queue={target!r}: a FIFO queue's is FIFO, a standard queue's is standard")
    return mistakes
