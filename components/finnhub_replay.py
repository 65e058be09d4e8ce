"""FinnhubReplay: an earnings calendar that looks like Finnhub's, with answers of our own making, so that a day can be traded without a key."""

from collections.abc import Mapping
from functools import partial
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_at
from .service_task import PORT, service_task
from .task_environment import environment, secret_mistakes, secret_sources

PREFIX = "FINNHUB_REPLAY_"


class FinnhubReplayArgs(TypedDict):
    """Arguments of FinnhubReplay."""

    host: HostArgs
    """Where it runs."""
    secrets: Mapping[str, pulumi.Input[str]]
    """key that its clients must show; make it up."""
    test_api: NotRequired[bool]
    """Offer `/_replay/…`, which makes faults. Whoever reaches the port may use it. Default false."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
    image: NotRequired[pulumi.Input[str]]
    """A published image. Default: built from the library's folder."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class FinnhubReplay(pulumi.ComponentResource):
    """Finnhub's earnings calendar and recommendations, made up: every day has earnings."""

    url: pulumi.Output[str]
    """Base URL for the tasks of the same host: finnhub_url of an Earnyearn."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: FinnhubReplayArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("finnhub replay", name, args, FinnhubReplayArgs, argument_mistakes)
        spec = service_task(
            name,
            "FinnhubReplay",
            args,
            build=partial(image_at, "finnhub-replay"),
            environment=environment(PREFIX, {"TEST_API": bool(args.get("test_api"))}),
            secrets=secret_sources(PREFIX, args["secrets"]),
            single_writer=False,
            stop_timeout=10,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:FinnhubReplay", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def argument_mistakes(args: FinnhubReplayArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    return secret_mistakes(args["secrets"], {"key": "make it up"})
