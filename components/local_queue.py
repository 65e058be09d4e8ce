"""LocalQueue: FIFO queues with the API of SQS on this machine, each with a dead-letter queue, on storage that outlives the server."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, check_task, run_task
from .image_folders import base_image, image_folder
from .task import HealthCheck, Image, TaskSpec, Volume

PORT = 9324
STATE = "/state"
# Seconds that a received message stays hidden; a worker that needs longer extends it.
VISIBILITY_TIMEOUT = 60
# Seconds that a message is kept: 4 days to work on it, 14 (the most that SQS allows) to look at one that failed.
RETENTION = 4 * 86_400
DEAD_LETTER_RETENTION = 14 * 86_400
# A worker takes what it can't use to the dead letters itself; this is for a message that kills the worker each time.
MAX_RECEIVES = 20
# With the longer suffix within the 80 characters that SQS allows a name.
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,62}")


class LocalQueueArgs(TypedDict):
    """Arguments of LocalQueue."""

    host: HostArgs
    """Where it runs: the docker host. On AWS the queue is SQS itself."""
    names: Sequence[str]
    """Names; each becomes the queues `<name>.fifo` and `<name>-dead-letters.fifo`."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address. Default: none, only the stack's tasks reach it."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512 (the server with 20,000 messages: 95)."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name. Default: created."""
    protect: NotRequired[bool]
    """Refuse to delete the storage. Default false."""


class LocalQueue(pulumi.ComponentResource):
    """An SQS server for the local stack. What it has answered is on the disk, even if it is killed the moment after."""

    endpoint: pulumi.Output[str]
    """Endpoint for SQS clients, e.g. `http://queue:9324`; it takes any region and credentials."""
    queue_urls: pulumi.Output[Mapping[str, str]]
    """Name -> URL of its FIFO queue."""
    dead_letter_urls: pulumi.Output[Mapping[str, str]]
    """Name -> URL of its dead-letter queue."""
    service: pulumi.Output[str]
    """Container."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    volume_name: pulumi.Output[str]
    """Docker volume with the messages."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of a task of its size on Fargate (us-east-1). SQS in its place is paid by the request."""

    def __init__(self, name: str, args: LocalQueueArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("local queue", name, args, LocalQueueArgs, argument_mistakes)
        context = image_folder("queue")
        spec = TaskSpec(
            name=name,
            component="LocalQueue",
            image=Image(context=context, base=base_image(context)),
            environment={"QUEUE_QUEUES": json.dumps([queue for one in args["names"] for queue in queue_pair(one)])},
            volumes=(Volume(name="state", mount_path=STATE, protect=bool(args.get("protect")), existing=args.get("volume")),),
            port=PORT,
            published_port=args.get("published_port"),
            cpu=args.get("cpu") or 256,
            memory=args.get("memory") or 512,
            health=HealthCheck(command=("python3", "-m", "queue_server.health"), interval=10, timeout=5, start_period=60),
            stop_timeout=10,
            single_writer=True,
        )
        check_task(spec, args["host"])
        super().__init__("tradestack:index:LocalQueue", name, {}, opts)
        task = run_task(spec, args["host"], self)
        self.endpoint = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.queue_urls = self.endpoint.apply(lambda endpoint: {one: queue_url(endpoint, queue_name(one)) for one in args["names"]})
        self.dead_letter_urls = self.endpoint.apply(
            lambda endpoint: {one: queue_url(endpoint, dead_letter_name(one)) for one in args["names"]}
        )
        self.service = task.service
        self.logs = task.logs
        self.volume_name = task.volumes["state"]
        self.monthly_cost = task.monthly_cost
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "queueUrls": self.queue_urls,
                "deadLetterUrls": self.dead_letter_urls,
                "service": self.service,
                "logs": self.logs,
                "volumeName": self.volume_name,
                "monthlyCost": self.monthly_cost,
            }
        )


def argument_mistakes(args: LocalQueueArgs) -> list[str]:
    """What is wrong with the values, one sentence a mistake."""
    mistakes = []
    if args["host"].get("fargate") is not None:
        mistakes.append("host.fargate: the local queue is for the docker host; on AWS use SQS queues in its place")
    if not args["names"]:
        mistakes.append("names=[]: give at least one name")
    for one in args["names"]:
        if not QUEUE_NAME.fullmatch(one):
            mistakes.append(f"names={one!r}: use 1 to 62 letters, digits, hyphens and underscores; .fifo is added")
    if len(set(args["names"])) != len(args["names"]):
        mistakes.append(f"names={list(args['names'])!r}: has a name twice")
    return mistakes


def queue_name(name: str) -> str:
    """The FIFO queue of a name."""
    return f"{name}.fifo"


def dead_letter_name(name: str) -> str:
    """The dead-letter queue of a name."""
    return f"{name}-dead-letters.fifo"


def queue_url(endpoint: str, queue: str) -> str:
    """URL of a queue; the account of a server that has none is all zeros."""
    return f"{endpoint}/000000000000/{queue}"


def queue_pair(name: str) -> list[dict[str, Any]]:
    """The two queues of a name, as the server's QUEUE_QUEUES has them."""
    return [
        {
            "name": queue_name(name),
            "visibility_timeout": VISIBILITY_TIMEOUT,
            "retention": RETENTION,
            "dead_letter_queue": dead_letter_name(name),
            "max_receives": MAX_RECEIVES,
        },
        {"name": dead_letter_name(name), "visibility_timeout": VISIBILITY_TIMEOUT, "retention": DEAD_LETTER_RETENTION},
    ]
