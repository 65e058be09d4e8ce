"""client_order_id of a closing order: `beancleaner-<day>-<key>-<attempt>`, derived from what it closes alone.

The broker takes an id once. Whoever closes a position on a day, however often it was killed and whoever else does the same, asks for the same
attempt under the same id, so that it becomes one order.
"""

import re
from collections.abc import Iterable
from datetime import date

from beancleaner.state import Order

PREFIX = "beancleaner-"
ID = re.compile(r"beancleaner-([0-9]{8})-(.+)-([0-9]{1,6})")


def client_order_id(day: date, key: str, attempt: int) -> str:
    return f"{PREFIX}{day:%Y%m%d}-{key}-{attempt}"


def is_own(order: Order) -> bool:
    return order.client_order_id.startswith(PREFIX)


def attempts(orders: Iterable[Order], day: date, key: str) -> dict[int, Order]:
    """Attempt -> order, of one position on one day."""
    found = ((ID.fullmatch(order.client_order_id), order) for order in orders)
    return {int(match[3]): order for match, order in found if match and match[1] == f"{day:%Y%m%d}" and match[2] == key}
