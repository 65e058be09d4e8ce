"""The task of a service that is built on botkit: one copy, its health command, sizes and capacity as its arguments say."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from .task import HealthCheck, Image, SecretSource, TaskSpec

PORT = 8000
HEALTH_COMMAND = ("python3", "-m", "botkit.health")
HEALTH = HealthCheck(command=HEALTH_COMMAND, interval=10, timeout=5, start_period=60)


def service_task(
    name: str,
    component: str,
    args: Mapping[str, Any],
    *,
    build: Callable[[], Image],
    environment: Mapping[str, pulumi.Input[str]],
    secrets: Mapping[str, SecretSource],
    command: tuple[str, ...] = (),
    single_writer: bool = True,
    stop_timeout: int = 30,
    spot: bool = True,
) -> TaskSpec:
    """`args`: the component's, of which published_port, image, cpu, memory, architecture and spot are taken as far as it has them. `build` gives
    the image unless args name a published one. `spot`: where args don't say."""
    own = args.get("spot")
    return TaskSpec(
        name=name,
        component=component,
        image=build() if args.get("image") is None else Image(reference=args["image"]),
        command=command,
        environment=environment,
        secrets=secrets,
        port=PORT,
        published_port=args.get("published_port"),
        cpu=args.get("cpu") or 256,
        memory=args.get("memory") or 512,
        architecture=args.get("architecture"),
        health=HEALTH,
        stop_timeout=stop_timeout,
        single_writer=single_writer,
        spot=spot if own is None else bool(own),
    )
