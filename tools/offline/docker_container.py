"""docker:index/container:Container for the offline docker plugin: create and start, read, update, stop and remove."""

import base64
import io
import re
import tarfile
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound

from tools.offline import docker_config as config
from tools.offline import docker_engine as engine
from tools.offline.docker_start import settle
from tools.offline.wire import UNKNOWN, bare

TOKEN = "docker:index/container:Container"
AUTONAME = True
NOT_IMPLEMENTED = {
    "attach": "waiting for a container's end is not supported; set mustRun to false and read its logs with `docker logs`",
    "logs": "logs are not kept in the state; read them with `docker logs`",
    "rm": "a container that removes itself can't be managed; leave it out",
    "gpus": "GPUs are not supported; leave it out",
    "networksAdvanced.macAddress": "needs an engine newer than this plugin assumes; leave it out",
    "mounts.volumeOptions.subpath": "needs an engine newer than this plugin assumes; leave it out",
}
# What the engine can change on a running container (the real provider updates the same), and what only the plugin itself reads.
LIVE = frozenset({"restart", "maxRetryCount", "memory", "memorySwap", "cpuShares", "cpuSet"})
UPDATES = LIVE | {"mustRun", "wait", "waitTimeout", "destroyGraceSeconds", "removeVolumes", "containerReadRefreshTimeoutMilliseconds"}
# To the engine's update call 0 means "as it is", so that taking a limit away needs a new container.
ONLY_UPWARDS = frozenset({"memory", "memorySwap", "cpuShares", "cpuSet"})
DELETE_BEFORE_REPLACE = True
DEFAULTS = config.DEFAULTS
RESTARTS = ("no", "on-failure", "always", "unless-stopped")


def check(inputs: dict) -> list[tuple[str, str]]:
    """Mistakes beyond types."""
    found: list[tuple[str, str]] = []
    plain = bare(inputs)

    def wrong(path: str, fix: str) -> None:
        found.append((path, fix))

    if plain.get("restart") not in (None, UNKNOWN, *RESTARTS):
        wrong("restart", f"{plain['restart']!r} is not one of {', '.join(RESTARTS)}")
    for name in ("interval", "timeout", "startPeriod", "startInterval"):
        value = (plain.get("healthcheck") or {}).get(name) if plain.get("healthcheck") is not UNKNOWN else None
        if isinstance(value, str):
            try:
                config.nanoseconds(value)
            except ValueError as error:
                wrong(f"healthcheck.{name}", str(error))
    if isinstance(plain.get("cpus"), str) and not re.fullmatch(r"\d+(\.\d+)?", plain["cpus"]):
        wrong("cpus", f"{plain['cpus']!r} is not a number of CPUs, for example 0.5")
    for index, port in enumerate(_known_list(plain, "ports")):
        for name in ("internal", "external"):
            if isinstance(port.get(name), (int, float)) and not 0 < port[name] <= 65535:
                wrong(f"ports[{index}].{name}", f"{port[name]:g} is not a port: use 1 to 65535")
    for index, mount in enumerate(_known_list(plain, "mounts")):
        if mount.get("type") not in ("bind", "volume", "tmpfs", UNKNOWN):
            wrong(f"mounts[{index}].type", f"{mount.get('type')!r} is not one of bind, volume, tmpfs")
    for index, volume in enumerate(_known_list(plain, "volumes")):
        if not volume.get("fromContainer") and not volume.get("containerPath"):
            wrong(f"volumes[{index}].containerPath", "missing; give the path inside the container")
    for index, upload in enumerate(_known_list(plain, "uploads")):
        if sum(upload.get(name) is not None for name in ("content", "contentBase64", "source")) != 1:
            wrong(f"uploads[{index}]", "give exactly one of content, contentBase64 and source")
    if plain.get("wait") is True and plain.get("start") is False:
        wrong("wait", "a container that is not started never becomes healthy: leave wait or start out")
    return found


def create(inputs: dict, client: Any, report: Any) -> tuple[str, dict]:
    """Create and start it: (id, computed outputs). Raises Problem; then nothing is left of it."""
    _need_image(inputs["image"], client, report)
    try:
        made = client.create_container_from_config(config.request(inputs), name=inputs["name"])["Id"]
    except APIError as error:
        if error.status_code == 409:
            raise engine.Problem(
                f"a container named {inputs['name']!r} exists already: remove it (`docker rm -f {inputs['name']}`), "
                "choose another name, or leave the name out"
            ) from error
        raise
    try:
        _join_networks(made, inputs, client)
        for upload in inputs.get("uploads") or []:
            client.put_archive(made, "/", _archive(upload))
        if inputs.get("start") is not False:
            client.start(made)
            settle(made, inputs, client)
        return made, _computed(client.inspect_container(made), inputs)
    except BaseException:
        client.remove_container(made, v=True, force=True)
        raise


def update(resource_id: str, inputs: dict, changed: set[str], client: Any, report: Any) -> dict:
    """Change what can be changed on the running container: computed outputs."""
    if changed & LIVE:
        memory = inputs.get("memory") or 0
        # Without a swap limit of its own Docker gives a container as much swap as memory; the two have to grow together.
        swap = inputs.get("memorySwap") or 2 * memory
        body = {
            "RestartPolicy": config.restart_policy(inputs),
            "CpuShares": inputs.get("cpuShares") or 0,
            "CpusetCpus": inputs.get("cpuSet") or "",
            "Memory": config.mebibytes(memory),
            "MemorySwap": config.mebibytes(swap),
        }
        client._result(client._post_json(client._url("/containers/{0}/update", resource_id), data=body), True)
    return _computed(client.inspect_container(resource_id), inputs)


def read(resource_id: str, inputs: dict, client: Any) -> Any:
    """(inputs that drifted, computed outputs), or None when the container is gone. Only what can change after creation is read."""
    found = engine.inspect_or_none(client.inspect_container, resource_id)
    if found is None:
        return None
    host = found["HostConfig"]
    now = {
        "name": found["Name"].lstrip("/"),
        "restart": host["RestartPolicy"]["Name"] or "no",
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "memory": host["Memory"] // config.MIB,
        "cpuShares": host["CpuShares"],
        "cpuSet": host["CpusetCpus"],
    }
    if inputs.get("memorySwap"):
        now["memorySwap"] = host["MemorySwap"] // config.MIB if host["MemorySwap"] > 0 else host["MemorySwap"]
    drifted = {name: value for name, value in now.items() if config.canonical(name, value) != config.canonical(name, inputs.get(name))}
    joined = {key for name, endpoint in found["NetworkSettings"]["Networks"].items() for key in (name, endpoint["NetworkID"])}
    wanted = inputs.get("networksAdvanced") or []
    if any(network["name"] not in joined for network in wanted):
        drifted["networksAdvanced"] = [network for network in wanted if network["name"] in joined]
    return drifted, _computed(found, {**inputs, **drifted})


def delete(resource_id: str, state: dict, client: Any) -> None:
    """Stop it (destroyGraceSeconds from SIGTERM to SIGKILL; without it, SIGKILL at once) and remove it."""
    try:
        if state.get("destroyGraceSeconds"):
            client.stop(resource_id, timeout=int(state["destroyGraceSeconds"]))
        client.remove_container(resource_id, v=state.get("removeVolumes") is not False, force=True)
    except NotFound:
        return
    except APIError as error:
        if "already in progress" not in engine.explanation(error):
            raise
    while engine.inspect_or_none(client.inspect_container, resource_id):
        engine.wait(0.1)


def stopped(state: dict) -> bool:
    """Whether the last refresh found a container that must run stopped: then it has to be made again."""
    return state.get("exitCode") is not None and state.get("mustRun") is not False


def _known_list(plain: dict, name: str) -> list[dict]:
    value = plain.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _need_image(image: str, client: Any, report: Any) -> None:
    if engine.inspect_or_none(client.inspect_image, image):
        return
    report(f"pulling {image}")
    try:
        client.pull(image)
        client.inspect_image(image)
    except (APIError, ImageNotFound) as error:
        raise engine.Problem(
            f"the image {image} is not on this engine and could not be pulled ({engine.explanation(error)}): if this stack "
            "builds it, run `pulumi refresh` and then `pulumi up`; otherwise check its name and your registry login"
        ) from error


def _join_networks(container: str, inputs: dict, client: Any) -> None:
    networks = inputs.get("networksAdvanced") or []
    if networks and (inputs.get("networkMode") or "bridge") in ("bridge", "default"):
        client.disconnect_container_from_network(container, "bridge")
    for network in networks:
        try:
            client.connect_container_to_network(
                container,
                network["name"],
                aliases=network.get("aliases"),
                ipv4_address=network.get("ipv4Address"),
                ipv6_address=network.get("ipv6Address"),
            )
        except NotFound as error:
            raise engine.Problem(
                f"networksAdvanced names the Docker network {network['name']!r}, which does not exist: create it or correct the name"
            ) from error


def _archive(upload: dict) -> bytes:
    if upload.get("source") is not None:
        content = Path(upload["source"]).read_bytes()
    elif upload.get("contentBase64") is not None:
        content = base64.b64decode(upload["contentBase64"])
    else:
        content = upload["content"].encode()
    entry = tarfile.TarInfo(upload["file"].lstrip("/"))
    entry.size, entry.mode = len(content), int(upload.get("permissions") or ("0744" if upload.get("executable") else "0644"), 8)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _computed(found: dict, inputs: dict) -> dict:
    settings, state = found["NetworkSettings"], found["State"]
    networks = [
        {
            "networkName": name,
            "ipAddress": endpoint["IPAddress"],
            "ipPrefixLength": endpoint["IPPrefixLen"],
            "gateway": endpoint["Gateway"],
            "globalIpv6Address": endpoint["GlobalIPv6Address"],
            "globalIpv6PrefixLength": endpoint["GlobalIPv6PrefixLen"],
            "ipv6Gateway": endpoint["IPv6Gateway"],
            "macAddress": endpoint["MacAddress"],
        }
        for name, endpoint in sorted(settings["Networks"].items())
    ]
    outputs: dict[str, Any] = {
        "name": found["Name"].lstrip("/"),
        "hostname": found["Config"]["Hostname"],
        "bridge": settings.get("Bridge") or "",
        "networkDatas": networks,
    }
    if inputs.get("ports"):
        outputs["ports"] = [{**port, "external": port.get("external") or _published(port, settings)} for port in inputs["ports"]]
    if not state["Running"] and inputs.get("start") is not False:
        outputs["exitCode"] = state["ExitCode"]
    return outputs


def _published(port: dict, settings: dict) -> Any:
    bindings = (settings.get("Ports") or {}).get(f"{port['internal']}/{port.get('protocol') or 'tcp'}")
    return int(bindings[0]["HostPort"]) if bindings else None
