"""The two tasks of a ScheduledJob: one run (Fargate), and a watch that does the same for ever (Docker). One image, one environment."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .image_folders import image_at
from .job_schedule import TIME_ZONE, JobSchedule
from .task import MAX_STOP_TIMEOUT, HealthCheck, Image, SecretSource, TaskSpec


def run_spec(name: str, args: Mapping[str, Any]) -> TaskSpec:
    """One run. Raises FileNotFoundError for an image folder that isn't there."""
    environment = dict(args.get("environment") or {})
    if args.get("schedule_variable") is not None:
        environment[args["schedule_variable"]] = json.dumps(list(args["schedules"]))
    return TaskSpec(
        name=name,
        component="ScheduledJob",
        image=image_at(args["image"]) if args.get("image") is not None else Image(reference=args["image_reference"]),
        command=tuple(args.get("command") or ()),
        environment=environment,
        secrets={variable: SecretSource(value=value) for variable, value in (args.get("secrets") or {}).items()},
        cpu=args.get("cpu") or 256,
        memory=args.get("memory") or 512,
        architecture=args.get("architecture"),
        stop_timeout=args.get("stop_timeout") or MAX_STOP_TIMEOUT,
        spot=args.get("spot") is not False,
    )


def watch_spec(name: str, args: Mapping[str, Any]) -> TaskSpec:
    """What watches the clock itself."""
    health = args.get("watch_health")
    return replace(
        run_spec(name, args),
        command=tuple(args["watch_command"]),
        health=HealthCheck(command=tuple(health), interval=10, timeout=5, start_period=60) if health else None,
    )


def job_schedule(args: Mapping[str, Any]) -> JobSchedule:
    """When, and within which bounds."""
    given = {key: args[key] for key in ("start_within", "most_minutes", "retries", "expected_minutes") if args.get(key) is not None}
    return JobSchedule(
        expressions=tuple(args["schedules"]),
        time_zone=args.get("time_zone") or TIME_ZONE,
        alarms=args.get("alarms") is not False,
        enabled=args.get("enabled") is not False,
        **given,
    )
