"""Can a server be reached? Asked once with a short limit; a no is remembered for a day, so that later runs don't wait for it again."""

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from .paths import CACHE

LIMIT = 5.0
REMEMBER = 24 * 3600.0
MEMORY = CACHE / "unreachable.json"


def answers(url: str, limit: float = LIMIT) -> str | None:
    """None when the server answers HTTP at all within `limit` seconds (name lookup included), else why not."""
    result: list[str | None] = [f"no answer within {limit:g} s"]

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=limit).close()
            result[0] = None
        except urllib.error.HTTPError:
            result[0] = None  # An error status is an answer too.
        except (OSError, ValueError) as error:
            result[0] = str(getattr(error, "reason", error))

    # A thread, because a name lookup has no timeout of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(limit)
    return result[0]


def remembered(what: str, memory: Path = MEMORY) -> str | None:
    """Why `what` could not be reached lately, or None: not known, try."""
    entry = _read(memory).get(what)
    return entry["why"] if entry and 0 <= time.time() - entry["at"] < REMEMBER else None


def remember(what: str, why: str, memory: Path = MEMORY) -> None:
    """Note that `what` can't be reached."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    entries = {**_read(memory), what: {"why": why, "at": time.time()}}
    temporary = memory.with_suffix(f".{threading.get_ident()}")
    temporary.write_text(json.dumps(entries, indent=2))
    temporary.replace(memory)


def forget(memory: Path = MEMORY) -> None:
    """Ask again next time."""
    memory.unlink(missing_ok=True)


def why_not(url: str, memory: Path = MEMORY, limit: float = LIMIT) -> str | None:
    """None when `url`'s server answers, else why not: remembered or just tried."""
    why = remembered(url, memory)
    if why is None and (why := answers(url, limit)) is not None:
        remember(url, why, memory)
    return why


def _read(memory: Path) -> dict:
    try:
        return json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
