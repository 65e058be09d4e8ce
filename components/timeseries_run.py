"""Makes the stores of a TimeseriesStack, each by its kind, and says where they are: first Loki, so that the others log into it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from .hosts import HostArgs, RunningTask, run_task
from .task import TaskSpec
from .timeseries_args import ChunkStore
from .timeseries_bucket import PLANNED_ARN, PLANNED_BUCKET, chunk_bucket, chunk_permissions
from .timeseries_checks import kind_of
from .timeseries_logs import log_host, without_routing
from .timeseries_managed import timestream, valkey, without_tokens
from .timeseries_tasks import (
    LOG_ROUTER_PORT,
    history_task,
    influxdb_task,
    log_router_task,
    loki_task,
    redis_task,
    retention,
)
from .timeseries_urls import (
    ADMIN,
    DATABASE,
    READ_PATH,
    READER,
    WRITE_PATH,
    WRITER,
    database_of,
    public_part,
    secret_url,
)


def planned_tasks(name: str, args: Mapping[str, Any]) -> list[TaskSpec]:
    """The tasks as they will be but for what isn't made yet; asked before anything is."""
    tasks = []
    if kind_of(args, "loki") == "container":
        s3 = _chunks_in_s3(args)
        tasks.append(loki_task(name, args, PLANNED_BUCKET if s3 else None, chunk_permissions(PLANNED_ARN) if s3 else ()))
    if args["host"].get("docker") is not None:
        tasks.append(log_router_task(name, args, "http://planned"))
    makers = {"redis": redis_task, "influxdb": influxdb_task, "history": history_task}
    return tasks + [make(name, args) for store, make in makers.items() if kind_of(args, store) == "container"]


def _chunks_in_s3(args: Mapping[str, Any]) -> bool:
    chunks = (args.get("loki") or {}).get("chunks") or ChunkStore.S3
    return chunks == ChunkStore.S3 and args["host"].get("fargate") is not None


class DataServices:
    """All stores, made as children of `parent`."""

    def __init__(self, name: str, args: Mapping[str, Any], parent: pulumi.Resource) -> None:
        self._name, self._args, self._parent = name, args, parent
        self.tasks: dict[str, RunningTask] = {}
        self.log_router = f"{name}-log-router"
        self.managed_cost = 0.0
        self.loki_url = self._loki()
        self.host = self._logging()
        self.redis_url = self._redis()
        self.influx_url, self.influx_database, self.influx_write_url, self.influx_read_url = self._influxdb()
        self.history_url = self._history()

    def _run(self, spec: TaskSpec, host: HostArgs, scheme: str = "http") -> pulumi.Output[str]:
        """Run a task; returns its base URL."""
        self.tasks[spec.name] = run_task(spec, host, self._parent)
        return pulumi.Output.concat(f"{scheme}://", self.tasks[spec.name].dns_name, f":{spec.port}")

    def _secret(self, key: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(self._args["secrets"][key])

    def _loki(self) -> pulumi.Output[str]:
        if kind_of(self._args, "loki") == "external":
            return self._secret("loki_url")
        bucket, allowed = None, ()
        if _chunks_in_s3(self._args):
            bucket, arn = chunk_bucket(f"{self._name}-loki", retention(self._args, "loki"), bool(self._args.get("protect")), self._parent)
            allowed = chunk_permissions(arn)
        # Its own log stays where it can be read when it is ill.
        return pulumi.Output.secret(self._run(loki_task(self._name, self._args, bucket, allowed), without_routing(self._args["host"])))

    def _logging(self) -> HostArgs:
        given = self._args["host"]
        if given.get("docker") is not None:
            self._run(log_router_task(self._name, self._args, self.loki_url), without_routing(given))
        return log_host(
            given,
            self._name,
            router_port=int(self._args.get("log_router_port") or LOG_ROUTER_PORT),
            loki_url=self.loki_url,
            own_loki=kind_of(self._args, "loki") == "container",
            parent=self._parent,
        )

    def _redis(self) -> pulumi.Output[str]:
        kind = kind_of(self._args, "redis")
        if kind == "external":
            return self._secret("redis_url")
        if kind == "managed":
            store = valkey(self._name, self._args, self._parent)
            self.managed_cost += store.monthly_cost
            base = store.base_url
        else:
            base = self._run(redis_task(self._name, self._args), self.host, "redis")
        return secret_url(base, "", self._args["secrets"]["redis_password"], "/0")

    def _influxdb(self) -> tuple[pulumi.Output[str], ...]:
        """(base URL, database, URL to write, URL to read)."""
        kind, secrets = kind_of(self._args, "influxdb"), self._args["secrets"]
        if kind == "container":
            base = self._run(influxdb_task(self._name, self._args), self.host)
            write = secret_url(base, WRITER, secrets["influx_write_password"], WRITE_PATH)
            read = secret_url(base, READER, secrets["influx_read_password"], READ_PATH)
            return base, pulumi.Output.from_input(DATABASE), write, read
        if kind == "managed":
            store = timestream(self._name, self._args, self._parent)
            self.managed_cost += store.monthly_cost
            if secrets.get("influx_write_url") in (None, ""):
                return store.base_url, pulumi.Output.from_input(DATABASE), *without_tokens(store, self._parent)
            return store.base_url, pulumi.Output.from_input(DATABASE), self._secret("influx_write_url"), self._secret("influx_read_url")
        write, read = self._secret("influx_write_url"), self._secret("influx_read_url")
        return public_part(write), database_of(write), write, read

    def _history(self) -> pulumi.Output[str]:
        kind = kind_of(self._args, "history")
        if kind == "external":
            return self._secret("history_url")
        if not kind:
            return pulumi.Output.secret("")
        spec = history_task(self._name, self._args)
        base = self._run(spec, self.host)
        return secret_url(base, ADMIN, self._args["secrets"]["history_password"]) if spec.secrets else pulumi.Output.secret(base)
