"""Whether the queue answers: asked at most once a second, however many ask."""

import asyncio
import logging
import time
from typing import Any

from slanger.settings import QueueSettings

log = logging.getLogger(__name__)

SECONDS = 1.0
KEPT_SECONDS = 1.0


class Readiness:
    def __init__(self, sqs: Any, queue: QueueSettings) -> None:
        self._sqs = sqs
        self._queue = queue
        self._ready = True
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def ready(self) -> bool:
        async with self._lock:
            if time.monotonic() >= self._until:
                problem = await self._problem()
                if self._ready != (problem is None):
                    log.warning("the queue answers again" if problem is None else "the queue doesn't answer", extra={"problem": problem})
                self._ready, self._until = problem is None, time.monotonic() + KEPT_SECONDS
            return self._ready

    async def _problem(self) -> str | None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._sqs.get_queue_attributes(QueueUrl=self._queue.url, AttributeNames=["QueueArn"])
        except Exception as problem:
            # Whatever it is, alerts can't be stored.
            return f"{type(problem).__name__}: {str(problem)[:200]}"
        return None
