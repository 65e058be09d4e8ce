"""client_order_id: derived from the alert alone, so that a second try has the same ids; and back, from an order to its alert.

`<comment>-<interval>-<name>-<key>-<role>`. Within a part there is no `-`, so that the last three parts can be told whatever the comment says.
"""

import re

from slanger.execute.state import Order
from slanger.message import StoredAlert

MAX_LENGTH = 128  # Alpaca's own limit.
MAX_COMMENT = 40
MAX_INTERVAL = 10
ROLES = ("close", "enter", "trail")


def _part(text: str, length: int) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_")[:length]


def alert_tag(name: str) -> str:
    """The part of an id that says which alert it is of. Two alerts have two: their names have no `_`."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", name)


def client_order_id(alert: StoredAlert, role: str) -> str:
    """`Long_entry-5-my_alert-<32 hex digits>-enter`; at most 128 characters."""
    if role not in ROLES:
        raise ValueError(f"role={role!r}: use {', '.join(ROLES)}")
    words = (_part(alert.market.comment or "", MAX_COMMENT), _part(alert.market.interval or "", MAX_INTERVAL))
    return "-".join([*filter(None, words), alert_tag(alert.name), alert.key, role])


def belongs_to(order: Order, name: str) -> bool:
    """Whether an order is one of the alert's own (a bracket's exit legs have ids of the broker's)."""
    parts = order.client_order_id.split("-")
    return len(parts) >= 3 and parts[-1] in ROLES and parts[-3] == alert_tag(name)
