"""The queue of one account and its dead letters, on a running SQS-compatible server."""

import json
import time
import uuid

import botocore.session
from botocore.config import Config
from processes import wait_for
from slanger.message import StoredAlert, StoredControl, group_of

CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}


class Queue:
    """The alerts of one account: a queue, its dead letters, and an endpoint that a test may put something in front of."""

    def __init__(self, endpoint, visibility, receives=20):
        self.endpoint = endpoint
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        self.sqs = botocore.session.get_session().create_client("sqs", endpoint_url=endpoint, config=config, **CREDENTIALS)
        name = uuid.uuid4().hex
        fifo = {"FifoQueue": "true"}
        self.dead_url = self.sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes=fifo)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(receives)})
        attributes = {**fifo, "VisibilityTimeout": str(visibility), "RedrivePolicy": redrive}
        self.url = self.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]

    def put(self, body, group, deduplication=None, **attributes):
        self.sqs.send_message(
            QueueUrl=self.url,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication or uuid.uuid4().hex,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
        )

    def alert(self, symbol="AAPL", action="buy", route="market", *, account="paper", name="test", age=0, **order):
        """Stores an alert; returns its key."""
        key = uuid.uuid4().hex
        now = time.time() - age
        alert = StoredAlert(
            key=key,
            name=name,
            route=route,
            account=account,
            symbol=symbol,
            action=action,
            fired_at=now,
            received_at=now,
            authenticated_by="signature",
            order=order,
        )
        self.put(alert.model_dump_json(), group_of(account, symbol), key)
        return key

    def control(self, action, close=False, age=0):
        key = uuid.uuid4().hex
        control = StoredControl(key=key, account="paper", action=action, close=close, received_at=time.time() - age)
        self.put(control.model_dump_json(), group_of("paper", None), key)
        return key

    def left(self, url=None):
        """Messages that are neither deleted nor dead."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def wait_empty(self, seconds=60):
        wait_for(lambda: self.left() == 0, seconds, "the queue is not empty")

    def dead(self):
        """The dead letters: (body, attributes). They stay."""
        found, names = [], {"MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10, "VisibilityTimeout": 1}
        seen = set()
        while messages := self.sqs.receive_message(QueueUrl=self.dead_url, **names).get("Messages"):
            fresh = [one for one in messages if one["MessageId"] not in seen]
            if not fresh:
                break
            for one in fresh:
                seen.add(one["MessageId"])
                attributes = {name: value["StringValue"] for name, value in one.get("MessageAttributes", {}).items()}
                found.append((one["Body"], attributes))
        for one in messages or ():
            self.sqs.change_message_visibility(QueueUrl=self.dead_url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
        return found

    def wait_dead(self, count=1, seconds=60):
        wait_for(lambda: self.left(self.dead_url) >= count, seconds, f"{count} dead letters")
        return self.dead()
