"""The worker's page on the loopback address: its health, and the switch that a command in the same container pulls."""

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from botkit.alpaca import Unavailable

# A poll takes 20 s; a loop that is stuck polls no more.
STUCK_SECONDS = 90.0


def make_page(
    polled_at: Callable[[], float], facts: Callable[[], dict], halt: Callable[[], Awaitable[None]], release: Callable[[], Awaitable[None]]
) -> web.Application:
    """`polled_at`: monotonic time of the last poll. `facts`: what /health tells besides. `halt` lets no order pass any more; `release` reads
    the broker's own switch and lets it decide again."""

    async def health(_: web.Request) -> web.Response:
        age = time.monotonic() - polled_at()
        alive = age < STUCK_SECONDS
        return web.json_response({"alive": alive, "polled_seconds_ago": round(age, 1), **facts()}, status=200 if alive else 503)

    def after(action: Callable[[], Awaitable[None]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(_: web.Request) -> web.Response:
            try:
                await action()
            except Unavailable as problem:
                return web.json_response({"error": str(problem)}, status=503)
            return web.json_response(facts())

        return handle

    app = web.Application()
    app.add_routes([web.get("/health", health), web.post("/halt", after(halt)), web.post("/release", after(release))])
    return app
