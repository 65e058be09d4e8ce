"""Stores that AWS runs: ElastiCache for Valkey in place of Redis, Timestream for InfluxDB in place of InfluxDB."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from .task_cost import prices_of_30_days
from .timeseries_tasks import INFLUXDB_PORT, REDIS_PORT
from .timeseries_urls import ADMIN, DATABASE, READ_PATH, READER, WRITE_PATH, WRITER, secret_url

NODE_TYPE, INSTANCE_TYPE, STORAGE_GB = "cache.t4g.micro", "db.influx.medium", 20
VALKEY_VERSION = "8.0"
MANAGED_WRITE_PATH = f"{WRITE_PATH}&org={DATABASE}"
# ElastiCache user guide, "Authenticating with the AUTH command"; Timestream API reference, CreateDbInstance.
VALKEY_PASSWORD, INFLUX_PASSWORD = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}"), re.compile(r"[A-Za-z0-9]{8,64}")
STORAGE_BOUNDS = (20, 16_384)


@dataclass(frozen=True, kw_only=True)
class ManagedStore:
    """What AWS runs."""

    base_url: pulumi.Output[str]
    """scheme://host:port."""
    monthly_cost: float
    """USD for 30 days, as far as its size is in the price table."""


def managed_mistakes(args: Mapping[str, Any]) -> Iterator[str]:
    """What AWS would refuse, one sentence a mistake. A password is never shown."""
    redis, influxdb, secrets = args.get("redis") or {}, args.get("influxdb") or {}, args["secrets"]
    if redis.get("kind") == "managed" and _misfit(secrets.get("redis_password"), VALKEY_PASSWORD):
        yield "secrets.redis_password: ElastiCache takes 16 to 128 letters, digits and ! & # $ ^ < > -; make up another"
    if influxdb.get("kind") == "managed" and _misfit(secrets.get("influx_admin_password"), INFLUX_PASSWORD):
        yield "secrets.influx_admin_password: Timestream takes 8 to 64 letters and digits; make up another"
    for store, key, start in ((redis, "redis.node_type", "cache."), (influxdb, "influxdb.instance_type", "db.influx.")):
        value = store.get(key.partition(".")[2])
        if value is not None and not str(value).startswith(start):
            yield f"{key}={value!r}: use a type that begins with {start}"
    low, high = STORAGE_BOUNDS
    if influxdb.get("storage_gb") is not None and not low <= influxdb["storage_gb"] <= high:
        yield f"influxdb.storage_gb={influxdb['storage_gb']!r}: use {low} to {high}"


def _misfit(password: Any, allowed: re.Pattern[str]) -> bool:
    # What is an output, AWS checks.
    return isinstance(password, str) and bool(password) and not allowed.fullmatch(password)


def valkey(name: str, args: Mapping[str, Any], parent: pulumi.Resource) -> ManagedStore:
    """One node without a replica: nothing in it has to survive. Not serverless, which is a cluster to its clients: Redis's own are none."""
    own, host = args["redis"], args["host"]["fargate"]
    opts = pulumi.ResourceOptions(parent=parent)
    node_type = own.get("node_type") or NODE_TYPE
    subnets = aws.elasticache.SubnetGroup(
        f"{name}-redis", description=f"{name}: the tasks' subnets", subnet_ids=host["subnet_ids"], opts=opts
    )
    group = aws.elasticache.ReplicationGroup(
        f"{name}-redis",
        description=f"{name}: bus and cache",
        engine="valkey",
        engine_version=VALKEY_VERSION,
        node_type=node_type,
        num_cache_clusters=1,
        automatic_failover_enabled=False,
        port=REDIS_PORT,
        at_rest_encryption_enabled=True,
        transit_encryption_enabled=True,
        transit_encryption_mode="required",
        auth_token=pulumi.Output.secret(args["secrets"]["redis_password"]),
        # The password before is void at once.
        auth_token_update_strategy="SET",
        apply_immediately=True,
        auto_minor_version_upgrade=True,
        snapshot_retention_limit=0 if args.get("backup") is False else 1,
        subnet_group_name=subnets.name,
        security_group_ids=[_port_group(f"{name}-redis", REDIS_PORT, host, parent)],
        opts=pulumi.ResourceOptions(parent=parent, protect=bool(args.get("protect")) or None),
    )
    return ManagedStore(
        base_url=pulumi.Output.concat("rediss://", group.primary_endpoint_address, f":{REDIS_PORT}"),
        monthly_cost=prices_of_30_days().get(f"elasticache_{node_type}_hour", 0.0),
    )


def timestream(name: str, args: Mapping[str, Any], parent: pulumi.Resource) -> ManagedStore:
    """InfluxDB 2 in one zone, on the tasks' subnets, not reachable from the internet."""
    own, host = args["influxdb"], args["host"]["fargate"]
    instance_type, storage_gb = own.get("instance_type") or INSTANCE_TYPE, int(own.get("storage_gb") or STORAGE_GB)
    instance = aws.timestreaminfluxdb.DbInstance(
        f"{name}-influxdb",
        db_instance_type=instance_type,
        allocated_storage=storage_gb,
        db_storage_type="InfluxIOIncludedT1",
        deployment_type="SINGLE_AZ",
        organization=DATABASE,
        bucket=DATABASE,
        username=ADMIN,
        password=pulumi.Output.secret(args["secrets"]["influx_admin_password"]),
        port=INFLUXDB_PORT,
        publicly_accessible=False,
        vpc_subnet_ids=host["subnet_ids"],
        vpc_security_group_ids=[_port_group(f"{name}-influxdb", INFLUXDB_PORT, host, parent)],
        # AWS takes a change of these only by making another instance, without the points of this one.
        opts=pulumi.ResourceOptions(parent=parent, protect=bool(args.get("protect")) or None, ignore_changes=["password", "vpcSubnetIds"]),
    )
    prices = prices_of_30_days()
    return ManagedStore(
        base_url=pulumi.Output.concat("https://", instance.endpoint, f":{INFLUXDB_PORT}"),
        monthly_cost=prices.get(f"timestream_{instance_type}_hour", 0.0) + storage_gb * prices.get("timestream_gb_month", 0.0),
    )


def without_tokens(store: ManagedStore, parent: pulumi.Resource) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """(URL to write, URL to read) until somebody has made the tokens: InfluxDB refuses them, and writers keep and count what they have."""
    pulumi.log.warn(
        "the managed InfluxDB has no tokens yet, so that nothing is written or read: make them once it runs and give them as influx_write_url "
        "and influx_read_url (docs/data-services.md)",
        resource=parent,
    )
    return secret_url(store.base_url, WRITER, "no-token-yet", MANAGED_WRITE_PATH), secret_url(
        store.base_url, READER, "no-token-yet", READ_PATH
    )


def _port_group(name: str, port: int, host: Mapping[str, Any], parent: pulumi.Resource) -> pulumi.Output[str]:
    """Lets the host's tasks in on the port, nobody else, and nothing out."""
    return aws.ec2.SecurityGroup(
        f"{name}-port",
        description=f"{name}: port {port} from the tasks of the same host",
        vpc_id=host["vpc_id"],
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                description="tasks of the same host",
                security_groups=[host["task_security_group_id"]],
                protocol="tcp",
                from_port=port,
                to_port=port,
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    ).id
