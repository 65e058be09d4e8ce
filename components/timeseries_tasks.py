"""The tasks of a TimeseriesStack as plain data: one a store, and Docker's log router."""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from .image_folders import image_at
from .task import HealthCheck, Image, Permission, SecretSource, TaskSpec, Volume
from .timeseries_args import HistoryEngine
from .timeseries_urls import DATABASE

COMPONENT = "TimeseriesStack"
REDIS_PORT, INFLUXDB_PORT, LOKI_PORT, QUESTDB_PORT = 6379, 8086, 3100, 9000
LOG_ROUTER_PORT = 24224
FIRELENS_MIB = 64
RETENTION_DAYS: Mapping[str, int] = {"influxdb": 365, "loki": 30, "history": 3650}


def retention(args: Mapping[str, Any], store: str) -> int:
    """Days that a store keeps what it gets."""
    days = (args.get(store) or {}).get("retention_days")
    return int(RETENTION_DAYS[store] if days is None else days)


def redis_task(name: str, args: Mapping[str, Any]) -> TaskSpec:
    own = args.get("redis") or {}
    memory = int(own.get("memory") or 512)
    settings = {"REDIS_MAX_MEMORY_MB": str(int(own.get("max_memory_mb") or memory // 2))}
    return TaskSpec(
        name=f"{name}-redis",
        secrets=_secrets(args, {"REDIS_PASSWORD": "redis_password"}),
        port=REDIS_PORT,
        stop_timeout=30,
        **_store(args, own, "redis", "/data", cpu=256, memory=memory, start_period=60, environment=settings),
    )


def influxdb_task(name: str, args: Mapping[str, Any]) -> TaskSpec:
    own = args.get("influxdb") or {}
    settings = {"INFLUXDB_DATABASE": DATABASE, "INFLUXDB_RETENTION_DAYS": str(retention(args, "influxdb"))}
    users = {f"INFLUXDB_{user}_PASSWORD": f"influx_{user.lower()}_password" for user in ("ADMIN", "WRITE", "READ")}
    return TaskSpec(
        name=f"{name}-influxdb",
        secrets=_secrets(args, users),
        port=INFLUXDB_PORT,
        stop_timeout=60,
        # Its index is read at the start; with years of points on a network file system that takes minutes.
        **_store(args, own, "influxdb", "/var/lib/influxdb", cpu=256, memory=1024, start_period=300, environment=settings),
    )


def loki_task(name: str, args: Mapping[str, Any], bucket: Optional[pulumi.Input[str]], permissions: tuple[Permission, ...]) -> TaskSpec:
    """`bucket`: name of the S3 bucket for its chunks; None: they stay on the volume."""
    own = args.get("loki") or {}
    chunks = {"LOKI_S3_BUCKET": bucket, "AWS_REGION": args["host"]["fargate"].get("region", "")} if bucket is not None else {}
    settings = {"LOKI_RETENTION_DAYS": str(retention(args, "loki")), **chunks}
    return TaskSpec(
        name=f"{name}-loki",
        port=LOKI_PORT,
        permissions=permissions,
        **_store(args, own, "loki", "/loki", cpu=512, memory=1024, start_period=120, environment=settings),
    )


def history_task(name: str, args: Mapping[str, Any]) -> TaskSpec:
    own = args["history"]
    if own.get("engine") == HistoryEngine.MARKETSTORE:
        return TaskSpec(
            name=f"{name}-history",
            port=int(own["port"]),
            stop_timeout=60,
            **{
                **_store(args, own, "", own.get("mount_path") or "/data", cpu=512, memory=1024, start_period=120, environment={}),
                "health": None,
            },
        )
    settings = {"HISTORY_RETENTION_DAYS": str(retention(args, "history"))}
    return TaskSpec(
        name=f"{name}-history",
        secrets=_secrets(args, {"HISTORY_PASSWORD": "history_password"}),
        port=QUESTDB_PORT,
        stop_timeout=60,
        **_store(args, own, "questdb", "/var/lib/questdb", cpu=512, memory=1024, start_period=120, environment=settings),
    )


def log_router_task(name: str, args: Mapping[str, Any], loki_url: pulumi.Input[str]) -> TaskSpec:
    """Takes what Docker's log driver sends and keeps it until Loki has it."""
    return TaskSpec(
        name=f"{name}-log-router",
        secrets={"LOG_ROUTER_LOKI_URL": SecretSource(value=loki_url)},
        port=LOG_ROUTER_PORT,
        published_port=int(args.get("log_router_port") or LOG_ROUTER_PORT),
        stop_timeout=30,
        **_store(args, {}, "log-router", "/var/lib/otelcol", cpu=256, memory=512, start_period=60, environment={}),
    )


# The health command of each image, as its README gives it.
HEALTH: Mapping[str, tuple[str, ...]] = {
    "redis": ("python3", "-m", "redis_store.health"),
    "influxdb": ("python3", "-m", "influxdb_store.health"),
    "loki": ("python3", "-m", "loki_store.health"),
    "questdb": ("python3", "-m", "questdb_store.health"),
    "log-router": ("python3", "-m", "log_router.health"),
}


def container_memory(host: Mapping[str, Any], task_memory: int) -> int:
    """MiB of a task's memory that its store may use: on fargate FireLens' router beside it needs some."""
    return task_memory - (FIRELENS_MIB if host.get("fargate") is not None else 0)


def _store(
    args: Mapping[str, Any],
    own: Mapping[str, Any],
    image: str,
    mount_path: str,
    *,
    cpu: int,
    memory: int,
    start_period: int,
    environment: Mapping[str, Any],
) -> dict[str, Any]:
    """What all of them have in common; `image`: folder below images/, empty: one is given."""
    given = {"published_port": int(own["published_port"])} if own.get("published_port") else {}
    volume = Volume(
        name="data",
        mount_path=mount_path,
        backup=args.get("backup") is not False,
        protect=bool(args.get("protect")),
        existing=own.get("volume"),
    )
    memory = int(own.get("memory") or memory)
    # Told, because on Fargate the container sees a machine that is larger than its task.
    told = {"CONTAINER_MEMORY_MIB": str(container_memory(args["host"], memory))} if image else {}
    return {
        "component": COMPONENT,
        "image": Image(reference=own["image"]) if own.get("image") is not None else image_at(image),
        "volumes": (volume,),
        "cpu": int(own.get("cpu") or cpu),
        "memory": memory,
        "environment": {**environment, **told},
        "architecture": args.get("architecture"),
        "spot": args.get("spot") is not False,
        "single_writer": True,
        "health": HealthCheck(command=HEALTH[image], interval=10, timeout=10, start_period=start_period) if image else None,
        **given,
    }


def _secrets(args: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, SecretSource]:
    return {variable: SecretSource(value=args["secrets"][key]) for variable, key in variables.items()}
