"""Redis as a bus: messages to publish and to follow, and sets to read, with a deadline on everything. Trading never waits for it."""

import asyncio
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botkit.stopping import Backoff

log = logging.getLogger(__name__)
WAIT_SECONDS = 2.0
QUIET_SECONDS = 60.0
# A server that says nothing for so long is asked whether it is there.
SILENT_SECONDS = 10.0
LONGEST_DELAY = 10.0
MOST_BYTES = 2**20
_to_json = json.JSONEncoder(default=str).encode


class BusDown(Exception):
    """Redis did not answer, or not as it should. Without credentials."""


class BadMessage(ValueError):
    """Text that is no message of a known type."""


@dataclass(frozen=True)
class Gap:
    """Messages may have been missed: whoever keeps a state reads it anew."""

    seconds: float
    """How long nothing was heard, at most."""


@dataclass(frozen=True)
class Received:
    channel: str
    message: Any
    """A dataclass of the kinds that were asked for; without kinds the JSON object, a dict."""


def encode(message: Any) -> str:
    """A dataclass or a mapping as a JSON object; `type`: its own, or the class's name; `time`: its own, or now (RFC 3339, UTC)."""
    own = is_dataclass(message) and not isinstance(message, type)
    values = {name: getattr(message, name) for name in _names(type(message))} if own else dict(message)
    kind = {"type": type(message).__name__} if own else {}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = _to_json({**kind, "time": now, **values})
    if not own and not isinstance(values.get("type"), str):
        raise BadMessage("a message without `type`: name what it is")
    return text


def decode(text: str, kinds: Iterable[type] | None = None) -> Any:
    """The dataclass of `kinds` that `type` names; without kinds a dict. Keys that the class lacks are left out. Raises BadMessage."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("no JSON") from None
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise BadMessage("no JSON object with `type`")
    if kinds is None:
        return values
    kind = next((one for one in kinds if one.__name__ == values["type"]), None)
    if kind is None:
        raise BadMessage(f"type {values['type']!r:.80}")
    try:
        return kind(**{name: values[name] for name in _names(kind, True) if name in values})
    except (TypeError, ValueError) as problem:
        raise BadMessage(f"{kind.__name__}: {problem}") from None


@cache
def _names(kind: type, init: bool = False) -> tuple[str, ...]:
    """Of a dataclass's fields; `init`: only of those that it is made from."""
    return tuple(one.name for one in fields(kind) if one.init or not init)


@dataclass
class _Silence:
    since: float | None = None
    """Monotonic seconds at which the reading began that still waits; None: nobody reads."""


class Bus:
    """`url`: redis://:PASSWORD@HOST:6379/0. Connects when it is first used."""

    def __init__(self, url: str) -> None:
        # Only here: who has no Redis needs no client in memory.
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        self._errors = (RedisError, OSError, TimeoutError)
        self._redis = Redis.from_url(
            url,
            socket_timeout=WAIT_SECONDS,
            socket_connect_timeout=WAIT_SECONDS,
            decode_responses=True,
            protocol=2,
            # Not twice: a message may have been published though the answer is missing.
            retry=Retry(NoBackoff(), 0),
        )
        parts = urlsplit(url)
        self._where = f"{parts.hostname}:{parts.port or 6379}"

    async def publish(self, channel: str, message: Any) -> None:
        """A dataclass, or a mapping that has `type`. Raises BusDown; BadMessage for what is no message."""
        await self._call(self._redis.publish(channel, encode(message)))

    async def members(self, key: str) -> set[str]:
        """A set's members. Raises BusDown."""
        return await self._call(self._redis.smembers(key))

    async def ping(self) -> None:
        """Raises BusDown."""
        await self._call(self._redis.ping())

    async def together(self, *commands: tuple[str | int | float, ...]) -> list[Any]:
        """Answers to several commands, which Redis does at once and without anybody's in between. Raises BusDown, and then they may be done.

        A command: its name and its arguments, such as ("SET", "key", "text", "EX", 120).
        """
        pipeline = self._redis.pipeline(transaction=True)
        for command in commands:
            pipeline.execute_command(*command)
        return await self._call(pipeline.execute())

    async def subscribe(
        self, channels: Iterable[str], kinds: Iterable[type] | None = None, *, greet: bool = False
    ) -> AsyncIterator[Received | Gap]:
        """Messages for ever, over every loss of the connection; Gap after one, or when the first connection took more than one try.

        What is no message of `kinds` is skipped. Redis cuts off whoever reads too slowly, which is a Gap too: nothing is kept here.
        `greet`: a Gap after the first connection too: from there on nothing is missed.
        """
        names, known = tuple(channels), None if kinds is None else tuple(kinds)
        backoff, heard, again, told = Backoff(0.25, LONGEST_DELAY), time.monotonic(), False, -QUIET_SECONDS
        while True:
            connection = self._redis.connection_pool.make_connection()
            try:
                await self._subscribed(connection, names)
                backoff.reset()
                if again or greet:
                    yield Gap(time.monotonic() - heard)
                heard, again = time.monotonic(), True
                async for channel, text in self._messages(connection):
                    heard = time.monotonic()
                    try:
                        message = decode(text, known)
                    except BadMessage:
                        continue
                    yield Received(channel, message)
                    heard = time.monotonic()
            except self._errors as problem:
                again = True
                if time.monotonic() - told >= QUIET_SECONDS:
                    told = time.monotonic()
                    log.warning("Redis at %s can't be followed, trying again: %s", self._where, problem or type(problem).__name__)
            finally:
                await self._dropped(connection)
            await asyncio.sleep(backoff.delay())

    async def close(self) -> None:
        await self._redis.aclose()

    async def _call(self, command: Any) -> Any:
        try:
            return await asyncio.wait_for(command, WAIT_SECONDS)
        except self._errors as problem:
            # redis-py puts neither user nor password into its messages.
            raise BusDown(f"Redis at {self._where}: {problem or type(problem).__name__}") from None

    async def _subscribed(self, connection: Any, channels: tuple[str, ...]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            await connection.connect()
            await connection.send_command("SUBSCRIBE", *channels)
            for _ in channels:
                if await connection.read_response(timeout=WAIT_SECONDS) is None:
                    raise TimeoutError

    async def _messages(self, connection: Any) -> AsyncIterator[tuple[str, str]]:
        """(channel, text), until the connection fails with one of the errors."""
        silence = _Silence()
        watching = asyncio.create_task(self._watch(connection, silence))
        try:
            while True:
                silence.since = time.monotonic()
                # Without a timer for each message, which costs more than the message.
                kind, *values = await connection.read_response(timeout=math.inf)
                silence.since = None
                if kind == "message" and len(values) == 2 and len(values[1]) <= MOST_BYTES:
                    yield values[0], values[1]
        finally:
            watching.cancel()

    async def _watch(self, connection: Any, silence: _Silence) -> None:
        """Asks a server that has said nothing for long whether it is there, and ends the connection when it does not answer."""
        while True:
            since = silence.since
            quiet = 0.0 if since is None else time.monotonic() - since
            if quiet < SILENT_SECONDS:
                await asyncio.sleep(SILENT_SECONDS - quiet)
                continue
            try:
                await asyncio.wait_for(connection.send_command("PING"), WAIT_SECONDS)
                await asyncio.sleep(WAIT_SECONDS)
            except self._errors:
                pass
            if silence.since == since:
                # Whoever reads gets a connection error.
                await self._dropped(connection)
                return

    async def _dropped(self, connection: Any) -> None:
        try:
            await asyncio.wait_for(connection.disconnect(nowait=True), WAIT_SECONDS)
        except self._errors:
            pass
