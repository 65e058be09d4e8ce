"""Makes the queues of the settings, or gives those that are there the settings' attributes."""

import json

from .changes import Changes
from .ministack import HANDLERS, SqsError, queue_by_url
from .settings import Queue


def make_queues(queues: tuple[Queue, ...], changes: Changes) -> None:
    """Before MiniStack's actions are made durable: the caller commits."""
    for queue in queues:
        attributes = {"VisibilityTimeout": str(queue.visibility_timeout), "MessageRetentionPeriod": str(queue.retention)}
        if queue.name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        # An empty policy takes away that of former settings.
        attributes["RedrivePolicy"] = ""
        if queue.dead_letter_queue:
            arn = queue_by_url(queue.dead_letter_queue)["attributes"]["QueueArn"]
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": queue.max_receives})
        try:
            queue_by_url(queue.name)
        except SqsError:
            HANDLERS["CreateQueue"]({"QueueName": queue.name}, "")
        HANDLERS["SetQueueAttributes"]({"QueueUrl": queue.name, "Attributes": attributes}, queue.name)
        changes.touch_queue(queue_by_url(queue.name))
