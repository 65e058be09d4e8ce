"""Whatever a payload says: never over a limit, never more than asked, prices on the right side and on the grid, nothing ordered again."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_cases import BTC, account, as_numbers, decide, limits, official, order, position
from plan_strategies import CENT, PRICES, accounts, alerts, ordinary
from slanger.execute.case import FINEST, floor_to
from slanger.execute.order_ids import client_order_id
from slanger.execute.prices import price_at
from slanger.execute.steps import Pass, Refusal, Trade


def plan_of(one, held, within):
    """plan() with the grids that belong to the symbol."""
    grid = {"fractionable": one.symbol != "PENY" or one.route in ("notional", "aristocrats")} if "/" not in one.symbol else {}
    return decide(one, held, price=PRICES[one.symbol], within=within, aristocrats=frozenset(PRICES), **grid)


def worth_of(step, price):
    sent = step.order
    if "notional" in sent:
        return Decimal(sent["notional"])
    return Decimal(sent["qty"]) * max(price, Decimal(sent.get("limit_price", 0)))


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
        waiting = sum(
            known.qty for known in self.account.orders.values() if known.open and (known.symbol, known.side) == (one.symbol, sent["side"])
        )
        assert before * after >= 0, f"{before} crossed to {after}"
        assert abs(after) > abs(before) or waiting <= abs(after), f"{waiting} of {before} are held by open orders"
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


TIGHT = {"order_notional": 2000, "position_notional": 2500, "notional_per_day": 4000, "orders_per_day": 5, "loss_per_day": 500}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(ordinary(), ordinary(), alerts()), min_size=4, max_size=12), st.booleans())
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
    known, up = data.draw(st.integers(1, len(roles))), 1 if one.action.value == "buy" else -1
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
            if new.role == "trail":
                assert Decimal(new.order["qty"]) <= min(done["enter"].filled_qty, second.positions[one.symbol].qty * up)
    elif isinstance(again, Pass) and roles[known:] == ["trail"]:
        assert one.symbol not in second.positions or second.positions[one.symbol].qty * up <= 0
    else:
        assert roles[known:] == [] or isinstance(again, Refusal)
