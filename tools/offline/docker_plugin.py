"""Stands in for Pulumi's docker provider where it can't be downloaded: the real SDK's resources, on the real Docker engine.

Network, Volume, Image and Container; anything else, and any property that isn't implemented, is refused by name, never ignored.
"""

import asyncio
import importlib.metadata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.provider.experimental.provider import Provider
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as proto

from tools.offline import docker_container, docker_image, docker_network, docker_volume
from tools.offline import docker_engine as engine
from tools.offline.docker_values import coerced, differs, given_paths, has_secret, random_hex, whole
from tools.offline.sdk_check import check
from tools.offline.sdk_types import provider, resource
from tools.offline.serve import Refused, Servicer, failures, main, sentence
from tools.offline.wire import UNKNOWN, Secret, bare, decode, encode

SDK = "pulumi_docker"
VERSION = importlib.metadata.version("pulumi-docker")
KINDS: dict[str, Any] = {kind.TOKEN: kind for kind in (docker_network, docker_volume, docker_image, docker_container)}
CONFIG = {"host", "disableDockerDaemonCheck"}
# Stopping a container may take minutes; one thread each, so that a hundred stop side by side.
THREADS = 64


class DockerServicer(Servicer):
    """One provider instance: the default one, or an explicit `docker.Provider`."""

    host = ""
    pool = ThreadPoolExecutor(THREADS)

    async def CheckConfig(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        given = {
            name: value
            for name, value in decode(request.news).items()
            if name not in ("version", "pluginDownloadURL") and value is not None
        }
        found = check(given, provider(SDK)) if not given.keys() <= CONFIG else []
        found += [
            (name, f"not implemented by the offline docker plugin; it takes {' and '.join(sorted(CONFIG))}")
            for name in given
            if name not in CONFIG and name in provider(SDK)
        ]
        return proto.CheckResponse(inputs=request.news, failures=failures(found))

    async def Configure(self, request: proto.ConfigureRequest, context: Any) -> proto.ConfigureResponse:
        host = bare(decode(request.args)).get("host")
        self.host = host if isinstance(host, str) else ""
        return await super().Configure(request, context)

    async def Cancel(self, request: Empty, context: Any) -> Empty:
        engine.cancelled.set()
        return Empty()

    @sentence
    async def Invoke(self, request: proto.InvokeRequest, context: Any) -> proto.InvokeResponse:
        raise Refused(f"{request.tok} is not implemented by the offline docker plugin; it implements no functions")

    async def GetSchema(self, request: proto.GetSchemaRequest, context: Any) -> proto.GetSchemaResponse:
        return proto.GetSchemaResponse(schema=f'{{"name": "docker", "version": "{VERSION}"}}')

    @sentence
    async def Check(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        kind, name = _kind_and_name(request.urn)
        olds = decode(request.olds)
        news = {key: value for key, value in decode(request.news).items() if value is not None and not key.startswith("__")}
        properties = resource(SDK, kind.TOKEN).inputs
        found = check(news, properties)
        found += [
            (path, kind.NOT_IMPLEMENTED[path] + " (offline docker plugin)")
            for path in sorted(given_paths(bare(news)))
            if path in kind.NOT_IMPLEMENTED
        ]
        if not found:
            news = {key: coerced(value, properties[key].type) for key, value in news.items()}
            found = kind.check(news)
        if found:
            return proto.CheckResponse(inputs=request.news, failures=failures(found))
        if kind.AUTONAME and news.get("name") is None:
            kept = olds.get("name") if "name" in (olds.get("__defaults") or []) else None
            news |= {"name": kept or f"{name}-{random_hex(request.randomSeed)}", "__defaults": ["name"]}
        return proto.CheckResponse(inputs=encode(kind.prepare(news) if hasattr(kind, "prepare") else news))

    @sentence
    async def Diff(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        kind, _ = _kind_and_name(request.urn)
        olds, news = decode(request.old_inputs) or decode(request.olds), decode(request.news)
        if kind is docker_image:
            olds, news = kind.relevant(olds), kind.relevant(news)
        kinds: dict[str, str] = {}
        for name in sorted({*olds, *news}):
            if not name.startswith("__") and differs(name, olds.get(name), news.get(name), kind.DEFAULTS):
                kinds[name] = "ADD" if olds.get(name) is None else "DELETE" if news.get(name) is None else "UPDATE"
        limits_removed = {name for name in kinds if kind is docker_container and name in kind.ONLY_UPWARDS and not bare(news.get(name))}
        replaces = [name for name in kinds if name not in kind.UPDATES or name in limits_removed]
        # What only became secret (or no longer is) is the same to Docker, but must be stored anew.
        kinds |= {
            name: "UPDATE" for name in news if name not in kinds and name in olds and has_secret(olds[name]) != has_secret(news[name])
        }
        if kind is docker_container and docker_container.stopped(bare(decode(request.olds))):
            kinds["mustRun"] = "UPDATE"
            replaces.append("mustRun")
        return proto.DiffResponse(
            changes=proto.DiffResponse.DIFF_SOME if kinds else proto.DiffResponse.DIFF_NONE,
            diffs=sorted(kinds),
            replaces=replaces,
            # Two things of one name can't be there at once, unless the name is made up anew each time.
            deleteBeforeReplace=bool(replaces) and (kind.DELETE_BEFORE_REPLACE or "name" not in (news.get("__defaults") or [])),
            hasDetailedDiff=True,
            detailedDiff={
                name: proto.PropertyDiff(
                    kind=proto.PropertyDiff.Kind.Value(f"{what}_REPLACE" if name in replaces else what), inputDiff=True
                )
                for name, what in kinds.items()
            },
        )

    @sentence
    async def Create(self, request: proto.CreateRequest, context: Any) -> proto.CreateResponse:
        kind, _ = _kind_and_name(request.urn)
        inputs = decode(request.properties)
        if request.preview:
            return proto.CreateResponse(properties=encode(_preview(kind, inputs)))
        made, computed = await self._docker(kind, inputs, lambda client, plain: kind.create(plain, client, self._report(request.urn)))
        return proto.CreateResponse(id=made, properties=encode(_state(kind, inputs, computed)))

    @sentence
    async def Read(self, request: proto.ReadRequest, context: Any) -> proto.ReadResponse:
        kind, _ = _kind_and_name(request.urn)
        inputs = decode(request.inputs)
        if not inputs:
            raise Refused(
                "the offline docker plugin can't import or look up what it didn't create; use the resource's name or id as a plain value"
            )
        found = await self._docker(kind, inputs, lambda client, plain: kind.read(request.id, plain, client))
        if found is None:
            return proto.ReadResponse()
        drift, computed = found
        inputs |= {name: Secret(value) if has_secret(inputs.get(name)) else value for name, value in drift.items()}
        state = decode(request.properties) | computed if kind is docker_image else _state(kind, inputs, computed)
        return proto.ReadResponse(id=request.id, inputs=encode(inputs), properties=encode(state))

    @sentence
    async def Update(self, request: proto.UpdateRequest, context: Any) -> proto.UpdateResponse:
        kind, _ = _kind_and_name(request.urn)
        olds, inputs = decode(request.old_inputs), decode(request.news)
        if request.preview:
            return proto.UpdateResponse(properties=encode(_preview(kind, inputs, decode(request.olds))))
        changed = {name for name in {*olds, *inputs} if differs(name, olds.get(name), inputs.get(name), kind.DEFAULTS)}

        def work(client: Any, plain: dict) -> dict:
            if hasattr(kind, "update"):
                return kind.update(request.id, plain, changed, client, self._report(request.urn))
            return kind.read(request.id, plain, client)[1]

        return proto.UpdateResponse(properties=encode(_state(kind, inputs, await self._docker(kind, inputs, work))))

    @sentence
    async def Delete(self, request: proto.DeleteRequest, context: Any) -> Empty:
        kind, _ = _kind_and_name(request.urn)
        if kind is not docker_image:
            await self._docker(kind, decode(request.properties), lambda client, plain: kind.delete(request.id, plain, client))
        return Empty()

    async def _docker(self, kind: Any, inputs: dict, work: Callable[[Any, dict], Any]) -> Any:
        """Do blocking work with a client and the plain inputs, in a thread. Raises Problem without any of the inputs' secrets."""

        def run() -> Any:
            plain = whole(bare(inputs))
            if kind is docker_image and docker_image.synthetic():
                return work(None, plain)
            with engine.connect(self.host) as client:
                return work(client, plain)

        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, run)
        except engine.Problem as problem:
            raise engine.Problem(engine.redact(str(problem), inputs)) from None

    def _report(self, urn: str) -> Callable[[str], None]:
        """A function that shows one line of progress beside the resource."""
        channel = grpc.insecure_channel(self._engine_address)
        stub = engine_pb2_grpc.EngineStub(channel)

        def report(line: str) -> None:
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn, ephemeral=True))

        return report


def _kind_and_name(urn: str) -> tuple[Any, str]:
    _, _, types, name = urn.split("::", 3)
    token = types.rpartition("$")[2]
    if token not in KINDS:
        resource(SDK, token)
        raise Refused(f"{token} is not implemented by the offline docker plugin; it implements {', '.join(sorted(KINDS))}")
    return KINDS[token], name


def _state(kind: Any, inputs: dict, computed: dict) -> dict:
    """Outputs: the inputs as they were given (secrets stay secret) and what Docker made of them. An image's are its computed ones alone."""
    if kind is docker_image:
        return computed
    kept = {name: value for name, value in inputs.items() if not name.startswith("__")}
    return kept | {name: value for name, value in computed.items() if not has_secret(kept.get(name))}


def _preview(kind: Any, inputs: dict, olds: Any = None) -> dict:
    if kind is docker_image:
        return {**docker_image.outputs(bare(inputs)), "repoDigest": UNKNOWN}
    # A new resource's other outputs are unknown by being absent; an updated one's stay.
    return _state(kind, {**(olds or {}), **inputs}, {})


if __name__ == "__main__":
    main(DockerServicer, VERSION, Provider())
