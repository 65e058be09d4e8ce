"""docker:index/image:Image for the offline docker plugin: builds with the engine's classic builder, pushes unless told not to.

As the real provider does: every change is an update in place (build again), and deleting the resource leaves the image alone.
"""

import hashlib
import os
import platform
import re
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from docker.auth import resolve_repository_name
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag
from docker.utils.build import exclude_paths, tar

from tools.offline import docker_engine as engine
from tools.offline.wire import UNKNOWN, Secret, bare

TOKEN = "docker:index/image:Image"
AUTONAME = False
NOT_IMPLEMENTED = {"buildOnPreview": "a preview never builds; leave it out"}
UPDATES = frozenset({"build", "buildOnPreview", "imageName", "registry", "skipPush"})
DELETE_BEFORE_REPLACE = False
DEFAULTS: dict[str, Any] = {}
# Tests of stacks that push ask for this: nothing is built or pushed, the digest is made up from the inputs.
SYNTHETIC = "TRADESTACK_OFFLINE_SYNTHETIC"
LAST_LINES = 20
# What the classic builder says when another stack's `make down` removes the layers that it is building upon: they were that image's last user.
LAYER_GONE = re.compile(r"failed to get digest sha256:|No such image: sha256:|unknown parent image ID|layer does not exist")
TRIES = 5
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def check(inputs: dict) -> list[tuple[str, str]]:
    """Mistakes beyond types."""
    plain = bare(inputs)
    found = []
    build = plain.get("build") or {}
    if build is not UNKNOWN:
        if build.get("builderVersion") == "BuilderBuildKit":
            found.append(
                ("build.builderVersion", "the offline docker plugin builds with the classic builder only: use BuilderV1 or leave it out")
            )
        context, dockerfile = _paths(build)
        if context is not None and not Path(context).is_dir():
            found.append(("build.context", f"{context!r} is not a folder: give the folder that holds the Dockerfile"))
        elif dockerfile is not None and not Path(dockerfile).is_file():
            found.append(
                ("build.dockerfile", f"{dockerfile!r} does not exist; it is relative to the program's folder, not to build.context")
            )
        for host in build.get("addHosts") or []:
            if host is not UNKNOWN and ":" not in host:
                found.append(("build.addHosts", f"{host!r}: write host:address"))
    return found


def prepare(inputs: dict) -> dict:
    """The inputs as they are kept: with the context's digest, so that a changed file is a change, the platform, and a secret password."""
    build = inputs.get("build")
    if isinstance(build, Secret):
        build = build.value
    if build is not UNKNOWN:
        build = dict(build or {})
        context, dockerfile = _paths(bare(build))
        build["contextDigest"] = UNKNOWN if context is None or dockerfile is None else context_digest(context, dockerfile)
        build.setdefault("platform", f"linux/{ARCHITECTURES.get(platform.machine(), platform.machine())}")
    registry = inputs.get("registry")
    if isinstance(registry, dict) and registry.get("password") is not None and not isinstance(registry["password"], Secret):
        inputs = {**inputs, "registry": {**registry, "password": Secret(registry["password"])}}
    return {**inputs, "build": build}


def relevant(inputs: dict) -> dict:
    """The inputs whose change means a build: not the registry's credentials, which expire within hours."""
    registry = inputs.get("registry")
    return {**inputs, "registry": registry if registry in (None, UNKNOWN) else registry.get("server")}


def create(inputs: dict, client: Any, report: Callable[[str], None]) -> tuple[str, dict]:
    """Build it and push it unless skipPush: (id, computed outputs). Raises Problem with the end of the build's output."""
    name = inputs["imageName"]
    digest = _synthetic_digest(inputs) if synthetic() else _build(inputs, client, report)
    if not inputs.get("skipPush") and not synthetic():
        digest = _push(inputs, client, report)
    return name, {**outputs(inputs), "repoDigest": digest}


def update(resource_id: str, inputs: dict, changed: set[str], client: Any, report: Callable[[str], None]) -> dict:
    """Build (and push) again: computed outputs."""
    return create(inputs, client, report)[1]


def outputs(inputs: dict) -> dict:
    """Outputs that need no build."""
    build, name = inputs.get("build"), inputs.get("imageName", UNKNOWN)
    context, dockerfile = (None, None) if build is UNKNOWN else _paths(build or {})
    registry = inputs.get("registry") or {}
    return {
        "imageName": name,
        "baseImageName": name,
        "context": UNKNOWN if context is None else context,
        "dockerfile": UNKNOWN if context is None or dockerfile is None else os.path.relpath(dockerfile, context),
        "platform": UNKNOWN if build is UNKNOWN else build.get("platform"),
        "registryServer": UNKNOWN if registry is UNKNOWN else registry.get("server") or "",
    }


def read(resource_id: str, inputs: dict, client: Any) -> Any:
    """(no drift, no computed outputs), or None when an image that only this engine has is gone: then the next `up` builds it again."""
    kept_elsewhere = synthetic() or not inputs.get("skipPush")
    if kept_elsewhere or engine.inspect_or_none(client.inspect_image, inputs["imageName"]):
        return {}, {}
    return None


def delete(resource_id: str, state: dict, client: Any) -> None:
    """Leave the image where it is, as the real provider does."""


def synthetic() -> bool:
    """Whether images are only pretended."""
    return os.environ.get(SYNTHETIC) == "1"


def context_digest(context: str, dockerfile: str) -> str:
    """SHA-256 over what a build would see: the Dockerfile and every file that .dockerignore lets through (name, executable bit, bytes)."""
    digest = hashlib.sha256(Path(dockerfile).read_bytes())
    for name in sorted(exclude_paths(os.path.abspath(context), _ignored(context, dockerfile), os.path.relpath(dockerfile, context))):
        path = Path(context, name)
        if path.is_symlink():
            digest.update(f"{name}\0link\0{os.readlink(path)}\0".encode())
        elif path.is_file():
            digest.update(f"{name}\0{bool(path.stat().st_mode & 0o100)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _ignored(context: str, dockerfile: str) -> list[str]:
    own = _own_ignore(dockerfile)
    path = own if own.is_file() else Path(context, ".dockerignore")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _own_ignore(dockerfile: str) -> Path:
    """As the real provider and BuildKit do: the Dockerfile's own list goes before the context's."""
    return Path(f"{dockerfile}.dockerignore")


def _paths(build: dict) -> tuple[Any, Any]:
    """(context, dockerfile), both relative to the program's folder; None for one that isn't known yet."""
    context, dockerfile = build.get("context") or ".", build.get("dockerfile")
    if context is UNKNOWN:
        return None, None
    if dockerfile is UNKNOWN:
        return context, None
    return context, dockerfile or os.path.join(context, "Dockerfile")


def _build(inputs: dict, client: Any, report: Callable[[str], None]) -> str:
    for _ in range(TRIES - 1):
        try:
            return _build_once(inputs, client, report)
        except engine.Problem as problem:
            if not LAYER_GONE.search(str(problem)):
                raise
            report("a layer was removed by somebody else meanwhile: building again")
    return _build_once(inputs, client, report)


def _build_once(inputs: dict, client: Any, report: Callable[[str], None]) -> str:
    build = inputs["build"]
    context, dockerfile = _paths(build)
    report(f"building {inputs['imageName']}")
    if _own_ignore(dockerfile).is_file():
        # Packed here: the engine's client knows only the context's own .dockerignore.
        name = os.path.relpath(dockerfile, context)
        packed = tar(os.path.abspath(context), exclude=_ignored(context, dockerfile), dockerfile=(name, None))
        sent: dict[str, Any] = {"fileobj": packed, "custom_context": True, "dockerfile": name}
    else:
        sent = {"path": context, "dockerfile": os.path.abspath(dockerfile)}
    lines = client.build(
        **sent,
        tag=inputs["imageName"],
        buildargs=build.get("args"),
        target=build.get("target"),
        platform=build.get("platform"),
        network_mode=build.get("network"),
        cache_from=(build.get("cacheFrom") or {}).get("images"),
        extra_hosts=dict(host.split(":", 1) for host in build.get("addHosts") or []) or None,
        rm=True,
        forcerm=True,
        decode=True,
    )
    _follow(lines, report, f"the build of {inputs['imageName']} failed")
    return client.inspect_image(inputs["imageName"])["Id"]


def _push(inputs: dict, client: Any, report: Callable[[str], None]) -> str:
    repository, tag = parse_repository_tag(inputs["imageName"])
    registry = inputs.get("registry") or {}
    auth = {"username": registry["username"], "password": registry.get("password", "")} if registry.get("username") else None
    report(f"pushing {inputs['imageName']}")
    _follow(
        client.push(repository, tag=tag or "latest", stream=True, decode=True, auth_config=auth),
        report,
        f"the push of {inputs['imageName']} to {registry.get('server') or resolve_repository_name(repository)[0]} failed",
    )
    digests = client.inspect_image(inputs["imageName"])["RepoDigests"]
    return next((digest for digest in digests if digest.startswith(f"{repository}@")), inputs["imageName"])


def _follow(lines: Iterable[dict], report: Callable[[str], None], failed: str) -> None:
    last: deque[str] = deque(maxlen=LAST_LINES)
    try:
        for line in lines:
            text = str(line.get("stream") or line.get("status") or "").rstrip()
            if text:
                last.append(text)
                report(text)
            if "error" in line:
                # A full disk shows in the failed command's own output, too.
                why = engine.sentence(Exception(next((said for said in last if "no space left on device" in said.lower()), line["error"])))
                raise engine.Problem("\n".join([f"{failed}: {why}", *last]))
    except ImageNotFound as error:
        raise engine.Problem(f"{failed}: {engine.explanation(error)}") from error
    except APIError as error:
        raise engine.Problem(f"{failed}: {engine.sentence(error)}") from error


def _synthetic_digest(inputs: dict) -> str:
    build = inputs["build"]
    parts = [inputs["imageName"], build.get("contextDigest"), build.get("platform"), *sorted(map(str, (build.get("args") or {}).items()))]
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return f"{parse_repository_tag(inputs['imageName'])[0]}@sha256:{digest}" if not inputs.get("skipPush") else f"sha256:{digest}"
