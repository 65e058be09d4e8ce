"""What a TimeseriesStack is told about each of its stores. Plain types; their values are checked in timeseries_checks."""

from enum import Enum
from typing import NotRequired, TypedDict

import pulumi


class StoreKind(str, Enum):
    """Who runs a store."""

    CONTAINER = "container"
    """The stack itself: a task with storage of its own."""
    MANAGED = "managed"
    """AWS (fargate only): ElastiCache for Valkey in place of Redis, Timestream for InfluxDB in place of InfluxDB. The others have none."""
    EXTERNAL = "external"
    """You: the store's URL is among the secrets."""


class ChunkStore(str, Enum):
    """Where Loki keeps log lines that have left its memory."""

    S3 = "s3"
    """A bucket of its own (fargate only)."""
    VOLUME = "volume"
    """Its volume."""


class HistoryEngine(str, Enum):
    """Server of the history store."""

    QUESTDB = "questdb"
    """QuestDB, from the library's image."""
    MARKETSTORE = "marketstore"
    """Marketstore, from an image of your own. The library's tests don't run it, and it is reached without a password."""


class RedisStore(TypedDict):
    """Redis: bus and cache. Nothing in it has to survive."""

    kind: NotRequired[StoreKind]
    """Who runs it. Default container."""
    max_memory_mb: NotRequired[int]
    """MB of data, at most two thirds of memory (on fargate less 64); beyond it keys with a time to live are evicted. Default half. Container only."""
    node_type: NotRequired[str]
    """ElastiCache node type. Default cache.t4g.micro. Managed only."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256. Container only, as what follows."""
    memory: NotRequired[int]
    """MiB. Default 512."""
    image: NotRequired[pulumi.Input[str]]
    """A published image, built from the library's folder. Default: built here."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name or EFS access point id. Default: created."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""


class InfluxdbStore(TypedDict):
    """InfluxDB: metrics, fills, costs."""

    kind: NotRequired[StoreKind]
    """Who runs it. Default container."""
    retention_days: NotRequired[int]
    """Days that points are kept, at least 1. Default 365. Container only."""
    instance_type: NotRequired[str]
    """Timestream instance type. Default db.influx.medium. Managed only."""
    storage_gb: NotRequired[int]
    """GB of Timestream storage, 20 or more. Default 20. Managed only."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256. Container only, as what follows."""
    memory: NotRequired[int]
    """MiB. Default 1024."""
    image: NotRequired[pulumi.Input[str]]
    """A published image, built from the library's folder. Default: built here."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name or EFS access point id. Default: created."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""


class LokiStore(TypedDict):
    """Loki: log lines."""

    kind: NotRequired[StoreKind]
    """Who runs it. Default container; there is no managed one."""
    retention_days: NotRequired[int]
    """Days that lines are kept, at least 1. Default 30. Container only, as what follows."""
    chunks: NotRequired[ChunkStore]
    """Where lines are kept. Default s3 on fargate, volume on docker."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 512."""
    memory: NotRequired[int]
    """MiB. Default 1024."""
    image: NotRequired[pulumi.Input[str]]
    """A published image, built from the library's folder. Default: built here."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name or EFS access point id. Default: created."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""


class HistoryStore(TypedDict):
    """History store: bars for backtests."""

    kind: NotRequired[StoreKind]
    """Who runs it. Default container; there is no managed one."""
    engine: NotRequired[HistoryEngine]
    """Its server. Default questdb. Container only, as what follows."""
    retention_days: NotRequired[int]
    """Days that bars are kept, at least 7. Default 3650. QuestDB only."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 512."""
    memory: NotRequired[int]
    """MiB. Default 1024."""
    image: NotRequired[pulumi.Input[str]]
    """A published image. Default: QuestDB, built here; with marketstore give one, e.g. `docker.io/alpacamarkets/marketstore:v4.1.6`."""
    port: NotRequired[int]
    """Port that marketstore's clients use, e.g. 5993; with marketstore, and then required."""
    mount_path: NotRequired[str]
    """Folder where marketstore keeps its data. Default /data; with marketstore."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name or EFS access point id. Default: created."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
