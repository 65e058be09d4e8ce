"""A message of the queue: what it says, or why nobody can tell."""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from slanger.message import StoredAlert, StoredControl

# Message attribute of what `dead-letters replay` sends: an order may be at the broker already.
REPLAYED = "replayed"
# A dead letter has this; the queue's own redrive keeps it.
BURIED = "reason"


class Undecodable(ValueError):
    """No message of ours; trying again won't help."""


@dataclass(kw_only=True)
class Delivery:
    """One received message. The receipt changes when it is received again."""

    id: str
    receipt: str
    body: str
    group: str
    receives: int
    replayed: bool


def delivery_of(message: dict[str, Any]) -> Delivery:
    """From an entry of ReceiveMessage's answer."""
    attributes = message["Attributes"]
    return Delivery(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes["MessageGroupId"],
        receives=int(attributes["ApproximateReceiveCount"]),
        replayed=bool({REPLAYED, BURIED} & message.get("MessageAttributes", {}).keys()),
    )


def decode(body: str, account: str) -> StoredAlert | StoredControl:
    """Raises Undecodable."""
    try:
        fields = json.loads(body)
        model = StoredControl if isinstance(fields, dict) and fields.get("kind") == "control" else StoredAlert
        message = model.model_validate(fields)
    except ValidationError as bad:
        first = bad.errors(include_url=False, include_input=False)[0]
        raise Undecodable(f"no alert of ours: {'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise Undecodable("no alert of ours: it is not JSON") from None
    if message.account != account:
        raise Undecodable(f"account={message.account[:40]!r}: this worker trades {account!r}")
    return message
