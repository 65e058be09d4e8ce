"""TimeseriesStack: Redis, InfluxDB, Loki and a history store, each as a container, run by AWS, or your own; and where all tasks log to."""

from collections.abc import Mapping
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task
from .timeseries_args import HistoryStore, InfluxdbStore, LokiStore, RedisStore
from .timeseries_checks import argument_mistakes
from .timeseries_run import DataServices, planned_tasks


class TimeseriesStackArgs(TypedDict):
    """Arguments of TimeseriesStack. Every store is a container of its own unless its kind says otherwise."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """What the stores as they are configured need, and nothing else: redis_password, influx_admin_password, influx_write_password,
    influx_read_password, history_password (make them up); for external stores whole URLs with credentials: redis_url, influx_write_url,
    influx_read_url, loki_url, history_url. A managed InfluxDB takes its two URLs once its tokens exist."""
    redis: NotRequired[RedisStore]
    """Bus and cache."""
    influxdb: NotRequired[InfluxdbStore]
    """Metrics, fills, costs."""
    loki: NotRequired[LokiStore]
    """Log lines."""
    history: NotRequired[HistoryStore]
    """Bars for backtests. Default: none."""
    log_router_port: NotRequired[int]
    """Port on this machine's loopback address that Docker's log driver sends to (docker only). Default 24224."""
    backup: NotRequired[bool]
    """The volumes must be on storage that is backed up (fargate). Default true."""
    protect: NotRequired[bool]
    """Refuse to delete what keeps data. Default false."""
    spot: NotRequired[bool]
    """Fargate Spot: interrupted, a store is away for a minute or two, and what is written meanwhile waits. Default true."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""


class TimeseriesStack(pulumi.ComponentResource):
    """The data services of a stack. No bot needs them to trade; `host` is the given host, whose tasks then log into this Loki."""

    redis_url: pulumi.Output[str]
    """Secret: redis:// or rediss:// URL with its password."""
    influx_url: pulumi.Output[str]
    """Base URL of InfluxDB, without credentials."""
    influx_write_url: pulumi.Output[str]
    """Secret: URL that takes line protocol, with credentials that may only write."""
    influx_read_url: pulumi.Output[str]
    """Secret: URL that takes InfluxQL, with credentials that may only read."""
    influx_database: pulumi.Output[str]
    """Database (InfluxDB 1) or bucket (InfluxDB 2)."""
    loki_url: pulumi.Output[str]
    """Secret: base URL of Loki; requests name the tenant `tradestack`."""
    history_url: pulumi.Output[str]
    """Secret: base URL of the history store with its credentials; empty without one."""
    services: pulumi.Output[Mapping[str, str]]
    """Task -> container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[Mapping[str, str]]
    """Task -> command that shows its log."""
    volumes: pulumi.Output[Mapping[str, str]]
    """Task of a store -> Docker volume or EFS access point with its data."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its tasks on Fargate (us-east-1), also on Docker, and of what AWS runs, as far as its size is in the price table."""

    def __init__(self, name: str, args: TimeseriesStackArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("timeseries stack", name, args, TimeseriesStackArgs, argument_mistakes)
        for spec in planned_tasks(name, args):
            check_task(spec, args["host"])
        super().__init__("tradestack:index:TimeseriesStack", name, {}, opts)
        made = DataServices(name, args, self)
        self._host = made.host
        self.redis_url = made.redis_url
        self.influx_url, self.influx_database = made.influx_url, made.influx_database
        self.influx_write_url, self.influx_read_url = made.influx_write_url, made.influx_read_url
        self.loki_url = made.loki_url
        self.history_url = made.history_url
        tasks = made.tasks
        self.services = pulumi.Output.from_input({task: running.service for task, running in tasks.items()})
        self.logs = pulumi.Output.from_input({task: running.logs for task, running in tasks.items()})
        self.volumes = pulumi.Output.from_input(
            {task: running.volumes["data"] for task, running in tasks.items() if task != made.log_router}
        )
        self.monthly_cost = pulumi.Output.all(*[running.monthly_cost for running in tasks.values()]).apply(
            lambda amounts: sum(amounts) + made.managed_cost
        )
        self.register_outputs(
            {
                "redisUrl": self.redis_url,
                "influxUrl": self.influx_url,
                "influxWriteUrl": self.influx_write_url,
                "influxReadUrl": self.influx_read_url,
                "influxDatabase": self.influx_database,
                "lokiUrl": self.loki_url,
                "historyUrl": self.history_url,
                "services": self.services,
                "logs": self.logs,
                "volumes": self.volumes,
                "monthlyCost": self.monthly_cost,
            }
        )

    @property
    def host(self) -> HostArgs:
        """The given host, whose further tasks log into this Loki."""
        return self._host
