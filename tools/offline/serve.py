"""The gRPC plumbing of a provider plugin that works on plain values: start-up, error messages, and the calls that every provider has.

`pulumi.provider.experimental` offers the same with `PropertyValue` objects; its conversions cost more than the provider's own work once
a stack has hundreds of resources, so that only `Construct` (rare, involved) is left to it.
"""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from tools.offline.sdk_check import Failure


class Refused(Exception):
    """Something that this plugin doesn't do, in one sentence for the person at the terminal."""


def sentence(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Turn Refused and LookupError into a gRPC error without a traceback."""

    @functools.wraps(method)
    async def wrapped(self: Any, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except (Refused, LookupError, ValueError) as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return wrapped


def failures(found: Iterable[Failure]) -> list[proto.CheckFailure]:
    # The path is part of the reason: the engine would print the property's value beside a path of its own field, secret or not.
    return [proto.CheckFailure(reason=f"{path}: {reason}" if path else reason) for path, reason in found]


class Servicer(ProviderServicer):
    """What the engine asks of every provider, before the provider's own resources."""

    async def Configure(self, request: proto.ConfigureRequest, context: Any) -> proto.ConfigureResponse:
        return proto.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True)

    async def CheckConfig(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        return proto.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    async def Attach(self, request: Any, context: Any) -> Empty:
        return Empty()

    async def Cancel(self, request: Empty, context: Any) -> Empty:
        return Empty()


def main(servicer: type[Servicer], version: str, provider: Provider) -> None:
    """Serve until the engine ends this process. The engine's address is the first argument without a dash; the port goes to stdout."""
    engine = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")

    async def serve() -> None:
        server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer(sys.argv[1:], version, provider, engine), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(port, flush=True)
        await server.wait_for_termination()

    # The engine ends plugins with a signal; there is nothing to finish, and a traceback would look like a crash.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: os._exit(0))
    asyncio.run(serve())
