"""The listening socket, which can be shut for some seconds."""

import asyncio

from aiohttp import web


class Door:
    """`runner` is set up already."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self._place = (host, port)
        self._site: web.TCPSite | None = None
        self._shut: asyncio.Task | None = None

    async def open(self) -> None:
        """Raises OSError."""
        self._site = web.TCPSite(self._runner, *self._place)
        await self._site.start()

    def shut(self, seconds: float) -> None:
        """Refuses connections for so long, and cuts those that are there. Not while it is shut already."""
        if self._shut is None or self._shut.done():
            self._shut = asyncio.create_task(self._pause(seconds))

    async def _pause(self, seconds: float) -> None:
        await self._site.stop()
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(seconds)
        await self.open()
