"""The worker's page on the loopback address: its health, and the switch that a command in the same container pulls."""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web

# A poll takes 20 s; a loop that is stuck polls no more.
STUCK_SECONDS = 90.0


def make_page(polled_at: Callable[[], float], facts: Callable[[], dict], halt: Callable[[bool], Awaitable[None]]) -> web.Application:
    """`polled_at`: monotonic time of the last poll. `facts`: what /health tells besides. `halt(True)` stops trading in memory, `halt(False)`
    ends that, both once the broker knows."""

    async def health(_: web.Request) -> web.Response:
        age = time.monotonic() - polled_at()
        alive = age < STUCK_SECONDS
        return web.json_response({"alive": alive, "polled_seconds_ago": round(age, 1), **facts()}, status=200 if alive else 503)

    async def stop(_: web.Request) -> web.Response:
        await halt(True)
        return web.json_response(facts())

    async def go_on(_: web.Request) -> web.Response:
        await halt(False)
        return web.json_response(facts())

    app = web.Application()
    app.add_routes([web.get("/health", health), web.post("/halt", stop), web.post("/resume", go_on)])
    return app
