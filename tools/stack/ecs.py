"""A bot on AWS seen from outside: its ECS service's state and last event, and its logs."""

import time
from collections.abc import Iterator
from typing import Any

import boto3

from tools.stack.bots import BotStatus


def ecs_status(bot: dict[str, Any]) -> BotStatus:
    """Status of one bot on Fargate. Its API is private: trades show through a tunnel only (docs/operations.md)."""
    cluster, service_name = bot["service"].split("/")[-2:]
    region = bot["service"].split(":")[3]
    services = boto3.client("ecs", region_name=region).describe_services(cluster=cluster, services=[service_name])["services"]
    state = service_state(services[0]) if services else "gone"
    return BotStatus(bot=bot["name"], state=state, pairs=len(bot["pairs"]), api=bot["apiUrl"], logs=bot["logs"])


def service_state(service: dict[str, Any]) -> str:
    """`running`, or how many run and what ECS said last."""
    if service["runningCount"] == service["desiredCount"] and service["status"] == "ACTIVE":
        return "running" if service["desiredCount"] else "stopped"
    events = service.get("events") or [{}]
    return f"{service['runningCount']} of {service['desiredCount']} running: {events[0].get('message', 'no event yet')}"


def log_lines(location: str, region: str, since: float, follow: bool) -> Iterator[str]:
    """Lines of a CloudWatch log stream prefix, `location` as `group:prefix`; `since` in seconds since the epoch."""
    group, prefix = location.rsplit(":", 1)
    client = boto3.client("logs", region_name=region)
    start = int(since * 1000)
    seen: set[str] = set()
    while True:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNamePrefix=prefix, startTime=start):
            for event in page["events"]:
                if event["eventId"] not in seen:
                    seen.add(event["eventId"])
                    start = max(start, event["timestamp"])
                    yield event["message"]
        if not follow:
            return
        time.sleep(2)
