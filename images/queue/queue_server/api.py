"""The HTTP side: SQS's requests to MiniStack's protocol layer, and a health path."""

import json
import logging

from aiohttp import web

from .actions import Actions
from .ministack import handle_request
from .store import NotStored

log = logging.getLogger(__name__)

# A message of SQS's 1 MiB in which JSON writes every character as \u0000, and the rest of the request.
LARGEST_BODY = 7 * 1024 * 1024

routes = web.RouteTableDef()


def make_app(actions: Actions) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    app.add_routes(routes)

    async def end_long_polls(_: web.Application) -> None:
        actions.stop()

    app.on_shutdown.append(end_long_polls)
    return app


@routes.get("/health")
async def health(_: web.Request) -> web.Response:
    return web.Response(text="ok")


@routes.post("/{path:.*}")
async def action(request: web.Request) -> web.Response:
    body = await request.read()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        status, headers, body = await handle_request(request.method, request.path, headers, body, dict(request.query))
    except NotStored:
        # The client tries again, and finds the server that is started next.
        return _error(503, "ServiceUnavailable", "The change could not be stored.")
    except Exception:
        log.exception("request failed", extra={"action": request.headers.get("x-amz-target")})
        return _error(500, "InternalFailure", "The request failed for an unknown reason.")
    return web.Response(status=status, headers=headers, body=body)


def _error(status: int, code: str, message: str) -> web.Response:
    body = json.dumps({"__type": code, "message": message})
    return web.Response(status=status, headers={"x-amzn-errortype": code}, text=body, content_type="application/x-amz-json-1.0")
