"""A bot on AWS seen from outside: its ECS service's state, its last deployment, and its logs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.stack.bots import BotStatus
from tools.stack.engine import StackError
from tools.stack.job_runs import is_job, job_state

# CloudWatch shows lines of two tasks out of order: what is this much older than the newest line may still come.
OVERLAP = 60_000  # ms


def client(service: str, region: str) -> Any:
    """AWS API of a region, with the user's own credentials."""
    return boto3.client(service, region_name=region)


def ecs_status(bot: dict[str, Any]) -> BotStatus:
    """Status of one bot on Fargate. Its API is private: trades show through a tunnel only (docs/operations.md). Raises StackError."""
    return BotStatus(bot=bot["name"], state=ecs_state(bot["service"]), pairs=len(bot["pairs"]), api=bot["apiUrl"], logs=bot["logs"])


def ecs_state(service_arn: str) -> str:
    """State of a service, or of a job's last run, in a word or a sentence. Raises StackError when AWS refuses to say."""
    if is_job(service_arn):
        with asking_aws():
            return job_state(client("stepfunctions", service_arn.split(":")[3]), service_arn)
    region, cluster, name = service_parts(service_arn)
    with asking_aws():
        ecs = client("ecs", region)
        service = described(ecs, cluster, name)
        deployments = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"] if service else []
    return service_state(service, max(deployments, key=lambda one: one["createdAt"], default={}))


def service_parts(arn: str) -> tuple[str, str, str]:
    """(region, cluster, name) of a service's ARN, `arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME`."""
    _, cluster, name = arn.split(":", 5)[5].split("/")
    return arn.split(":")[3], cluster, name


def described(ecs: Any, cluster: str, name: str) -> dict[str, Any] | None:
    """The service as ECS describes it; None when it is gone: ECS remembers a deleted service for a while."""
    found = ecs.describe_services(cluster=cluster, services=[name])["services"]
    return found[0] if found and found[0]["status"] != "INACTIVE" else None


def service_state(service: dict[str, Any] | None, deployment: dict[str, Any]) -> str:
    """`running`, or what is the matter. `deployment` is the service's last one.

    A deployment that was rolled back is the matter even though tasks run: they are of the version before, dry-run or live.
    """
    if service is None:
        return "gone"
    if service["desiredCount"] == 0 or service["status"] != "ACTIVE":
        return "stopped" if service["runningCount"] == 0 else "stopping"
    status, reason = deployment.get("status", "SUCCESSFUL"), deployment.get("statusReason") or "ECS gives no reason"
    if status == "ROLLBACK_SUCCESSFUL":
        return f"runs the version before, the new one failed ({reason}); mend it, then `pulumi up --refresh`"
    if status == "ROLLBACK_FAILED":
        return f"the new version failed, and going back too ({reason})"
    if status.startswith("ROLLBACK"):
        return f"going back to the version before, the new one failed ({reason})"
    if service["runningCount"] < service["desiredCount"]:
        events = service.get("events") or [{}]
        return f"{service['runningCount']} of {service['desiredCount']} running: {events[0].get('message', 'no event yet')}"
    return "starting" if status in ("PENDING", "IN_PROGRESS") else "running"


def run_once(service_arn: str, command: list[str]) -> str:
    """Run a command once as a task of the service's own definition, network and rights, on-demand; returns the task's ARN. Raises StackError."""
    region, cluster, name = service_parts(service_arn)
    with asking_aws():
        ecs = client("ecs", region)
        service = described(ecs, cluster, name)
        if service is None:
            raise StackError(f"service {name!r} is gone from cluster {cluster!r}: run `pulumi up`")
        definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
        container = next(one["name"] for one in definition["containerDefinitions"] if one.get("essential", True))
        started = ecs.run_task(
            cluster=cluster,
            taskDefinition=service["taskDefinition"],
            launchType="FARGATE",
            networkConfiguration=service["networkConfiguration"],
            overrides={"containerOverrides": [{"name": container, "command": command}]},
        )
    if not started["tasks"]:
        raise StackError(f"ECS starts no task: {started['failures']}")
    return started["tasks"][0]["taskArn"]


def log_lines(service_arn: str, since: float, follow: bool) -> Iterator[str]:
    """Lines that a service's own container wrote since `since` (seconds since the epoch), by CloudWatch. Raises StackError."""
    if is_job(service_arn):
        name = service_arn.rpartition(":")[2]
        raise StackError(f"{name!r} runs on a schedule: `pulumi stack output --json` has the command that shows its log, under `logs`")
    region, cluster, name = service_parts(service_arn)
    with asking_aws():
        group, prefix = log_streams(client("ecs", region), cluster, name)
        pages = client("logs", region).get_paginator("filter_log_events")
        oldest = int(since * 1000)
        seen: dict[str, int] = {}
        while True:
            for page in pages.paginate(logGroupName=group, logStreamNamePrefix=prefix, startTime=oldest):
                for event in page["events"]:
                    if event["eventId"] not in seen:
                        seen[event["eventId"]] = event["timestamp"]
                        yield event["message"]
            if not follow:
                return
            oldest = max([oldest, *(at - OVERLAP for at in seen.values())])
            seen = {event: at for event, at in seen.items() if at >= oldest}
            time.sleep(2)


def log_streams(ecs: Any, cluster: str, name: str) -> tuple[str, str]:
    """(log group, prefix of the stream names) of the service's own container. Raises StackError when its logs are not in CloudWatch."""
    service = described(ecs, cluster, name)
    if service is None:
        raise StackError(f"service {name!r} is gone from cluster {cluster!r}: run `pulumi up`")
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    container = next(one for one in definition["containerDefinitions"] if one.get("essential", True))
    logs = container["logConfiguration"]
    if logs["logDriver"] != "awslogs":
        raise StackError(f"the logs of {container['name']!r} are in Loki: `pulumi stack output bots` has the command that reads them")
    return logs["options"]["awslogs-group"], f"{logs['options']['awslogs-stream-prefix']}/{container['name']}/"


@contextmanager
def asking_aws() -> Iterator[None]:
    """What AWS refuses becomes a StackError: no credentials, no permission, no such thing."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"AWS: {error}") from None
