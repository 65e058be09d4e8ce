"""Whether the queue answers: asked at most once a second, however many ask."""

import asyncio
import time
from typing import Any

from slanger.settings import QueueSettings

SECONDS = 1.0
KEPT_SECONDS = 1.0


class Readiness:
    def __init__(self, sqs: Any, queue: QueueSettings) -> None:
        self._sqs = sqs
        self._queue = queue
        self._ready = False
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def ready(self) -> bool:
        async with self._lock:
            if time.monotonic() >= self._until:
                self._ready = await self._answers()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._ready

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                await self._sqs.get_queue_attributes(QueueUrl=self._queue.url, AttributeNames=["QueueArn"])
        except Exception:
            # Whatever it is, alerts can't be stored.
            return False
        return True
