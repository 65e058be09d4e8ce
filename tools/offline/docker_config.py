"""A Container's inputs as the Docker engine's own create request, and the rules by which two of them are the same."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.offline.wire import UNKNOWN

MIB = 1024 * 1024
# Input -> key of the request's body, as it is.
BODY = {
    "image": "Image",
    "command": "Cmd",
    "entrypoints": "Entrypoint",
    "envs": "Env",
    "user": "User",
    "hostname": "Hostname",
    "domainname": "Domainname",
    "workingDir": "WorkingDir",
    "stopSignal": "StopSignal",
    "stopTimeout": "StopTimeout",
    "tty": "Tty",
    "stdinOpen": "OpenStdin",
}
# Input -> key of its HostConfig, as it is.
HOST = {
    "readOnly": "ReadonlyRootfs",
    "privileged": "Privileged",
    "publishAllPorts": "PublishAllPorts",
    "securityOpts": "SecurityOpt",
    "cpuShares": "CpuShares",
    "cpuSet": "CpusetCpus",
    "cpuPeriod": "CpuPeriod",
    "cpuQuota": "CpuQuota",
    "dns": "Dns",
    "dnsOpts": "DnsOptions",
    "dnsSearches": "DnsSearch",
    "tmpfs": "Tmpfs",
    "pidMode": "PidMode",
    "ipcMode": "IpcMode",
    "networkMode": "NetworkMode",
    "usernsMode": "UsernsMode",
    "cgroupParent": "CgroupParent",
    "cgroupnsMode": "CgroupnsMode",
    "groupAdds": "GroupAdd",
    "init": "Init",
    "runtime": "Runtime",
    "sysctls": "Sysctls",
    "storageOpts": "StorageOpt",
}
MEBIBYTES = {"memory": "Memory", "memoryReservation": "MemoryReservation", "memorySwap": "MemorySwap", "shmSize": "ShmSize"}
DEFAULTS = {
    "restart": "no",
    "mustRun": True,
    "start": True,
    "removeVolumes": True,
    "networkMode": "bridge",
    "waitTimeout": 60,
    "containerReadRefreshTimeoutMilliseconds": 15000,
    "memory": 0,
    "memoryReservation": 0,
    "memorySwap": 0,
    "cpuShares": 0,
    "maxRetryCount": 0,
    "cpuSet": "",
    "cpuPeriod": 0,
    "cpuQuota": 0,
}
# Lists whose order means nothing to Docker (sets in the real provider).
SETS = frozenset(
    {
        "dns",
        "dnsOpts",
        "dnsSearches",
        "envs",
        "groupAdds",
        "securityOpts",
        "labels",
        "mounts",
        "volumes",
        "networksAdvanced",
        "aliases",
        "adds",
        "drops",
        "hosts",
        "ulimits",
        "devices",
        "uploads",
    }
)
NESTED_DEFAULTS = {("ports", "ip"): "0.0.0.0", ("ports", "protocol"): "tcp", ("healthcheck", "retries"): 0}
DURATIONS = frozenset({"interval", "timeout", "startPeriod", "startInterval"})
UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
DURATION_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")


def nanoseconds(text: str) -> int:
    """A Go duration (`1m30s`) in nanoseconds. Raises ValueError."""
    parts = DURATION_PART.findall(text)
    if text == "0":
        return 0
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration: write for example 30s, 500ms or 1m30s")
    return round(sum(float(number) * UNITS[unit] for number, unit in parts))


def canonical(name: str, value: Any, parent: str = "", defaults: Mapping[str, Any] = DEFAULTS) -> Any:
    """The value of a property so that equal ones compare equal: without defaults, durations as numbers, sets in order."""
    if isinstance(value, dict):
        items = {key: canonical(key, item, name) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None} or None
    if isinstance(value, list):
        items = [canonical("", item, name) if not isinstance(item, dict) else canonical(name, item) for item in value]
        return (sorted(items, key=lambda item: json.dumps(item, sort_keys=True, default=repr)) if name in SETS else items) or None
    if name in DURATIONS and isinstance(value, str):
        return nanoseconds(value) or None
    default = NESTED_DEFAULTS.get((parent, name), False) if parent else defaults.get(name, False)
    return None if value is not UNKNOWN and value == default and isinstance(value, bool) == isinstance(default, bool) else value


def request(inputs: dict) -> dict:
    """Body of the engine's POST /containers/create for checked inputs."""
    host = {key: inputs[name] for name, key in HOST.items() if inputs.get(name) is not None}
    host |= {key: mebibytes(inputs[name]) for name, key in MEBIBYTES.items() if inputs.get(name)}
    host["RestartPolicy"] = restart_policy(inputs)
    host.setdefault("NetworkMode", "bridge")
    if inputs.get("cpus"):
        host["NanoCpus"] = round(float(inputs["cpus"]) * 10**9)
    if inputs.get("logDriver") or inputs.get("logOpts"):
        host["LogConfig"] = {"Type": inputs.get("logDriver") or "", "Config": inputs.get("logOpts") or {}}
    capabilities = inputs.get("capabilities") or {}
    host |= {"CapAdd": capabilities.get("adds") or [], "CapDrop": capabilities.get("drops") or []}
    host["ExtraHosts"] = [f"{entry['host']}:{entry['ip']}" for entry in inputs.get("hosts") or []]
    host["Ulimits"] = [{"Name": limit["name"], "Soft": limit["soft"], "Hard": limit["hard"]} for limit in inputs.get("ulimits") or []]
    host["Devices"] = [
        {
            "PathOnHost": device["hostPath"],
            "PathInContainer": device.get("containerPath") or device["hostPath"],
            "CgroupPermissions": device.get("permissions") or "rwm",
        }
        for device in inputs.get("devices") or []
    ]
    host["Mounts"] = [_mount(mount) for mount in inputs.get("mounts") or []]
    volumes = inputs.get("volumes") or []
    host["Binds"] = [
        f"{volume.get('volumeName') or volume['hostPath']}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}"
        for volume in volumes
        if volume.get("volumeName") or volume.get("hostPath")
    ]
    host["VolumesFrom"] = [
        volume["fromContainer"] + (":ro" if volume.get("readOnly") else "") for volume in volumes if volume.get("fromContainer")
    ]
    body: dict[str, Any] = {key: inputs[name] for name, key in BODY.items() if inputs.get(name) is not None}
    body["Labels"] = {label["label"]: label["value"] for label in inputs.get("labels") or []}
    body["Volumes"] = {
        volume["containerPath"]: {}
        for volume in volumes
        if volume.get("containerPath") and not (volume.get("volumeName") or volume.get("hostPath"))
    }
    bindings: dict[str, list] = {}
    for port in inputs.get("ports") or []:
        bindings.setdefault(f"{port['internal']}/{port.get('protocol') or 'tcp'}", []).append(
            {"HostIp": port.get("ip") or "0.0.0.0", "HostPort": str(port.get("external") or "")}
        )
    host["PortBindings"], body["ExposedPorts"] = bindings, {port: {} for port in bindings}
    if inputs.get("healthcheck"):
        health = inputs["healthcheck"]
        keys = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod", "startInterval": "StartInterval"}
        body["Healthcheck"] = {"Test": health["tests"], "Retries": health.get("retries") or 0} | {
            key: nanoseconds(health[name]) for name, key in keys.items() if health.get(name)
        }
    return {**body, "HostConfig": host}


def mebibytes(value: int) -> int:
    return value * MIB if value > 0 else value


def restart_policy(inputs: dict) -> dict:
    return {"Name": inputs.get("restart") or "no", "MaximumRetryCount": inputs.get("maxRetryCount") or 0}


def _mount(mount: dict) -> dict:
    made: dict[str, Any] = {
        "Type": mount["type"],
        "Target": mount["target"],
        "Source": mount.get("source") or "",
        "ReadOnly": bool(mount.get("readOnly")),
    }
    if mount.get("bindOptions"):
        made["BindOptions"] = {"Propagation": mount["bindOptions"].get("propagation")}
    if mount.get("tmpfsOptions"):
        made["TmpfsOptions"] = {"SizeBytes": mount["tmpfsOptions"].get("sizeBytes") or 0, "Mode": mount["tmpfsOptions"].get("mode") or 0}
    if mount.get("volumeOptions"):
        options = mount["volumeOptions"]
        made["VolumeOptions"] = {
            "NoCopy": bool(options.get("noCopy")),
            "Labels": {o["label"]: o["value"] for o in options.get("labels") or []},
        }
        if options.get("driverName") or options.get("driverOptions"):
            made["VolumeOptions"]["DriverConfig"] = {"Name": options.get("driverName") or "", "Options": options.get("driverOptions") or {}}
    return made
