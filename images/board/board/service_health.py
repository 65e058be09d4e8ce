"""Whether each service answers: GET for http://, PING for redis://, a connection for tcp://. Asked only while a page is open."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from board.fetch import reason
from board.settings import Service
from board.sources import Source, SourceDown

INTERVAL = 5.0
SECONDS = 3.0


class ServiceWatch:
    """One service. `took`: milliseconds of its last answer."""

    def __init__(self, service: Service, session: aiohttp.ClientSession) -> None:
        self.name, self._url, self._session, self.took = service.name, service.url, session, 0
        todo = f"See what it says: make logs BOT={service.name}; on AWS its ECS service. It is started again by itself."
        self.source = Source(f"service:{service.name}", f"Service {service.name}", todo)

    async def look(self) -> None:
        try:
            began = time.monotonic()
            await self.source.ask(self._ask)
            self.took = round((time.monotonic() - began) * 1000)
        except SourceDown:
            pass

    async def _ask(self) -> None:
        try:
            parts = urlsplit(self._url)
            async with asyncio.timeout(SECONDS):
                if parts.scheme in ("http", "https"):
                    await self._get()
                else:
                    await _connect(parts.hostname or "", parts.port or 6379, b"PING\r\n" if parts.scheme == "redis" else b"")
        except TimeoutError:
            raise SourceDown(f"no answer within {SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise SourceDown(reason(error)) from None
        except ValueError:
            # Such as a host name that no DNS can have.
            raise SourceDown("its URL in BOARD_SERVICES can't be used") from None

    async def _get(self) -> None:
        async with self._session.get(self._url, allow_redirects=False) as answer:
            # Whoever wants to know who asks is there too.
            if answer.status >= 300 and answer.status not in (401, 403):
                raise SourceDown(f"answers with HTTP {answer.status}")

    def row(self) -> dict[str, Any]:
        return self.source.described() | {"name": self.name, "took": self.took}


async def _connect(host: str, port: int, hello: bytes) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        if hello:
            writer.write(hello)
            # +PONG, or -NOAUTH where it wants a password: either way it lives.
            if (await reader.read(1))[:1] not in (b"+", b"-"):
                raise SourceDown("answers, but not as Redis does")
    finally:
        writer.close()


async def watch_services(services: list[ServiceWatch], watched: asyncio.Event, publish: Callable[[list[dict[str, Any]]], None]) -> None:
    """For ever."""

    async def follow(service: ServiceWatch) -> None:
        while True:
            await watched.wait()
            await service.look()
            await asyncio.sleep(INTERVAL)

    async with asyncio.TaskGroup() as tasks:
        for service in services:
            tasks.create_task(follow(service))
        while True:
            publish([service.row() for service in services])
            await asyncio.sleep(1)
            await watched.wait()
