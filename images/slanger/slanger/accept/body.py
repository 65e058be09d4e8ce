"""A request's body: read within a time and a size, and parsed as one JSON object that every reader understands alike."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from slanger.accept.refusal import Refused

MOST_BYTES = 16 * 1024
# How much of a larger body is read and dropped: a sender that is still writing would see a broken connection instead of the answer.
DRAINED_BYTES = 1024 * 1024
SECONDS = 1.0
# Objects and lists of a body, and so how deep they can lie in each other. A real alert has five.
MOST_CONTAINERS = 100

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Disconnected(Exception):
    """The client is gone: nobody reads an answer."""


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises Refused (413, 503) or Disconnected."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                part = message["body"]
                size += len(part)
                if size <= MOST_BYTES:
                    parts.append(part)
                elif size > DRAINED_BYTES:
                    break
                if not message["more_body"]:
                    break
    except TimeoutError:
        # Not 408: it may have been this machine that stood still, and TradingView resends after a 5xx only.
        raise Refused(503, f"the body did not arrive within {SECONDS:g} s: send the alert again") from None
    if size > MOST_BYTES:
        raise Refused(413, f"the body has more than {MOST_BYTES} bytes: send a smaller alert")
    return b"".join(parts)


def parse(body: bytes) -> dict[str, Any]:
    """The body's JSON object. Raises Refused (400) for what two parsers could read differently: a key that comes twice, NaN, numbers without
    end, halves of characters. pydantic_core.from_json would keep the last of two keys and read 1e999 as infinity."""
    if body.count(b"{") + body.count(b"[") > MOST_CONTAINERS:
        raise Refused(400, f"the body has more than {MOST_CONTAINERS} objects and lists: send an alert as its template has it")
    try:
        tree = _DECODER.decode(body.decode())
        # Finds infinity and lone surrogates, wherever they are.
        _ENCODER.encode(tree).encode()
    except _Twice as twice:
        raise Refused(400, f"{twice} is in the body twice: give it once") from None
    except json.JSONDecodeError as problem:
        raise Refused(
            400, f"the body is not JSON (line {problem.lineno} column {problem.colno}): check quotes, commas and brackets"
        ) from None
    except UnicodeError:
        raise Refused(400, "the body is not valid UTF-8 text: send JSON in UTF-8") from None
    except ValueError:
        raise Refused(400, "the body has a number that is not finite or too long: use plain numbers such as 187.50") from None
    if not isinstance(tree, dict):
        raise Refused(400, 'the body is not a JSON object: send {"action": …}')
    return tree


class _Twice(ValueError):
    """A key that an object has twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        raise _Twice(next(ascii(key[:40]) for key, _ in pairs if key in seen or seen.add(key)))
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
