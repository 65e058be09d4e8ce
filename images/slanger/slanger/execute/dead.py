"""Sends a message to the dead-letter queue, with the reason as an attribute."""

import hashlib
import re
from typing import Any

from slanger.execute.decode import Delivery

ATTRIBUTES = ("reason", "name", "symbol", "key")
# What SQS takes in an attribute: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
FORBIDDEN = re.compile("[^\u0009\u000a\u000d\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 1000


async def bury(sqs: Any, url: str, delivery: Delivery, reason: str, name: str = "", symbol: str = "", key: str = "") -> None:
    """Raises what the client raises. A group of its own: nothing waits for a dead letter, and one that is looked at hides no other."""
    texts = {"reason": reason, "name": name, "symbol": symbol, "key": key}
    own = hashlib.sha256(delivery.id.encode()).hexdigest()
    await sqs.send_message(
        QueueUrl=url,
        MessageBody=delivery.body,
        MessageGroupId=own,
        # The alert's key would swallow a second burial of an alert that was replayed within five minutes.
        MessageDeduplicationId=own,
        MessageAttributes={name: {"DataType": "String", "StringValue": _clean(text)} for name, text in texts.items() if text},
    )


def _clean(text: str) -> str:
    return FORBIDDEN.sub("?", text)[:LONGEST]
