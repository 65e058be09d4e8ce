"""How much: from an alert's size to a quantity or dollars, always rounded down."""

from decimal import Decimal

from slanger.alert import SIZES, Route
from slanger.execute.case import EXACT, FINEST, Case, Refused, figure, floor_to, percent_of

CENT = Decimal("0.01")
MIN_NOTIONAL = Decimal(1)  # Alpaca's smallest order in dollars.
# Routes whose order says dollars and leaves the quantity to the broker.
DOLLAR_ROUTES = (Route.NOTIONAL, Route.ARISTOCRATS)
DOLLAR_SIZES = ("notional", "equity_percent", "risk")


def size_of(case: Case) -> tuple[str, Decimal]:
    """The one size that applies: the alert's, or the server's default. TradingView's `contracts` is none: nobody signed it."""
    for key in SIZES:
        value = getattr(case.order, key)
        if value is not None:
            return key, value
    key = "notional" if case.route in DOLLAR_ROUTES else "risk"
    value = getattr(case.defaults, key)
    if value is None:
        raise Refused(f"{key} is missing: give the alert's order a size ({', '.join(SIZES)}), or set {key} in SLANGER_DEFAULTS")
    return key, value


def dollars(case: Case) -> Decimal:
    """USD of an order that says dollars, in cents."""
    key, value = size_of(case)
    if key not in DOLLAR_SIZES:
        raise Refused(f"{key}={figure(value)}: route {case.route.value} takes {', '.join(DOLLAR_SIZES)}; use route market for {key}")
    if not case.asset.fractionable:
        raise Refused(f"{case.symbol} is not traded in fractions, so not in dollars: use route market, which rounds down to whole shares")
    amount = floor_to(max(_dollars(case, key, value), Decimal(0)), CENT)
    if amount < MIN_NOTIONAL:
        raise Refused(f"{key}={figure(value)} comes to {amount} USD: the broker's smallest order is {MIN_NOTIONAL} USD; give a larger size")
    return amount


def quantity(case: Case, *, reference: Decimal, whole: bool, loss: Decimal | None = None, position: Decimal | None = None) -> Decimal:
    """Shares or coins of an order.

    reference: price that dollars are divided by. whole: no fractions of a share. loss: USD a share from entry to stop-loss, for risk_to_stop.
    position: what position_percent counts from, if not the open position.
    """
    key, value = size_of(case)
    if key == "qty":
        asked = value
    elif key == "position_percent":
        held = abs(case.position if position is None else position)
        if not held:
            raise Refused(f"position_percent={figure(value)}: there is no position in {case.symbol}; give another size")
        asked = percent_of(held, value)
    elif key == "risk_to_stop":
        if loss is None:
            raise Refused(f"risk_to_stop={figure(value)}: this order has no stop-loss to measure from; use route bracket with stop_loss")
        asked = EXACT.divide(percent_of(case.account.equity, value), loss)
    else:
        asked = EXACT.divide(_dollars(case, key, value), reference)
    step = smallest_step(case, whole)
    qty = floor_to(max(asked, Decimal(0)), step)
    smallest = max(step, case.asset.min_order_size or step) if case.asset.crypto else step
    if qty < smallest:
        raise Refused(
            f"{key}={figure(value)} comes to {figure(asked)} of {case.symbol} at {figure(reference)} USD: the smallest order is {figure(smallest)}; "
            + ("give a larger size" if case.asset.crypto or not whole else "give a larger size, or route notional for a part of a share")
        )
    return qty


def smallest_step(case: Case, whole: bool) -> Decimal:
    """What a quantity must be a multiple of."""
    if not case.asset.crypto:
        return Decimal(1) if whole else FINEST
    if not case.asset.min_trade_increment:
        raise Refused(f"the broker tells no min_trade_increment of {case.symbol}: its quantity can't be rounded; try again later")
    return case.asset.min_trade_increment


def _dollars(case: Case, key: str, value: Decimal) -> Decimal:
    if key == "notional":
        return value
    return percent_of({"equity_percent": case.account.equity, "risk": case.account.cash}[key], value)
