"""The SNS topic that hears of crashed tasks and of alarms: EventBridge and CloudWatch may publish, an e-mail address may listen."""

import json
from typing import Any, Optional

import pulumi
import pulumi_aws as aws


def alarm_topic(name: str, email: Optional[pulumi.Input[str]], parent: pulumi.Resource) -> pulumi.Output[str]:
    """ARN of the topic, known once EventBridge may publish to it."""
    opts = pulumi.ResourceOptions(parent=parent)
    topic = aws.sns.Topic(f"{name}-alarms", opts=opts)
    policy = aws.sns.TopicPolicy(f"{name}-alarms-policy", arn=topic.arn, policy=topic.arn.apply(topic_policy), opts=opts)
    if email is not None:
        aws.sns.TopicSubscription(f"{name}-alarms-email", topic=topic.arn, protocol="email", endpoint=email, opts=opts)
    return pulumi.Output.all(topic.arn, policy.id).apply(lambda known: known[0])


def topic_policy(topic_arn: str) -> str:
    """EventBridge may publish, without a condition: in a topic's policy EventBridge knows none (its user guide, "Amazon SNS permissions"), and
    an alarm that is refused makes no noise. CloudWatch may for alarms of this account and region."""
    partition, region, account = (topic_arn.split(":")[index] for index in (1, 3, 4))
    events = _publish("events.amazonaws.com", topic_arn)
    alarms = {
        **_publish("cloudwatch.amazonaws.com", topic_arn),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:cloudwatch:{region}:{account}:alarm:*"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [events, alarms]}, sort_keys=True)


def _publish(service: str, topic_arn: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": ["sns:Publish"], "Resource": topic_arn}
