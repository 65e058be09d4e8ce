"""ExchangeReplay: an exchange that replays recorded candles, so that bots trade without the internet and without money."""

from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import base_image, image_folder
from .task import HealthCheck, Image, TaskSpec

PORT = 8000
# Seconds of recording shown in one second. The recording has five-minute candles: 5 shows each as a one-minute candle.
SPEEDS = (1, 5)


class ExchangeReplayArgs(TypedDict):
    """Arguments of ExchangeReplay."""

    host: HostArgs
    """Where it runs."""
    speed: NotRequired[int]
    """1: wall speed, the recording's five-minute candles; 5: each shown as a one-minute candle. Default 5."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512."""


class ExchangeReplay(pulumi.ComponentResource):
    """A Binance-like spot REST API over recorded candles."""

    url: pulumi.Output[str]
    """Base URL for the bots of the same host, e.g. `http://exchange-replay:8000`."""
    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: ExchangeReplayArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("exchange replay", name, args, ExchangeReplayArgs, argument_mistakes)
        context = image_folder("exchange-replay")
        spec = TaskSpec(
            name=name,
            component="ExchangeReplay",
            image=Image(context=context, base=base_image(context)),
            environment={"REPLAY_SPEED": str(args.get("speed") or 5)},
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("python3", "-m", "exchange_replay.health"), interval=10, timeout=5, start_period=60),
            stop_timeout=10,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:ExchangeReplay", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.service = task.service
        self.logs = task.logs
        self.monthly_cost = task.monthly_cost
        self.register_outputs({"url": self.url, "service": self.service, "logs": self.logs, "monthlyCost": self.monthly_cost})


def argument_mistakes(args: ExchangeReplayArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    speed = args.get("speed")
    return [] if speed in (None, *SPEEDS) else [f"speed={speed!r}: use one of {', '.join(map(str, SPEEDS))}"]
