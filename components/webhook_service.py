"""WebhookService: TradingView's alerts become orders: tasks that accept, a queue that keeps, one task that executes."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .hosts import HostArgs, RunningTask, build_on_host, check_task, run_task
from .task import Image
from .webhook_args import (
    WebhookDefaults,
    WebhookIngress,
    WebhookLimits,
    WebhookLoadBalancer,
    WebhookMode,
    WebhookQueue,
)
from .webhook_checks import argument_mistakes
from .webhook_queue import PLANNED, queue_alarms, webhook_queue
from .webhook_tasks import PORT, accept_task, execute_task, slanger_image


class WebhookServiceArgs(TypedDict):
    """Arguments of WebhookService. What can cost money has no default."""

    host: HostArgs
    """Where it runs."""
    account: str
    """Name of the broker account, e.g. `paper`; alerts name it in their signed part. Lower-case letters, digits, hyphens."""
    limits: WebhookLimits
    """Bounds that no alert can raise."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """signing_key (32 characters or more), broker_key, broker_secret; as needed previous_signing_key (still valid while keys rotate), redis_url
    and influx_url. Exactly one of secrets and secret_arn."""
    secret_arn: NotRequired[str]
    """ARN of your own Secrets Manager secret, a JSON object with the keys above (fargate only)."""
    secret_keys: NotRequired[Sequence[str]]
    """Keys that the secret behind secret_arn holds beyond the required ones, e.g. `["redis_url"]`."""
    mode: NotRequired[WebhookMode]
    """Default paper; live needs live_account too."""
    live_account: NotRequired[str]
    """Number of the account that may trade real money; it must be the one that the broker reports. Only with mode live."""
    # Text, not the enum: of a list of enums from another language Pulumi's SDK (3.250) makes a list of empty objects.
    authentication: NotRequired[Sequence[str]]
    """What an alert must prove, values of WebhookAuthentication (signature, client-certificate, source-ip); all must pass. Default signature."""
    ingress: NotRequired[WebhookIngress]
    """How alerts come in from the internet. Default none."""
    alb: NotRequired[WebhookLoadBalancer]
    """The load balancer; with ingress alb."""
    trusted_proxies: NotRequired[Sequence[str]]
    """CIDRs of a proxy of your own whose headers are believed; with ingress none. It must set them itself, whatever came in: x-forwarded-for (the
    caller's address last), and for client certificates that it has verified x-amzn-mtls-clientcert-subject. Default: nobody's are."""
    source_ips: NotRequired[Sequence[str]]
    """Addresses or CIDRs that may call: all that alb lets in, and what authentication source-ip asks for. Default: TradingView's four."""
    client_certificate_name: NotRequired[str]
    """Common name of the client certificate. Default: TradingView's."""
    replay_window: NotRequired[int]
    """Seconds that a signed request is valid. Default 300."""
    revoked_alerts: NotRequired[Sequence[str]]
    """Names of alerts that are refused though their signature is right."""
    max_delay: NotRequired[int]
    """An alert that is older (seconds) isn't traded any more but kept as a dead letter. Default 900."""
    defaults: NotRequired[WebhookDefaults]
    """Sizes for alerts that give none. Default: none, such alerts are errors."""
    aristocrats: NotRequired[Sequence[str]]
    """Symbols of the route aristocrats. Default: a list in Redis."""
    requests_per_minute: NotRequired[int]
    """Calls that the broker allows for the account. Default 200."""
    broker_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's trading API. Default: Alpaca's, by mode."""
    data_url: NotRequired[pulumi.Input[str]]
    """Base URL of the broker's market data. Default: Alpaca's."""
    queue: NotRequired[WebhookQueue]
    """Bring your own. Required on Docker (LocalQueue); default on Fargate: SQS queues of its own."""
    oldest_alert_alarm: NotRequired[int]
    """Age (seconds) of the oldest alert that isn't executed yet which raises an alarm (fargate). Default 120."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address (docker only). Default: none, only the stack's tasks reach it."""
    accept_min: NotRequired[int]
    """Accepting tasks, always. Default 1."""
    accept_max: NotRequired[int]
    """Accepting tasks under load, by CPU (fargate). Default accept_min."""
    cpu: NotRequired[int]
    """CPU units of each task, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB of each task. Default 512."""
    spot: NotRequired[bool]
    """Fargate Spot for the accepting tasks. Default: with accept_min 2 or more; a single task is away for a minute when it is interrupted."""
    worker_spot: NotRequired[bool]
    """Fargate Spot for the executing task; interrupted, it goes on with the same alert elsewhere. Default true."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    image: NotRequired[pulumi.Input[str]]
    """A published image of slanger. Default: built from the library's folder."""
    execute_command: NotRequired[bool]
    """Allow ECS Exec; the root file system is then writable, because ECS Exec can't do without. Default false."""
    protect: NotRequired[bool]
    """Refuse to delete the queues and the load balancer. Default false."""


class WebhookService(pulumi.ComponentResource):
    """Alerts are accepted by stateless tasks, kept in a FIFO queue and executed by one task; none is lost, none is ordered twice."""

    url: pulumi.Output[str]
    """Where alerts are sent: `https://…` with an ingress, `http://127.0.0.1:PORT` with published_port, else private_url."""
    private_url: pulumi.Output[str]
    """Base URL for the tasks of the same host."""
    ingress_dns_name: pulumi.Output[str]
    """The load balancer's own name, to point alb.domain_name at; empty with any other ingress."""
    service: pulumi.Output[str]
    """The accepting container (docker) or ECS service (fargate)."""
    worker_service: pulumi.Output[str]
    """The executing container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Command that shows the accepting tasks' log."""
    worker_logs: pulumi.Output[str]
    """Command that shows the executing task's log."""
    queue_url: pulumi.Output[str]
    """Queue of alerts."""
    dead_letter_url: pulumi.Output[str]
    """Queue of alerts that could not be executed."""
    image_reference: pulumi.Output[str]
    """What both tasks run."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of all its tasks on Fargate (us-east-1), of those that accept accept_min; on Docker what the same would cost there."""

    def __init__(self, name: str, args: WebhookServiceArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("webhook service", name, args, WebhookServiceArgs, lambda given: argument_mistakes(name, given))
        host, source = args["host"], slanger_image(args)
        planned = args.get("queue") or PLANNED
        for spec in (accept_task(name, args, planned, source), execute_task(name, args, planned, source)):
            check_task(spec, host)
        super().__init__("tradestack:index:WebhookService", name, {}, opts)
        queue = args.get("queue") or webhook_queue(name, bool(args.get("protect")), self)
        self.image_reference = build_on_host(name, source, args.get("architecture"), host, self)
        image = Image(reference=self.image_reference)
        accept = run_task(accept_task(name, args, queue, image), host, self)
        execute = run_task(execute_task(name, args, queue, image), host, self)
        topic_arn = (host.get("fargate") or {}).get("alarm_topic_arn")
        if topic_arn is not None:
            queue_alarms(name, queue, topic_arn, args.get("oldest_alert_alarm"), self)
        self.private_url = pulumi.Output.concat("http://", accept.dns_name, f":{PORT}")
        self.url, self.ingress_dns_name = _way_in(args, accept, self.private_url)
        self.service, self.logs = accept.service, accept.logs
        self.worker_service, self.worker_logs = execute.service, execute.logs
        self.queue_url = pulumi.Output.from_input(queue["url"])
        self.dead_letter_url = pulumi.Output.from_input(queue["dead_letter_url"])
        self.monthly_cost = pulumi.Output.all(accept.monthly_cost, execute.monthly_cost).apply(sum)
        self.register_outputs(
            {
                "url": self.url,
                "privateUrl": self.private_url,
                "ingressDnsName": self.ingress_dns_name,
                "service": self.service,
                "workerService": self.worker_service,
                "logs": self.logs,
                "workerLogs": self.worker_logs,
                "queueUrl": self.queue_url,
                "deadLetterUrl": self.dead_letter_url,
                "imageReference": self.image_reference,
                "monthlyCost": self.monthly_cost,
            }
        )


def _way_in(
    args: WebhookServiceArgs, accept: RunningTask, private_url: pulumi.Output[str]
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """(URL for alerts, the load balancer's own name)."""
    domain = (args.get("alb") or {}).get("domain_name")
    own_name = pulumi.Output.from_input("")
    if args.get("published_port"):
        return pulumi.Output.from_input(f"http://127.0.0.1:{args['published_port']}"), own_name
    if accept.public_url is None:
        return private_url, own_name
    if args.get("alb") is not None:
        own_name = accept.public_url.apply(lambda url: url.removeprefix("https://"))
    return pulumi.Output.from_input(f"https://{domain}") if domain else accept.public_url, own_name
