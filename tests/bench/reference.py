"""The least that a webhook can do on the same server: read the body, answer 202. What slanger's accept is measured against."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

ANSWER = b'{"id": "0123456789abcdef0123456789abcdef"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200 if scope["method"] == "GET" else 202, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    uvicorn.run(
        app, port=int(os.environ["SLANGER_PORT"]), loop="uvloop", http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        proxy_headers=False, server_header=False,
    )  # fmt: skip
