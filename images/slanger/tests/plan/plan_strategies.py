"""Alerts and accounts for the property tests: what a person would send, and anything else that the schema takes."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st
from plan_cases import account, alert, order, position
from slanger.alert import SIZES

ROUTES = ["market", "notional", "limit", "stop_limit", "bracket", "trailing", "reverse", "aristocrats"]
SYMBOLS = ["AAPL", "BTC/USD", "PENY"]
PRICES = {"AAPL": Decimal(200), "BTC/USD": Decimal(50_000), "PENY": Decimal("0.8321")}
SHARES_ONLY = ("bracket", "trailing", "aristocrats")
CENT = Decimal("0.01")


def decimals(low, high, places=2):
    return st.decimals(min_value=low, max_value=high, places=places, allow_nan=False)


WILD_NUMBER = decimals("0.000001", 10**12, 6)
PERCENT = decimals("0.5", 5)
DISTANCE = st.one_of(PERCENT.map("{}%".format), decimals("0.02", "0.2").map("${}".format))


def wild_price(near):
    """Near the price or anywhere, a price or a distance."""
    number = st.one_of(decimals(near * Decimal("0.9"), near * Decimal("1.1"), 6), decimals("0.000001", 999_999, 6))
    return st.one_of(number.map("{:f}".format), decimals("0.01", 200).map("{}%".format), decimals("0.01", 200).map("${}".format))


def wild_field(near):
    """One order field with any value that the schema takes."""
    fields = {key: WILD_NUMBER if key in ("qty", "notional") else decimals("0.0001", 100, 4) for key in SIZES}
    fields |= {key: wild_price(near) for key in ("limit_price", "stop_price", "take_profit", "stop_loss", "stop_limit")}
    fields |= {key: decimals("0.0001", 100, 4) for key in ("wiggle", "trail_percent", "profit")}
    fields |= {
        "extended_hours": st.just(True),
        "sp": st.just(True),
        "only_flat": st.just(True),
        "time_in_force": st.sampled_from(["day", "gtc", "ioc", "fok", "opg", "cls"]),
    }
    return st.sampled_from(sorted(fields)).flatmap(lambda key: fields[key].map(lambda value: {key: value}))


SENSIBLE_SIZE = st.one_of(
    decimals("0.4", 12).map(lambda value: {"qty": value}),
    decimals(1, 2500).map(lambda value: {"notional": value}),
    st.tuples(st.sampled_from(["equity_percent", "risk"]), decimals("0.1", 3)).map(lambda one: {one[0]: one[1]}),
    st.sampled_from([{}, {"position_percent": Decimal(100)}, {"position_percent": Decimal(33)}]),
)


def sensible_fields(draw, route):
    """What a person would write for the route."""
    fields = dict(draw(SENSIBLE_SIZE))
    if route in ("notional", "aristocrats"):
        fields = {key: value for key, value in fields.items() if key not in ("qty", "position_percent")}
    if route == "stop_limit":
        fields |= {"stop_price": draw(DISTANCE), "wiggle": draw(PERCENT)}
    if route in ("limit", "bracket") and draw(st.booleans()):
        fields |= draw(st.one_of(PERCENT.map(lambda value: {"wiggle": value}), DISTANCE.map(lambda text: {"limit_price": text})))
    if route == "bracket":
        fields |= draw(st.fixed_dictionaries({}, optional={"take_profit": DISTANCE, "stop_loss": DISTANCE}))
        fields |= draw(st.sampled_from([{}, {"stop_limit": "9%"}]))
        if draw(st.integers(0, 3)) == 0:
            fields = {key: value for key, value in fields.items() if key not in SIZES} | {"risk_to_stop": draw(PERCENT)}
    if route == "trailing":
        fields |= draw(
            st.one_of(st.just({}), PERCENT.map(lambda value: {"trail_percent": value}), PERCENT.map(lambda value: {"trail_price": value}))
        )
    if route != "reverse" and draw(st.integers(0, 2)) == 0:
        fields |= {"sp": True, "side": draw(st.sampled_from(["buy", "sell"])), "profit": draw(PERCENT)}
    return fields


@st.composite
def alerts(draw):
    """Three of four are what a person would send; the rest have a field or a bar that is anything."""
    route = draw(st.sampled_from([*ROUTES, "bracket", "bracket", "trailing"]))
    symbol = draw(st.sampled_from(["AAPL", "PENY"] if route in SHARES_ONLY else SYMBOLS))
    near, wild = PRICES[symbol], draw(st.integers(0, 3)) == 0
    fields = sensible_fields(draw, route)
    if wild:
        extra = draw(wild_field(near))
        # An alert has one size and one distance to trail.
        others = {key for group in (SIZES, ("trail_percent", "trail_price")) if extra.keys() & set(group) for key in group}
        fields = {key: value for key, value in fields.items() if key not in others} | extra
    market = {
        "price": draw(decimals(near * Decimal("0.96"), near * Decimal("1.04"), 6)),
        "low": draw(decimals(near * Decimal("0.94"), near, 6)),
        "high": draw(decimals(near, near * Decimal("1.06"), 6)),
    }
    if wild:
        market[draw(st.sampled_from(["price", "low", "high"]))] = draw(st.one_of(st.none(), WILD_NUMBER))
    return alert(
        route,
        draw(st.sampled_from(["buy", "buy", "sell"])),
        symbol,
        order=fields,
        market={**market, "contracts": draw(WILD_NUMBER), "comment": draw(st.text(max_size=60))},
        key=draw(st.integers(0, 2**128 - 1).map("{:032x}".format)),
    )


@st.composite
def ordinary(draw):
    """Alerts of an ordinary day, of a size that the day's limits allow a few times."""
    route, action = (
        draw(st.sampled_from(["market", "notional", "limit", "trailing", "reverse"])),
        draw(st.sampled_from(["buy", "buy", "sell"])),
    )
    symbol = draw(st.sampled_from(["AAPL", "AAPL", "BTC/USD"])) if route != "trailing" else "AAPL"
    everything = action == "sell" and route in ("market", "limit") and draw(st.booleans())
    size = {"position_percent": 100} if everything else {"notional": draw(decimals(300, 2100, 0))}
    return alert(
        route, action, symbol, order=size, market={"price": PRICES[symbol]}, key=draw(st.integers(0, 2**128 - 1).map("{:032x}".format))
    )


@st.composite
def accounts(draw):
    positions, orders = [], []
    for symbol, price in PRICES.items():
        qty = draw(st.sampled_from([0, 0, 0, -12, 1, 10, 250]))
        if symbol == "BTC/USD":
            qty = max(qty, 0)
        if qty:
            known = position(qty, entry=price * draw(st.sampled_from([Decimal("0.8"), 1, Decimal("1.2")])))
            positions.append(replace(known, symbol=symbol, current_price=price, lastday_price=price))
        for _ in range(draw(st.integers(0, 2))):
            number, side, filled = draw(st.integers(1, 20)), draw(st.sampled_from(["buy", "sell"])), draw(st.booleans())
            orders.append(order(side, number, symbol, filled=number if filled else 0, price=price if filled else None))
    money = draw(st.sampled_from([100_000, 100_000, 100_000, 1000, 0, -500]))
    return account(
        *positions, orders=orders, cash=money, equity=max(money, 1), last_equity=max(money, 1), prices=PRICES, lastday_prices=PRICES
    )
