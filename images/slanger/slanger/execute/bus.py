"""Redis with a deadline on everything: a list to read and a channel to publish on. Trading never waits for it."""

import asyncio
from typing import Any

WAIT_SECONDS = 2.0


class BusDown(Exception):
    """Redis did not answer, or not as it should."""


class Bus:
    def __init__(self, url: str) -> None:
        # Only here: who has no Redis needs no client in memory.
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        self._errors = (RedisError, OSError, TimeoutError)
        self._redis = Redis.from_url(url, socket_timeout=WAIT_SECONDS, socket_connect_timeout=WAIT_SECONDS, decode_responses=True)

    async def _call(self, command: Any) -> Any:
        try:
            return await asyncio.wait_for(command, WAIT_SECONDS)
        except self._errors as problem:
            raise BusDown(repr(problem)) from problem

    async def members(self, key: str) -> set[str]:
        """A set's members. Raises BusDown."""
        return await self._call(self._redis.smembers(key))

    async def publish(self, channel: str, text: str) -> None:
        """Raises BusDown."""
        await self._call(self._redis.publish(channel, text))

    async def close(self) -> None:
        await self._redis.aclose()
