"""Whatever a payload says: never over a limit, never more than asked, prices on the right side and on the grid, nothing ordered again."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_cases import BTC, account, alert, as_numbers, decide, limits, official, order, position
from slanger.alert import SIZES
from slanger.execute.case import FINEST, floor_to
from slanger.execute.order_ids import client_order_id
from slanger.execute.prices import price_at
from slanger.execute.steps import Pass, Refusal, Trade

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
    if route != "reverse" and draw(st.integers(0, 4)) == 0:
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


def plan_of(one, held, within):
    """plan() with the grids that belong to the symbol."""
    grid = {"fractionable": one.symbol != "PENY" or one.route in ("notional", "aristocrats")} if "/" not in one.symbol else {}
    return decide(one, held, price=PRICES[one.symbol], within=within, aristocrats=frozenset(PRICES), **grid)


def worth_of(step, price):
    sent = step.order
    if "notional" in sent:
        return Decimal(sent["notional"])
    return Decimal(sent["qty"]) * max(price, Decimal(sent.get("limit_price", 0)))


TIGHT = {"order_notional": 2000, "position_notional": 5000, "notional_per_day": 6000, "orders_per_day": 6, "loss_per_day": 500}


class Books:
    """A broker that fills every order at once at the last trade, and counts by itself what was opened."""

    def __init__(self):
        self.account = account(prices=PRICES, lastday_prices=PRICES)
        self.opened = Decimal(0)

    def place(self, one, step):
        """Returns whether it opened, and the worth of the position then."""
        sent, price = step.order, PRICES[one.symbol]
        if step.role == "trail":
            qty = abs(self.account.positions[one.symbol].qty)
            self._keep(order(sent["side"], qty, one.symbol, type="trailing_stop", ago=0, client_order_id=client_order_id(one, step.role)))
            return False, Decimal(0)
        if step.cancels_open_orders:
            gone = {
                id: replace(known, status="canceled")
                for id, known in self.account.orders.items()
                if known.open and known.symbol == one.symbol
            }
            self.account.orders.update(gone)
        before = self.account.positions[one.symbol].qty if one.symbol in self.account.positions else Decimal(0)
        # Like the broker: shares and coins have nine decimals.
        qty = Decimal(sent["qty"]) if "qty" in sent else floor_to(Decimal(sent["notional"]) / price, FINEST)
        after = before + (qty if sent["side"] == "buy" else -qty)
        assert before * after >= 0, f"{before} crossed to {after}"
        self._keep(order(sent["side"], qty, one.symbol, filled=qty, price=price, ago=0, client_order_id=client_order_id(one, step.role)))
        self.account.positions.pop(one.symbol, None)
        if after:
            known = position(1, entry=price)
            self.account.positions[one.symbol] = replace(known, symbol=one.symbol, qty=after, current_price=price, lastday_price=price)
        opened = abs(after) > abs(before)
        self.opened += qty * price if opened else 0
        return opened, abs(after) * price

    def _keep(self, known):
        self.account.orders[known.id] = known


TIGHT = {"order_notional": 2000, "position_notional": 5000, "notional_per_day": 6000, "orders_per_day": 6, "loss_per_day": 500}


@settings(max_examples=200, deadline=None)
@given(st.lists(alerts(), min_size=1, max_size=12), st.booleans())
def test_a_day_of_alerts_stays_within_every_limit(day, allow_short):
    within = limits(account=TIGHT, allow_short=allow_short)
    books = Books()
    for one in day:
        decision = plan_of(one, books.account, within)
        if not isinstance(decision, Trade):
            assert decision.reason
            continue
        some_opened = False
        for step in decision.steps:
            opened, worth = books.place(one, step)
            assert step.notional == (worth_of(step, PRICES[one.symbol]) if opened else 0)
            assert not opened or (step.notional <= TIGHT["order_notional"] and worth <= TIGHT["position_notional"] + CENT)
            some_opened = some_opened or opened
        assert not some_opened or len(books.account.orders) <= TIGHT["orders_per_day"]
        assert allow_short or all(known.qty >= 0 for known in books.account.positions.values())
    # A cent for quotients without an end.
    assert books.opened <= TIGHT["notional_per_day"] + CENT


@settings(max_examples=400, deadline=None)
@given(alerts(), accounts())
def test_an_order_is_what_was_asked_or_less_on_the_grid_and_on_its_side(one, held):
    decision = plan_of(one, held, limits())
    if isinstance(decision, (Pass, Refusal)):
        assert 10 < len(decision.reason) < 600
        return
    price, roles = PRICES[one.symbol], [step.role for step in decision.steps]
    assert len(set(roles)) == len(roles)
    for step in decision.steps:
        sent = step.order
        complete = {"qty": "1", **sent} if step.role == "trail" else sent
        complete = complete | {"client_order_id": client_order_id(one, step.role)}
        assert as_numbers(official(complete)) == as_numbers(complete)
        assert len(complete["client_order_id"]) <= 128
        for text in _numbers(sent):
            assert "e" not in text.lower() and Decimal(text) > 0
        for key in ("limit_price", "stop_price", "trail_price"):
            if key in sent:
                _check_grid(Decimal(sent[key]), one.symbol)
        if step.role == "enter":
            assert sent["side"] == one.action.value
            _check_size(one, held, sent, price)
            _check_legs(one, sent, price)
        if step.role == "trail":
            assert sent["side"] != one.action.value
        if step.role == "close":
            known = held.positions[one.symbol].qty
            assert sent["side"] == ("sell" if known > 0 else "buy") and Decimal(sent["qty"]) <= abs(known)


def _numbers(sent):
    for key, value in sent.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif key in ("qty", "notional") or key.endswith(("_price", "_percent")):
            yield value


def _check_grid(value, symbol):
    step = BTC.price_increment if "/" in symbol else Decimal("0.01") if value >= 1 else Decimal("0.0001")
    assert value % step == 0, value


def _check_size(one, held, sent, price):
    reference = max(price, Decimal(sent.get("limit_price", 0)))
    if "qty" in sent:
        step = BTC.min_trade_increment if "/" in one.symbol else Decimal("0.000000001")
        assert Decimal(sent["qty"]) % step == 0
        if sent["time_in_force"] != "day" and "/" not in one.symbol:
            assert Decimal(sent["qty"]) % 1 == 0
    worth = Decimal(sent["notional"]) if "notional" in sent else Decimal(sent["qty"]) * reference
    fields = one.order
    if fields.qty is not None:
        assert Decimal(sent["qty"]) <= fields.qty
    if fields.position_percent is not None:
        assert Decimal(sent["qty"]) <= abs(held.positions[one.symbol].qty) * fields.position_percent / 100
    for percent, of in ((fields.risk, held.cash), (fields.equity_percent, held.equity)):
        if percent is not None:
            assert worth <= of * percent / 100
    if fields.notional is not None:
        assert worth <= fields.notional
    if fields.risk_to_stop is not None:
        base = Decimal(sent.get("limit_price", price))
        lost = abs(base - Decimal(sent["stop_loss"]["stop_price"])) * Decimal(sent["qty"])
        assert lost <= held.equity * fields.risk_to_stop / 100


def _check_legs(one, sent, price):
    if "order_class" not in sent:
        return
    up = 1 if sent["side"] == "buy" else -1
    base = Decimal(sent.get("limit_price", price))
    low = one.market.low if up > 0 else one.market.high
    if "take_profit" in sent:
        target = Decimal(sent["take_profit"]["limit_price"])
        asked = price_at(one.order.take_profit or "1%", base, up)
        assert (target - base) * up >= Decimal("0.01") and (target - asked) * up >= 0
        _check_grid(target, one.symbol)
    if "stop_loss" in sent:
        stop = Decimal(sent["stop_loss"]["stop_price"])
        asked = price_at(one.order.stop_loss or "1%", low or base, -up)
        assert (base - stop) * up >= Decimal("0.01") and (stop - asked) * up >= 0
        _check_grid(stop, one.symbol)
        if "limit_price" in sent["stop_loss"]:
            worst = Decimal(sent["stop_loss"]["limit_price"])
            assert (stop - worst) * up >= 0 and (worst - price_at(one.order.stop_limit, low or base, -up)) * up >= 0
            _check_grid(worst, one.symbol)


@settings(max_examples=200, deadline=None)
@given(alerts(), accounts(), accounts(), st.data())
def test_a_second_try_orders_only_what_is_missing(one, first, second, data):
    decision = plan_of(one, first, limits())
    if not isinstance(decision, Trade):
        return
    roles = [step.role for step in decision.steps]
    known = data.draw(st.integers(1, len(roles)))
    done = {}
    for step in decision.steps[:known]:
        qty = Decimal(step.order.get("qty", 1))
        done[step.role] = order(step.order["side"], qty, one.symbol, filled=qty, price=PRICES[one.symbol])
    again = decide(one, second, price=PRICES[one.symbol], within=limits(), done=done, aristocrats=frozenset(PRICES))
    if isinstance(again, Trade):
        assert Counter(step.role for step in again.steps) == Counter(roles[known:])
        assert all(step.role not in done for step in again.steps)
        for old, new in zip(decision.steps[known:], again.steps, strict=True):
            assert (old.order["side"], old.order["type"]) == (new.order["side"], new.order["type"])
    else:
        assert roles[known:] == [] or isinstance(again, Refusal)
