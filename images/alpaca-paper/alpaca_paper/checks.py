"""Whether this account may send an order now: money, shares, short sales, opposite orders. Raises Refusal, changes nothing."""

from decimal import Decimal

from . import ledger as books
from .conditions import World
from .decimals import CENT, ZERO, dollars, text
from .ledger import MULTIPLIER, Ledger
from .orders import Order
from .refusals import Refusal, forbidden, invalid
from .request import Request
from .rules import MIN_NOTIONAL

# The value of a short sale: https://docs.alpaca.markets/docs/orders-at-alpaca#buying-power
SHORT_SALE_RESERVE = Decimal("1.03")


def equity(ledger: Ledger, world: World) -> Decimal:
    """USD: cash and what the positions are worth."""
    return ledger.account.cash + sum((held.qty * world.price(held.symbol) for held in ledger.positions.values()), ZERO)


def initial_margin(ledger: Ledger, world: World) -> Decimal:
    """USD. Reg T: half of stocks, long or short; all of coins."""
    return sum(
        (abs(held.qty) * world.price(held.symbol) / (1 if "/" in held.symbol else MULTIPLIER) for held in ledger.positions.values()), ZERO
    )


def reserved(ledger: Ledger, world: World, but: str | None = None) -> Decimal:
    """USD that open opening orders have claimed. `but` is a group that doesn't count."""
    total = ZERO
    for order in books.open_orders(ledger):
        if books.group(order) == but or order.position_intent.endswith("close"):
            continue
        price = order.limit_price or order.stop_price or world.price(order.symbol)
        value = books.remaining(order, price) * price
        total += value * (SHORT_SALE_RESERVE if order.side == "sell" else 1)
    return total


def buying_power(ledger: Ledger, world: World, but: str | None = None) -> Decimal:
    """USD for stocks."""
    return max((equity(ledger, world) - initial_margin(ledger, world)) * MULTIPLIER - reserved(ledger, world, but), ZERO)


def crypto_buying_power(ledger: Ledger, world: World, but: str | None = None) -> Decimal:
    """USD for coins, which can't be bought on margin."""
    return max(min(ledger.account.cash, equity(ledger, world) - initial_margin(ledger, world)) - reserved(ledger, world, but), ZERO)


def check(ledger: Ledger, request: Request, world: World, replaced: Order | None = None) -> str:
    """The position intent of an order that this account may send. `replaced` is the order whose place it takes: its own claims
    don't count against it. Raises Refusal.
    """
    if ledger.account.suspend_trade:
        raise forbidden("new orders are rejected by user request")
    asset, price = request.asset, world.price(request.asset.symbol)
    if request.fractional and not asset.is_crypto and not ledger.account.fractional_trading:
        raise forbidden("account is not eligible to trade fractional orders")
    but = books.group(replaced) if replaced else None
    intent = infer_intent(ledger, request)
    if request.position_intent not in (None, intent):
        raise invalid(f"position intent mismatch, inferred: {intent}, specified: {request.position_intent}")
    base = request.limit_price or request.stop_price or price
    qty = request.qty if request.qty is not None else request.notional / price
    cost = request.notional if request.notional is not None else request.qty * base
    if not replaced:
        _wash_trade(ledger, request, world)
    if intent.endswith("close"):
        if request.order_class in ("bracket", "oto"):
            raise invalid(f"{request.order_class} orders must be entry orders")
        _closing(ledger, request, qty, price, but, replaced)
    else:
        if request.order_class == "oco":
            raise invalid("oco orders must be exit orders")
        _opening(ledger, request, cost, price, world, but)
    _exits(request, price)
    return intent


def infer_intent(ledger: Ledger, request: Request) -> str:
    """What an order does to the position that is there. Coins can't be sold short: selling them always closes."""
    held = books.position_qty(ledger, request.asset.symbol)
    if request.side == "sell":
        return "sell_to_close" if held > 0 or request.asset.is_crypto else "sell_to_open"
    return "buy_to_close" if held < 0 else "buy_to_open"


def _closing(ledger: Ledger, request: Request, qty: Decimal, price: Decimal, but: str | None, replaced: Order | None) -> None:
    symbol = request.asset.symbol
    existing = abs(books.position_qty(ledger, symbol))
    # What a replaced order has filled already is part of its quantity.
    wanted = qty - (replaced.filled_qty if replaced else 0)
    free = books.available(ledger, symbol, price, but)
    if wanted <= free:
        return
    if request.asset.is_crypto:
        coin = symbol.split("/")[0]
        raise forbidden(
            f"insufficient balance for {coin} (requested: {text(wanted)}, available: {text(free)})",
            available=text(free),
            balance=text(existing),
            symbol=coin,
        )
    held, ids = books.held_for_orders(ledger, symbol, request.side, price, but)
    raise forbidden(
        f"insufficient qty available for order (requested: {text(wanted)}, available: {text(free)})",
        available=text(free),
        existing_qty=text(existing),
        held_for_orders=text(held),
        related_orders=ids,
        symbol=symbol,
    )


def _opening(ledger: Ledger, request: Request, cost: Decimal, price: Decimal, world: World, but: str | None) -> None:
    asset = request.asset
    smallest = MIN_NOTIONAL[asset.asset_class]
    if cost < smallest and (asset.is_crypto or request.fractional):
        raise forbidden(f"cost basis must be >= minimal amount of order {smallest}")
    if request.side == "sell":
        if request.fractional:
            raise invalid("fractional orders cannot be sold short")
        if not asset.shortable:
            raise invalid(f'asset "{asset.symbol}" cannot be sold short')
        if ledger.account.no_shorting:
            raise forbidden("account is not allowed to short")
        cost = max(request.limit_price or ZERO, price * SHORT_SALE_RESERVE) * request.qty
    opposite = [
        order for order in books.open_orders(ledger, asset.symbol) if order.side != request.side and order.position_intent.endswith("open")
    ]
    if not books.position_qty(ledger, asset.symbol) and any(books.group(order) != but for order in opposite):
        pair = "short sell while a long buy" if request.side == "sell" else "long buy while a short sell"
        raise forbidden(f"cannot open a {pair} order is open")
    if asset.is_crypto:
        free = crypto_buying_power(ledger, world, but)
        if cost > free:
            cash = dollars(ledger.account.cash)
            message = f"insufficient balance for USD (requested: {text(cost)}, available: {dollars(free)})"
            raise forbidden(message, available=dollars(free), balance=cash, symbol="USD")
        return
    free = buying_power(ledger, world, but)
    if cost > free:
        raise forbidden("insufficient buying power", buying_power=dollars(free), cost_basis=text(cost))


def _wash_trade(ledger: Ledger, request: Request, world: World) -> None:
    """https://docs.alpaca.markets/docs/user-protection: an order that could meet an open one of this account is refused, unless
    it is a complex order.
    """
    if world.wash_trades == "allow" or request.order_class != "simple":
        return
    for order in books.open_orders(ledger, request.asset.symbol):
        if order.side == request.side or not order.active:
            continue
        if request.type == order.type == "limit":
            buy, sell = (request, order) if request.side == "buy" else (order, request)
            if buy.limit_price < sell.limit_price:
                continue
        raise forbidden(
            "potential wash trade detected. use complex orders",
            existing_order_id=order.id,
            reject_reason=f"opposite side {order.type.replace('_', ' ')} order exists",
        )


def _exits(request: Request, price: Decimal) -> None:
    """Exit prices lie on the right side of the entry's: at least a cent away."""
    if request.order_class == "simple":
        return
    loss = request.stop_loss.stop_price if request.stop_loss else None
    if request.order_class == "oco":
        # The exit of a position that is there: its two prices are compared with each other, and the stop with the last price.
        base, profit, long = price, None, request.side == "sell"
        if (request.limit_price <= loss) if long else (request.limit_price >= loss):
            raise invalid(f"take_profit.limit_price must be {'>' if long else '<'} stop_loss.stop_price")
    else:
        base, long = request.limit_price or price, request.side == "buy"
        profit = request.take_profit.limit_price if request.take_profit else None
    for name, value, above in (("take_profit.limit_price", profit, long), ("stop_loss.stop_price", loss, not long)):
        if value is None:
            continue
        if above and value < base + CENT:
            raise _beside(name, ">= base_price + 0.01", base)
        if not above and value > base - CENT:
            raise _beside(name, "<= base_price - 0.01", base)


def _beside(name: str, where: str, base: Decimal) -> Refusal:
    return invalid(f"{name} must be {where}", base_price=text(base))
