"""Alerts made from options: whatever is chosen and whatever TradingView fills in, the text is a valid signed alert."""

import json
import shlex
from decimal import Decimal

import pytest
from botkit.signing import alert_is_signed
from hypothesis import given, settings
from hypothesis import strategies as st
from slanger.accept.body import MOST_BYTES
from slanger.accept.routes import check_route
from slanger.alert import Alert, Limits, Market, OrderFields, Route
from slanger.execute.time_in_force import COINS, SHARES
from slanger.generator.alerts import new_alert
from slanger.generator.fields import BY_KEY
from slanger.generator.options import NUMBER, BadOptions
from slanger.generator.placeholders import LEFT_OUT, PLACEHOLDER, fill, plausible_values, sample
from slanger.generator.routes import RULES, SMASH_OR_PASS

KEY = "k" * 40
NOW = 1_795_500_000.0  # 2026-11-24
BASE = {"name": "macd-5m", "route": "market", "account": "paper", "url": "https://hooks.example.com", "notional": "100"}
BRACKET = {**BASE, "route": "bracket", "take_profit": "1%", "stop_loss": "1%"}

numbers = st.decimals("0.000001", "90", places=6).map(str)
distances = st.one_of(numbers, numbers.map("{}%".format), numbers.map("${}".format))
shares = st.sampled_from(["AAPL", "NASDAQ:MSFT", "BRK.B", " tsla "])
pairs = st.sampled_from(["BTCUSD", "COINBASE:ETHUSD", "BTC/USDT"])


def values_of(key: str) -> st.SearchStrategy[str]:
    field = BY_KEY[key]
    if field.choices:
        return st.sampled_from(field.choices)
    kinds = {"price": distances, "flag": st.just("true"), "count": st.integers(1, 100_000).map(str)}
    return kinds.get(field.unit, numbers)


@st.composite
def valid_options(draw) -> dict[str, str]:
    """Options that any person could choose for a route."""
    route = draw(st.sampled_from(Route))
    rules = RULES[route]
    options = {
        "name": draw(st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z")),
        "account": draw(st.sampled_from(["paper", "a"])),
        "route": route.value,
        "url": draw(
            st.sampled_from(["https://x.example.com", "https://x.example.com/prod/", "http://127.0.0.1:8001", "http://[::1]:8000"])
        ),
        "action": draw(st.sampled_from(["strategy", "buy"] if route is Route.ARISTOCRATS else ["strategy", "buy", "sell", ""])),
        "expires": draw(st.sampled_from(["", "1d", "90d", "2027-02-01", "2027-02-01T12:30:00+02:00"])),
    }
    limits = draw(st.sets(st.sampled_from(list(Limits.model_fields))))
    of_strategy = "qty" in rules.sizes and options["action"] in ("strategy", "") and draw(st.booleans())
    size = draw(st.sampled_from(rules.sizes))
    if of_strategy:
        options["size"] = "strategy"
        limits |= {"order_notional"}
    elif draw(st.booleans()):
        options["size"] = "server"
    else:
        options[size] = draw(numbers)
    chosen = [draw(st.sampled_from(group)) for group in rules.needs]
    smash = set(SMASH_OR_PASS) <= set(rules.fields) and draw(st.booleans())
    chosen += SMASH_OR_PASS if smash else []
    needed = [key for group in rules.needs for key in group]
    for key in (key for key in rules.fields if key not in (*rules.sizes, *needed, *SMASH_OR_PASS)):
        if key == "only_flat" and smash:
            continue
        if draw(st.booleans()) and not {key, *chosen} >= {"limit_price", "wiggle"}:
            chosen.append(key)
    options |= {key: draw(values_of(key)) for key in (*chosen, *limits)}
    crypto = route in COINS and draw(st.booleans())
    options["symbols"] = ",".join(draw(st.lists(pairs if crypto else shares, min_size=int(crypto), max_size=4)))
    if "time_in_force" in options:
        allowed = (COINS if crypto else SHARES)[route]
        options["time_in_force"] = draw(st.sampled_from(["day"] if "extended_hours" in options else allowed))
        if crypto and "extended_hours" in options:
            del options["time_in_force"]
    if smash and route is Route.ARISTOCRATS:
        options["side"] = "buy"
    for key in ("take_profit", "stop_loss", "trail_percent"):
        if key in options and "risk_to_stop" not in options and draw(st.booleans()):
            options[key] = "server"
    return options


def as_typed(value: object) -> object:
    """The same for a number and its text."""
    return Decimal(value) if isinstance(value, str) and NUMBER.fullmatch(value) else str(value).lower()


odd_numbers = st.sampled_from(["187.50", "0", "-3", "NaN", "", "1e-07", "123456789.123456789", "∅", "n/a", "{{not.known}}"])
odd_texts = st.sampled_from(["", "NASDAQ_DL", "BATS", "1D", "flat", "long", "Börse", "5"])


@st.composite
def filled_in(draw) -> dict[str, str]:
    ticker = draw(st.sampled_from(["AAPL", "BRK.B", "BTCUSD", "ETHUSDT"]))
    values = plausible_values(NOW, ticker, draw(st.sampled_from(["buy", "sell"])), draw(odd_numbers), draw(odd_numbers))
    texts = ("exchange", "interval", "strategy.market_position", "strategy.prev_market_position")
    return values | {name: draw(odd_texts) for name in texts} | {"strategy.position_size": draw(odd_numbers)}


@settings(max_examples=400, deadline=None)
@given(valid_options(), filled_in())
def test_whatever_is_chosen_and_filled_in_is_a_valid_signed_alert(options, values):
    made = new_alert(options, KEY, NOW)
    assert made["url"].endswith(f"/{options['route']}") and "//" not in made["url"].partition("://")[2]
    body = json.loads(fill(made["text"], values))
    alert = Alert.model_validate(body)
    assert alert_is_signed([KEY], body["alert"], alert.signature)
    assert not alert_is_signed(["x" * 40], body["alert"], alert.signature)
    assert alert.alert.route.value == options["route"] and alert.alert.expires > NOW
    order = alert.alert.order.model_dump(mode="json", exclude_none=True)
    typed = {key: value for key, value in options.items() if key in OrderFields.model_fields and value != "server"}
    assert {key: as_typed(value) for key, value in order.items()} == {key: as_typed(value) for key, value in typed.items()}
    for key in Limits.model_fields:
        assert (getattr(alert.alert.limits, key) is not None) == (key in options)


@settings(max_examples=100, deadline=None)
@given(valid_options())
def test_the_curl_line_sends_a_body_that_every_part_of_the_schema_takes(options):
    made = new_alert({**options, "test_price": "187.50"}, KEY, NOW)
    words = shlex.split(made["curl"])
    body = json.loads(words[words.index("--data") + 1])
    alert = Alert.model_validate(body)
    assert words[-1] == made["url"] and alert.time == NOW
    assert alert_is_signed([KEY], body["alert"], alert.signature)
    assert alert.alert.symbols is None or alert.ticker in alert.alert.symbols
    check_route(alert.alert.route, alert.ticker, alert.action, alert.alert.order)
    market = Market.model_validate({key: value for key, value in body.items() if key in Market.model_fields})
    assert str(market.price) == "187.50" and market.interval == "5"


def test_a_number_that_a_float_could_not_hold_is_signed_as_it_was_typed():
    made = new_alert({**BASE, "notional": "", "qty": "123456789012.123456789"}, KEY, NOW)
    assert made["fixed"]["order"] == {"qty": "123456789012.123456789"}


def test_signs_of_units_are_taken():
    order = new_alert({**BRACKET, "notional": "$1000", "profit": "3 %", "sp": "true", "side": "buy"}, KEY, NOW)["fixed"]["order"]
    assert (order["notional"], order["profit"], order["take_profit"]) == (1000, 3, "1%")


def test_text_of_a_script_s_author_is_left_out_because_a_quote_would_break_the_json():
    text = new_alert({**BASE, "comment": "macd.5"}, KEY, NOW)["text"]
    assert json.loads(text)["comment"] == "macd.5"
    assert set(PLACEHOLDER.findall(text)).isdisjoint(LEFT_OUT)
    # Braces of the JSON itself must not look like a placeholder's.
    assert text.count("{{") == text.count("}}") == len(PLACEHOLDER.findall(text))


def test_an_indicator_s_alert_has_no_placeholder_of_a_strategy():
    text = new_alert({**BASE, "action": "sell"}, KEY, NOW)["text"]
    assert json.loads(text)["action"] == "sell" and json.loads(text)["price"] == "{{close}}"
    assert json.loads(text)["alert"]["action"] == "sell", "whoever has the text could buy with it"
    assert not [name for name in PLACEHOLDER.findall(text) if name.startswith("strategy.")]


def test_the_strategy_s_own_quantity_is_possible_and_never_without_a_limit():
    options = {**BASE, "notional": "", "size": "strategy", "order_notional": "500"}
    made = new_alert(options, KEY, NOW)
    assert json.loads(made["text"])["qty"] == "{{strategy.order.contracts}}" and "order" not in made["fixed"]
    with pytest.raises(BadOptions, match="order_notional: TradingView's quantity can't be signed: say what an order may cost at most"):
        new_alert({**options, "order_notional": ""}, KEY, NOW)


def test_without_a_key_there_is_no_signature_and_a_caution():
    made = new_alert(BASE, None, NOW)
    assert "signature" not in json.loads(made["text"]) and any("not signed" in note for note in made["notes"])


def test_a_sample_without_a_price_has_no_price_fields():
    text = new_alert({**BASE, "symbols": "BTCUSD"}, KEY, NOW)["text"]
    body = sample(text, NOW)
    assert body["ticker"] == "BTCUSD" and body["exchange"] == "COINBASE" and not {"price", "open", "close"} & set(body)
    assert sample(text, NOW, ticker="ETHUSD", action="sell", price="3000", qty="2")["position_size"] == "-2"


def test_the_words_say_what_it_may_do():
    limits = {"order_notional": "500", "notional_per_day": "2000", "orders_per_day": "4"}
    made = new_alert({**BRACKET, **limits, "symbols": "AAPL,MSFT", "expires": "2027-02-22"}, KEY, NOW)
    assert made["summary"] == [
        "macd-5m buys or sells AAPL, MSFT on the account paper, with a take-profit and a stop-loss.",
        "Limits: at most $500 an order, at most $2,000 a day, at most 4 orders a day.",
        "Order: $100, take-profit 1%, stop-loss 1%.",
        "Valid until 22 Feb 2027, 00:00 UTC.",
    ]


def test_only_from_flat_is_signed_and_said():
    made = new_alert({**BASE, "only_flat": "true"}, KEY, NOW)
    assert made["fixed"]["order"] == {"notional": 100, "only_flat": True} and made["summary"][2] == "Order: $100, only from flat."


def test_the_words_of_an_indicator_s_alert_name_its_side():
    made = new_alert({**BASE, "action": "buy"}, KEY, NOW)
    assert " buys " in made["summary"][0] and "action, " not in made["notes"][-1]
    assert "action, " in new_alert(BASE, KEY, NOW)["notes"][-1]


def test_even_the_longest_list_of_symbols_fits_into_what_the_webhook_takes():
    pairs = [f"ABCDEF{letter}{number:03}/USDT" for letter in "GHIJK" for number in range(100)]
    text = new_alert({**BASE, "symbols": ",".join(pairs), "name": "n" * 32, "account": "a" * 32, "comment": "c" * 40}, KEY, NOW)["text"]
    assert len(json.loads(text)["alert"]["symbols"]) == 500 and len(text) < MOST_BYTES - 1024
    with pytest.raises(BadOptions, match="symbols="):
        new_alert({**BASE, "symbols": ",".join([*pairs, "ETHUSD"])}, KEY, NOW)


@pytest.mark.parametrize(
    "order, needed",
    [
        ({}, True),
        ({"limit_price": "1%"}, True),
        ({"wiggle": "1"}, True),
        ({"limit_price": "187.50"}, False),
        ({"test_price": "187"}, False),
    ],
)
def test_a_test_without_the_price_that_its_order_is_measured_from_is_told(order, needed):
    notes = new_alert({**BASE, "route": "limit", **order}, KEY, NOW)["notes"]
    assert any("give a price for the test" in note for note in notes) is needed
