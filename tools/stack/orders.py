"""`make orders`: the orders of a strategy service, or of an alert, at the local stack's paper broker, the newest last."""

import argparse
from typing import Any

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from slanger.execute.order_ids import ROLES, alert_tag

from tools.stack.alert import described
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.market import ask, at, broker_of

# The most that Alpaca answers at once; older ones are not shown.
MOST = 500


def owner_of(client_order_id: str) -> str:
    """Whose order it is: the alert's name as ids have it; "" for one that is not the webhook's."""
    parts = client_order_id.split("-")
    return parts[-3] if len(parts) >= 3 and parts[-1] in ROLES else ""


def lines_of(orders: list[dict[str, Any]], name: str) -> list[str]:
    """The orders, legs below, each with New York's time; `name`: "" for everybody's."""
    return [
        f"{at(order['submitted_at']):%Y-%m-%d %H:%M} {owner_of(order['client_order_id']) or '-'}: " + "\n  ".join(described(order))
        for order in orders
        if not name or owner_of(order["client_order_id"]) == alert_tag(name)
    ]


def command() -> None:
    parser = argparse.ArgumentParser(prog="make orders", description=__doc__)
    parser.add_argument("--name", default="")
    name = parser.parse_args().name
    url, headers = broker_of(outputs(LOCAL))
    found = ask(url, headers, f"/v2/orders?status=all&nested=true&limit={MOST}&direction=desc")
    lines = lines_of(found[::-1], name)
    if not lines:
        raise StackError(f"no order{f' of {name!r}' if name else ''} yet: `make logs BOT={name or 'webhook-worker'}` says what it does")
    print("\n".join(lines))


if __name__ == "__main__":
    main(command)
