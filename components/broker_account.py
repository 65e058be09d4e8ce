"""What is wrong with a broker account's name, and with how it is said that it trades real money; the same for all components that use one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .webhook_args import WebhookMode

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def name_mistakes(key: str, value: str) -> Iterator[str]:
    """At most one sentence; also of other names that are written so."""
    if not NAME_PATTERN.fullmatch(value):
        yield f"{key}={value!r}: use 1 to 32 lower-case letters, digits and hyphens, not beginning with a hyphen"


def account_mistakes(args: Mapping[str, Any]) -> Iterator[str]:
    """Of account, mode and live_account."""
    yield from name_mistakes("account", args["account"])
    if (args.get("mode") == WebhookMode.LIVE) != (args.get("live_account") is not None):
        yield "mode and live_account: real money needs both, mode=live and live_account=<number of the account>; play money neither"
