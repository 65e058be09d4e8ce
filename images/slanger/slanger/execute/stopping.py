"""SIGTERM: what is being sent is finished, everything that waits goes back."""

import asyncio


class Stopping(Exception):
    """The worker ends; what isn't finished is for the next one."""


class Stop:
    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Stopping once it is requested."""
        if self.requested:
            raise Stopping

    async def wait(self) -> None:
        await self._event.wait()

    async def pause(self, seconds: float) -> None:
        """Waits so long. Raises Stopping as soon as it is requested."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        raise Stopping
