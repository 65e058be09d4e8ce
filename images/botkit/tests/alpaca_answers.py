"""A server that answers what a test wants, and a client of it."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from botkit.alpaca import Address, Client, open_session
from botkit.alpaca_budget import Budget


@asynccontextmanager
async def client_of(handler, **timeouts):
    """A Client and the list of requests that reached `handler(request, number)`; numbers from 1."""
    seen = []

    async def handle(request):
        seen.append(request)
        return await handler(request, len(seen))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with open_session() as session:
            if timeouts:
                session._timeout = aiohttp.ClientTimeout(**timeouts)
            address = Address(trading_url=url, data_url=f"{url}/data", key="key", secret="secret")
            yield Client(session, address, Budget(1000)), seen
    finally:
        await runner.cleanup()


def ask(handler, use, **timeouts):
    """What `use(client)` gives, and the requests that were seen."""

    async def run():
        async with client_of(handler, **timeouts) as (client, seen):
            return await use(client), seen

    return asyncio.run(run())


def answering(status, body, headers=None):
    async def handler(request, number):
        return web.json_response(body, status=status, headers=headers)

    return handler
