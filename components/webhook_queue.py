"""The SQS queues of a WebhookService on AWS: alerts in order, dead letters beside them, and alarms on both."""

import json
import re
from collections.abc import Mapping
from typing import Any, Optional

import pulumi
import pulumi_aws as aws

from .hosts.fargate_iam import tls_only
from .task import InvalidArgument, Permission

DAY = 86_400
RETENTION, DEAD_LETTER_RETENTION = 4 * DAY, 14 * DAY  # 14 days is SQS's longest
# The executing task keeps an alert longer while it works on it; one that is killed frees it after this time.
VISIBILITY_SECONDS = 60
# An alert that can't be executed is put aside by the executing task at once, with the reason. This is for alerts that kill it.
MAX_RECEIVES = 20
OLDEST_ALERT_DEFAULT = 120
ACCEPT_ACTIONS = ("sqs:GetQueueAttributes", "sqs:SendMessage")
# On both queues: it puts alerts aside, and replays them when it is told to.
EXECUTE_ACTIONS = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
)
# Stands for queues that are still to be made, where a task is only checked.
PLANNED = {key: f"https://sqs.us-east-1.amazonaws.com/000000000000/{key}.fifo" for key in ("url", "dead_letter_url")}
SQS_URL = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?/(\d{12})/([\w-]{1,75}\.fifo)")


def webhook_queue(name: str, protect: bool, parent: pulumi.Resource) -> dict[str, pulumi.Output[str]]:
    """A WebhookQueue made of SQS queues, known once only TLS gets through to them."""
    dead = _queue(f"{name}-dead-letters", protect, parent, message_retention_seconds=DEAD_LETTER_RETENTION)
    alerts = _queue(
        f"{name}-alerts",
        protect,
        parent,
        message_retention_seconds=RETENTION,
        redrive_policy=dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES})),
    )
    child = pulumi.ResourceOptions(parent=parent)
    aws.sqs.RedriveAllowPolicy(
        f"{name}-dead-letters-redrive",
        queue_url=dead.url,
        redrive_allow_policy=alerts.arn.apply(lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})),
        opts=child,
    )
    return {
        key: pulumi.Output.all(
            queue.url,
            aws.sqs.QueuePolicy(f"{name}-{suffix}-tls", queue_url=queue.url, policy=queue.arn.apply(tls_only), opts=child).id,
        ).apply(lambda known: known[0])
        for key, suffix, queue in (("url", "alerts", alerts), ("dead_letter_url", "dead-letters", dead))
    }


def _queue(name: str, protect: bool, parent: pulumi.Resource, **options: Any) -> aws.sqs.Queue:
    return aws.sqs.Queue(
        name,
        fifo_queue=True,
        # High throughput: ids are told apart, and messages counted, within one account and symbol instead of the whole queue.
        deduplication_scope="messageGroup",
        fifo_throughput_limit="perMessageGroupId",
        visibility_timeout_seconds=VISIBILITY_SECONDS,
        sqs_managed_sse_enabled=True,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect or None),
        **options,
    )


def queue_arn(url: str) -> str:
    """ARN of an SQS FIFO queue, from its URL: a user of the library gives one thing, not two that could differ. Raises InvalidArgument."""
    match = SQS_URL.fullmatch(url)
    if match is None:
        raise InvalidArgument(f"queue URL {url!r}: use https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo, the URL of an SQS FIFO queue")
    region, china, account, name = match.groups()
    partition = "aws-cn" if china else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


def permissions(queue: Mapping[str, pulumi.Input[str]]) -> tuple[tuple[Permission, ...], tuple[Permission, ...]]:
    """What the accepting and the executing task may do with the WebhookQueue."""
    alerts, dead = (pulumi.Output.from_input(queue[key]).apply(queue_arn) for key in ("url", "dead_letter_url"))
    return (Permission(actions=ACCEPT_ACTIONS, resources=(alerts,)),), (Permission(actions=EXECUTE_ACTIONS, resources=(alerts, dead)),)


def queue_alarms(
    name: str, queue: Mapping[str, pulumi.Input[str]], topic_arn: pulumi.Input[str], oldest: Optional[int], parent: pulumi.Resource
) -> None:
    """Tell the topic of dead letters, and of alerts that wait longer than `oldest` seconds."""
    seconds = oldest or OLDEST_ALERT_DEFAULT
    for suffix, key, metric, threshold, what in (
        ("dead-letters", "dead_letter_url", "ApproximateNumberOfMessagesVisible", 0, "alerts that could not be executed; look at them"),
        ("oldest-alert", "url", "ApproximateAgeOfOldestMessage", seconds, f"an alert has waited for more than {seconds} s"),
    ):
        aws.cloudwatch.MetricAlarm(
            f"{name}-{suffix}",
            alarm_description=f"{name} ({pulumi.get_stack()}): {what}",
            namespace="AWS/SQS",
            metric_name=metric,
            dimensions={"QueueName": pulumi.Output.from_input(queue[key]).apply(lambda url: url.rpartition("/")[2])},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            period=60,
            evaluation_periods=1,
            # A queue that nobody has used for hours sends no figures.
            treat_missing_data="notBreaching",
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            opts=pulumi.ResourceOptions(parent=parent),
        )
