"""What is wrong with a TimeseriesStack's arguments, one sentence a mistake: key, value, fix."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .arguments import key_mistakes, text_of
from .timeseries_args import ChunkStore, HistoryEngine, HistoryStore, InfluxdbStore, LokiStore, RedisStore, StoreKind
from .timeseries_managed import managed_mistakes
from .timeseries_tasks import container_memory
from .timeseries_urls import influx_mistake, url_mistake

STORES: Mapping[str, type] = {"redis": RedisStore, "influxdb": InfluxdbStore, "loki": LokiStore, "history": HistoryStore}
KINDS: Mapping[str, tuple[str, ...]] = {
    "redis": ("container", "managed", "external"),
    "influxdb": ("container", "managed", "external"),
    "loki": ("container", "external"),
    "history": ("container", "external"),
}
INFLUX_PASSWORDS = ("influx_admin_password", "influx_write_password", "influx_read_password")
# Store and kind -> secrets that it can't do without.
REQUIRED_SECRETS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("redis", "container"): ("redis_password",),
    ("redis", "managed"): ("redis_password",),
    ("redis", "external"): ("redis_url",),
    ("influxdb", "container"): INFLUX_PASSWORDS,
    ("influxdb", "managed"): ("influx_admin_password",),
    ("influxdb", "external"): ("influx_write_url", "influx_read_url"),
    ("loki", "external"): ("loki_url",),
    ("history", "container"): ("history_password",),
    ("history", "external"): ("history_url",),
}
# A managed InfluxDB's tokens exist only once it does.
OPTIONAL_SECRETS: Mapping[tuple[str, str], tuple[str, ...]] = {("influxdb", "managed"): ("influx_write_url", "influx_read_url")}
SECRET_KEYS = tuple(dict.fromkeys(key for keys in REQUIRED_SECRETS.values() for key in keys))
URL_SCHEMES: Mapping[str, tuple[str, ...]] = {
    "redis_url": ("redis", "rediss"),
    **{key: ("http", "https") for key in ("influx_write_url", "influx_read_url", "loki_url", "history_url")},
}
# What the images take; AWS's own stores take less (timeseries_managed).
PASSWORD = re.compile(r"[!-~]{16,200}")
# Keys that only one kind, or one engine, looks at.
ONLY_MANAGED = ("node_type", "instance_type", "storage_gb")
ONLY_MARKETSTORE = ("port", "mount_path")
# Whole numbers with their bounds.
BOUNDS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("redis", "max_memory_mb"): (16, 100_000),
    ("influxdb", "retention_days"): (1, 36_500),
    ("loki", "retention_days"): (1, 3_650),
    ("history", "retention_days"): (7, 36_500),
    ("history", "port"): (1, 65_535),
}


def argument_mistakes(args: Mapping[str, Any]) -> list[str]:
    """Every mistake in TimeseriesStackArgs whose required keys are there."""
    found: list[str] = []
    for store, declared in STORES.items():
        if args.get(store) is not None:
            found += [*key_mistakes(args[store], declared, f"{store}."), *_store(store, args[store], args["host"])]
    found += [*_secrets(args), *managed_mistakes(args)]
    if args.get("log_router_port") is not None and args["host"].get("docker") is None:
        found.append(f"log_router_port={args['log_router_port']!r}: only Docker's log driver needs it; leave it out")
    return found


def kind_of(args: Mapping[str, Any], store: str) -> str:
    """`container`, `managed` or `external`; empty for a history store that nobody asked for."""
    given = args.get(store)
    return "" if given is None and store == "history" else text_of((given or {}).get("kind") or StoreKind.CONTAINER)


def needed_secrets(args: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of `secrets` that the stores as they are configured can't do without."""
    found = [key for store in STORES for key in REQUIRED_SECRETS.get((store, kind_of(args, store)), ())]
    # Marketstore knows no password.
    return tuple(key for key in found if key != "history_password" or not _marketstore(args.get("history") or {}))


def _marketstore(history: Mapping[str, Any]) -> bool:
    return history.get("engine") == HistoryEngine.MARKETSTORE


def _store(store: str, given: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[str]:
    kind = text_of(given.get("kind") or StoreKind.CONTAINER)
    if kind == StoreKind.MANAGED and kind not in KINDS[store]:
        yield f"{store}.kind='managed': AWS manages none that takes its place; use {' or '.join(KINDS[store])}"
    elif kind not in KINDS[store]:
        yield f"{store}.kind={kind!r}: use {', '.join(KINDS[store])}"
    elif kind == StoreKind.MANAGED and host.get("docker") is not None:
        yield f"{store}.kind='managed': Docker has no managed services; use container or external"
    for key in sorted(set(given) - {"kind"}):
        belongs = StoreKind.MANAGED if key in ONLY_MANAGED else StoreKind.CONTAINER
        if kind in KINDS[store] and kind != belongs and given[key] is not None and key in STORES[store].__annotations__:
            yield f"{store}.{key}: only with {store}.kind={belongs.value}; leave it out"
    for (of, key), (low, high) in BOUNDS.items():
        value = given.get(key) if of == store else None
        if value is not None and not low <= value <= high:
            yield f"{store}.{key}={value!r}: use {low} to {high}"
    most = container_memory(host, given.get("memory") or 512) * 2 // 3 if store == "redis" else 0
    if store == "redis" and given.get("max_memory_mb") and given["max_memory_mb"] > most:
        yield f"redis.max_memory_mb={given['max_memory_mb']!r}: use at most two thirds of redis.memory, here {most}; saving needs the rest"
    if store == "loki":
        yield from _chunks(given, host)
    if store == "history" and kind == StoreKind.CONTAINER:
        yield from _history(given)


def _chunks(loki: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[str]:
    chunks, choices = loki.get("chunks"), [choice.value for choice in ChunkStore]
    if chunks is not None and chunks not in choices:
        yield f"loki.chunks={text_of(chunks)!r}: use {', '.join(choices)}"
    if chunks == ChunkStore.S3 and host.get("docker") is not None:
        yield "loki.chunks='s3': Docker has no S3; use volume"


def _history(history: Mapping[str, Any]) -> Iterator[str]:
    engine, choices = history.get("engine") or HistoryEngine.QUESTDB, [choice.value for choice in HistoryEngine]
    if engine not in choices:
        yield f"history.engine={engine!r}: use {', '.join(choices)}"
    if engine == HistoryEngine.MARKETSTORE:
        yield from (f"history.{key}: is missing; marketstore has no image here" for key in ("image", "port") if history.get(key) is None)
        if history.get("retention_days") is not None:
            yield "history.retention_days: marketstore deletes nothing by age; leave it out"
    else:
        yield from (f"history.{key}: only with history.engine=marketstore; leave it out" for key in ONLY_MARKETSTORE if history.get(key))


def _secrets(args: Mapping[str, Any]) -> Iterator[str]:
    secrets, needed = args["secrets"], needed_secrets(args)
    optional = OPTIONAL_SECRETS.get(("influxdb", kind_of(args, "influxdb")), ())
    for key in needed:
        if secrets.get(key) in (None, ""):
            yield f"secrets.{key}: is missing; " + ("give the whole URL with its credentials" if key in URL_SCHEMES else "make it up")
    for key in sorted(set(secrets) - {*needed, *optional}):
        if key not in SECRET_KEYS:
            yield f"secrets.{key}: unknown; use {', '.join(SECRET_KEYS)}"
        elif secrets[key] is not None:
            yield f"secrets.{key}: no store as it is configured uses it; remove it, or set the store's kind to what needs it"
    if optional and len([key for key in optional if secrets.get(key)]) == 1:
        yield f"secrets.{optional[0]} and {optional[1]}: give both, or neither until the tokens exist"
    for key in needed:
        # The value is never shown. What is an output, the image checks.
        if key not in URL_SCHEMES and isinstance(secrets.get(key), str) and secrets[key] and not PASSWORD.fullmatch(secrets[key]):
            yield f"secrets.{key}: use 16 to 200 printable characters without spaces; make up another"
    own = [secrets[key] for key in INFLUX_PASSWORDS if isinstance(secrets.get(key), str) and secrets[key]]
    if len(set(own)) < len(own):
        yield f"secrets.{', '.join(INFLUX_PASSWORDS)}: use three different passwords"
    for key, schemes in URL_SCHEMES.items():
        mistake = (url_mistake(secrets[key], schemes) or influx_mistake(key, secrets[key])) if secrets.get(key) else ""
        if mistake:
            yield f"secrets.{key}: {mistake}"
