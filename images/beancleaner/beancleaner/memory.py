"""What is remembered in Redis: lists, best prices, what has run, what was begun, and whose turn it is. All of it can be lost without harm.

Keys of an account: `beancleaner:<account>:best` (hash, key -> best price), `…:done:<day>` (hash, rule/class -> time; kept 10 days),
`…:begun` (hash, key -> the closing that is not reported yet), `…:missed:<day>` (hash, rule/key -> 1: `watch` has ended once because an
`always` rule could not close it; kept 10 days), `…:turn` (text, the run that works).
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from botkit.bus import Bus, BusDown
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError

from beancleaner.closing import Target
from beancleaner.decide import symbols_of
from beancleaner.state import Best

log = logging.getLogger(__name__)
WAIT_SECONDS = 2.0
DONE_SECONDS = 10 * 86_400
# A run that was killed has its turn no longer than that.
TURN_SECONDS, RENEW_SECONDS, ASK_SECONDS = 6.0, 2.0, 0.5
TRIES = 20
ERRORS = (RedisError, OSError, TimeoutError)
# Only whoever holds the turn may prolong or end it.
RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class Memory:
    """Every method raises BusDown."""

    def __init__(self, url: str, account: str) -> None:
        """`url`: redis://:PASSWORD@HOST:6379/0."""
        self.bus = Bus(url)
        self._redis = Redis.from_url(
            url,
            socket_timeout=WAIT_SECONDS,
            socket_connect_timeout=WAIT_SECONDS,
            decode_responses=True,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
        )
        self._prefix = f"beancleaner:{account}"

    async def close(self) -> None:
        await self.bus.close()
        await self._redis.aclose()

    async def lists(self, names: Iterable[str]) -> dict[str, frozenset[str]]:
        """Redis set -> keys of its symbols. Raises decide.Unreadable too."""
        return {name: symbols_of(name, await self.bus.members(name)) for name in names}

    async def change_list(self, name: str, change: Callable[[frozenset[str]], frozenset[str]]) -> frozenset[str]:
        """Replaces a set by what `change` makes of its members, at once, and only if nobody has changed it meanwhile; else once more.

        What `change` raises leaves the set as it is. Returns the new members.
        """
        async with self._redis.pipeline(transaction=True) as pipeline:
            for _ in range(TRIES):
                await self._call(pipeline.watch(name))
                after = change(frozenset(await self._call(pipeline.smembers(name))))
                pipeline.multi()
                pipeline.delete(name)
                pipeline.sadd(name, *after)
                with suppress(WatchError):
                    await self._call(pipeline.execute())
                    return after
        raise BusDown(f"Redis: the list {name} is being changed all the time, try again")

    async def best(self) -> dict[str, Best]:
        """By key."""
        found = {}
        for key, text in (await self._call(self._redis.hgetall(f"{self._prefix}:best"))).items():
            with suppress(ValueError, KeyError, TypeError, InvalidOperation):
                one = json.loads(text)
                found[key] = Best(Decimal(one["price"]), datetime.fromisoformat(one["since"]), one["order_id"])
        return found

    async def keep_best(self, before: Mapping[str, Best], now: Mapping[str, Best]) -> None:
        """Replaces what was there."""
        name = f"{self._prefix}:best"
        changed = {
            key: json.dumps({"price": str(one.price), "since": one.since.isoformat(), "order_id": one.order_id})
            for key, one in now.items()
            if before.get(key) != one
        }
        if changed:
            await self._call(self._redis.hset(name, mapping=changed))
        if gone := set(before) - set(now):
            await self._call(self._redis.hdel(name, *gone))

    async def done(self, days: Iterable[date]) -> frozenset[tuple[str, str, str]]:
        """(rule, class, day) of what has run."""
        found = set()
        for day in days:
            for field in await self._call(self._redis.hkeys(f"{self._prefix}:done:{day}")):
                rule, _, asset_class = field.rpartition("/")
                found.add((rule, asset_class, day.isoformat()))
        return frozenset(found)

    async def note_done(self, done: Iterable[tuple[str, str, str]], now: datetime) -> None:
        for rule, asset_class, day in done:
            name = f"{self._prefix}:done:{day}"
            await self._call(self._redis.hset(name, f"{rule}/{asset_class}", now.isoformat()))
            await self._call(self._redis.expire(name, DONE_SECONDS))

    async def note_missed(self, fields: Iterable[str], day: date) -> bool:
        """Whether one of them was not remembered yet."""
        name = f"{self._prefix}:missed:{day}"
        new = [await self._call(self._redis.hsetnx(name, field, 1)) for field in fields]
        await self._call(self._redis.expire(name, DONE_SECONDS))
        return any(new)

    async def begun(self) -> dict[str, tuple[Target, date]]:
        """Key -> what a run began to close and did not report, and its day."""
        found = {}
        for key, text in (await self._call(self._redis.hgetall(f"{self._prefix}:begun"))).items():
            with suppress(ValueError, KeyError, TypeError, InvalidOperation):
                one = json.loads(text)
                amounts = {name: Decimal(one.pop(name)) for name in ("qty", "entry_price")}
                day = date.fromisoformat(one.pop("day"))
                found[key] = (Target(key=key, **amounts, **one), day)
        return found

    async def note_begun(self, targets: Iterable[Target], day: date) -> None:
        """Before the first order is sent: whoever comes after a kill knows what it was for."""
        mapping = {
            one.key: json.dumps(
                {
                    "symbol": one.symbol,
                    "crypto": one.crypto,
                    "qty": str(one.qty),
                    "entry_price": str(one.entry_price),
                    "rule": one.rule,
                    "why": one.why,
                    "first_attempt": one.first_attempt,
                    "day": day.isoformat(),
                }
            )
            for one in targets
        }
        if mapping:
            await self._call(self._redis.hset(f"{self._prefix}:begun", mapping=mapping))

    async def note_reported(self, keys: Iterable[str]) -> None:
        if keys := list(keys):
            await self._call(self._redis.hdel(f"{self._prefix}:begun", *keys))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until no other run of this account works."""
        name, token = f"{self._prefix}:turn", secrets.token_hex(8)
        told = False
        while not await self._call(self._redis.set(name, token, nx=True, px=int(TURN_SECONDS * 1000))):
            if not told:
                log.info("another run of this account works, waiting for it")
            told = True
            await asyncio.sleep(ASK_SECONDS)
        renewing = asyncio.create_task(self._renew(name, token))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(BusDown):
                await self._call(self._redis.eval(RELEASE, 1, name, token))

    async def _renew(self, name: str, token: str) -> None:
        """For ever. If it fails, two runs may work at once: their orders have the same ids, so that each is taken once."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(BusDown):
                await self._call(self._redis.eval(RENEW, 1, name, token, int(TURN_SECONDS * 1000)))

    async def _call(self, command: Any) -> Any:
        try:
            return await asyncio.wait_for(command, WAIT_SECONDS)
        except WatchError:
            raise
        except ERRORS as problem:
            # redis-py puts neither user nor password into its messages.
            raise BusDown(f"Redis: {problem or type(problem).__name__}") from None
