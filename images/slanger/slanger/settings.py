"""Reads settings from the environment and tells every mistake at once; with what both roles need to reach the queue."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slanger.alert import NAME, NAME_FIX

PREFIX = "SLANGER_"
# sysexits.h: nothing but other settings will help.
EXIT_CONFIG = 78
# The image sets these two for whichever role it runs.
IMAGE_NAMES = ("SLANGER_HOST", "SLANGER_PORT")
QUEUE_NAMES = ("SLANGER_ACCOUNT", "SLANGER_QUEUE_URL", "SLANGER_DEAD_LETTER_URL", "SLANGER_QUEUE_ENDPOINT")


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value unless it is secret, and the fix."""


class Reader:
    """Variables of one role. A bad one gives a placeholder, so that all mistakes are found before `finish` raises."""

    def __init__(self, environment: Mapping[str, str], names: tuple[str, ...]) -> None:
        """`names`: every SLANGER_* variable that the role knows; any other one is a mistake."""
        self._environment = environment
        known = sorted({*names, *IMAGE_NAMES})
        self._mistakes = [
            f"{name} is not a setting: use {', '.join(known)}"
            for name in sorted(environment)
            if name.startswith(PREFIX) and name not in known
        ]

    def mistake(self, sentence: str) -> None:
        """A mistake that the caller found: it names the variable, the value and the fix."""
        self._mistakes.append(sentence)

    def given(self, name: str) -> bool:
        return name in self._environment

    def text(self, name: str, fix: str, pattern: str = r".+", default: str | None = None) -> str:
        """Text that matches `pattern` as a whole. `fix` says what to use, such as `use a URL`; without a default it must be given."""
        value = self._environment.get(name, default)
        if value is None:
            self.mistake(f"{name} is not set: {fix}")
        elif not re.fullmatch(pattern, value, re.DOTALL):
            self.mistake(f"{name}={_shown(value)}: {fix}")
        else:
            return value
        return ""

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`."""
        text = self.text(name, f"use a whole number from {low} to {high}", r"-?[0-9]{1,15}", str(default))
        if text and not low <= int(text) <= high:
            self.mistake(f"{name}={text}: use a whole number from {low} to {high}")
        return int(text or default)

    def items(self, name: str, default: str = "") -> tuple[str, ...]:
        """A comma-separated list; spaces around an item don't count, and empty text is an empty list."""
        value = self._environment.get(name, default)
        return tuple(item.strip() for item in value.split(",")) if value.strip() else ()

    def secret(self, name: str, fix: str, pattern: str = r"\S+", optional: bool = False) -> str:
        """A secret: no message shows it. "" if it is optional and not set."""
        value = self._environment.get(name)
        if value is None:
            if not optional:
                self.mistake(f"{name} is not set: {fix}")
        elif not re.fullmatch(pattern, value):
            self.mistake(f"{name} (secret, {len(value)} characters): {fix}")
        else:
            return value
        return ""

    def finish(self) -> None:
        """Raises BadSettings if there was any mistake."""
        if self._mistakes:
            raise BadSettings("; ".join(self._mistakes))


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
        reader.mistake(f"SLANGER_DEAD_LETTER_URL={_shown(found.url)}: use another queue than SLANGER_QUEUE_URL")
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


def _shown(value: str) -> str:
    return repr(value if len(value) <= 100 else value[:100] + "…")
