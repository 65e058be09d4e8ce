"""Only from flat (`only_flat`): an alert whose symbol has a position or an open order does nothing.

A second entry on top of a resting exit would be refused by the broker anyway ("potential wash trade detected"), and become a dead letter.
"""

from slanger.execute.case import Case, Refused, figure


def open_already(case: Case) -> str:
    """What is open in the symbol, or empty text. Orders on their way to the broker count."""
    if case.order.sp:
        raise Refused("only_flat=true: smash or pass (sp) decides by the open position itself; give one of them")
    if case.position:
        return f"only_flat: the position in {case.symbol} is {figure(case.position)}"
    for order in case.account.orders.values():
        if order.symbol == case.symbol and order.open:
            return f"only_flat: a {order.side} order ({order.type}) in {case.symbol} is open: {order.client_order_id}"
    return ""
