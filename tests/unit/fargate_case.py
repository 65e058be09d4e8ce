"""A host of plain values and a small task, for the fargate host's tests."""

import json
from collections.abc import Callable
from typing import Any

from components.hosts import run_task
from components.ingress import HttpApi, LoadBalancer
from components.task import Image, TaskSpec
from tests.unit.pulumi_mocks import ACCOUNT, REGION, Recorded, Run, deploy, parent

FILE_SYSTEM_ARN = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/fs-0123456789abcdef0"
HOST: dict[str, Any] = {
    "cluster_arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/bots",
    "region": REGION,
    "vpc_id": "vpc-1",
    "vpc_cidr": "10.0.0.0/16",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "task_security_group_id": "sg-tasks",
    "namespace_id": "ns-1",
    "namespace_name": "tradestack.internal",
    "file_system_id": "fs-0123456789abcdef0",
    "file_system_arn": FILE_SYSTEM_ARN,
    "log_group_name": "bots",
    "log_group_arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:bots",
    "repository_url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/bots",
    "repository_arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/bots",
    "alarm_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
}
PUBLISHED = Image(reference="ghcr.io/example/bot:1.2")
HTTP_API = HttpApi(paths=("/a", "/b/c"), source_ip_header="x-caller")
LOAD_BALANCER = LoadBalancer(
    paths=("/a", "/b", "/c", "/d", "/e"),
    certificate_arn=f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1",
    public_subnet_ids=["subnet-x", "subnet-y"],
    source_ips=("192.0.2.1", "198.51.100.0/24"),
    health_path="/ready",
)


def task(**changes: Any) -> TaskSpec:
    """A bot-like spec; `changes` replace its fields."""
    return TaskSpec(**{"name": "bot", "component": "FreqtradeBot", "image": PUBLISHED, **changes})


def run(
    spec: TaskSpec | Callable[[], TaskSpec] | None = None, without: tuple[str, ...] = (), outputs: dict | None = None, **host: Any
) -> Run:
    """Run a spec on the host; `without` leaves host keys out, `host` replaces them. A spec with Outputs in it comes as a function."""
    values = {key: value for key, value in {**HOST, **host}.items() if key not in without}

    def program() -> dict[str, Any]:
        running = run_task(spec() if callable(spec) else spec or task(), {"fargate": values}, parent())
        return {
            "host": running.host,
            "dns_name": running.dns_name,
            "service": running.service,
            "logs": running.logs,
            "image": running.image,
            "volumes": dict(running.volumes),
            "public_url": running.public_url,
        }

    return deploy(program, outputs=outputs)


def definition(declared: Run) -> Recorded:
    return declared.one("aws:ecs/taskDefinition:TaskDefinition")


def containers(declared: Run) -> dict[str, dict]:
    """Container definitions by name."""
    return {container["name"]: container for container in json.loads(definition(declared).inputs["containerDefinitions"])}


def container(declared: Run, name: str = "bot") -> dict:
    return containers(declared)[name]
