"""What both roles are told: how to reach the queue, and where to listen."""

from collections.abc import Mapping
from dataclasses import dataclass

from botkit.settings import Reader, shown

from slanger.alert import NAME, NAME_FIX

PREFIX = "SLANGER_"
# The image sets these two for whichever role it runs.
IMAGE_NAMES = ("SLANGER_HOST", "SLANGER_PORT")
QUEUE_NAMES = ("SLANGER_ACCOUNT", "SLANGER_QUEUE_URL", "SLANGER_DEAD_LETTER_URL", "SLANGER_QUEUE_ENDPOINT")


def reader_of(environment: Mapping[str, str], names: tuple[str, ...]) -> Reader:
    """`names`: every SLANGER_* variable that the role knows."""
    return Reader(environment, PREFIX, (*names, *IMAGE_NAMES))


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Where the alerts of one broker account wait."""

    account: str
    url: str
    dead_letter_url: str
    endpoint: str | None
    """Of a local SQS-compatible server; None: AWS's own."""
    region: str


def read_queue(reader: Reader) -> QueueSettings:
    """What both roles and the commands share."""
    queue = "use the URL of a FIFO queue, such as https://sqs.us-east-1.amazonaws.com/123456789012/alerts.fifo"
    url = r"https?://[^\s/]+/\S+\.fifo"
    found = QueueSettings(
        account=reader.text("SLANGER_ACCOUNT", f"{NAME_FIX}; it is the broker account's", NAME.pattern),
        url=reader.text("SLANGER_QUEUE_URL", queue, url),
        dead_letter_url=reader.text("SLANGER_DEAD_LETTER_URL", queue, url),
        endpoint=_endpoint(reader),
        region=reader.text("AWS_REGION", "use the queue's region, such as us-east-1", r"[a-z]{2}(-[a-z]+)+-[0-9]+"),
    )
    if found.url and found.url == found.dead_letter_url:
        reader.mistake(f"SLANGER_DEAD_LETTER_URL={shown(found.url)}: use another queue than SLANGER_QUEUE_URL")
    return found


def read_address(reader: Reader) -> tuple[str, int]:
    """Where a role listens: host and port."""
    host = reader.text("SLANGER_HOST", "use an address of this machine, such as 127.0.0.1 or 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1")
    return host, reader.whole("SLANGER_PORT", 1, 65535, 8000)


def _endpoint(reader: Reader) -> str | None:
    name = "SLANGER_QUEUE_ENDPOINT"
    if not reader.given(name):
        return None
    return reader.text(name, "use the local queue's URL, such as http://queue:9324, or leave it out on AWS", r"https?://[^\s/]+/?")
