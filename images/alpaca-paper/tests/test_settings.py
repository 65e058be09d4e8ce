"""Settings are refused at once, all mistakes together, and never with a secret in the message."""

from decimal import Decimal

import pytest
from alpaca_paper.settings import BadSettings, read_settings

GOOD = {"ALPACA_PAPER_KEY": "PKTESTKEY", "ALPACA_PAPER_SECRET": "test-secret-0123456789"}


def test_key_and_secret_are_enough():
    settings = read_settings(GOOD)
    assert (settings.host, settings.port, settings.cash, settings.hours) == ("127.0.0.1", 8000, 100_000, "always")
    assert "test-secret" not in repr(settings)


def test_symbols_set_prices():
    settings = read_settings({**GOOD, "ALPACA_PAPER_SYMBOLS": '{"AAPL": "100.5", "NEW": 3, "NEW/USD": 0.01}'})
    assert settings.symbols == {"AAPL": Decimal("100.5"), "NEW": 3, "NEW/USD": Decimal("0.01")}


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("PORT", "0", "ALPACA_PAPER_PORT='0': use a whole number from 1 to 65535"),
        ("CASH", "lots", "ALPACA_PAPER_CASH='lots': use a number from 0"),
        ("HOURS", "london", "ALPACA_PAPER_HOURS='london': use always or nyse"),
        ("PRICES", "real", "ALPACA_PAPER_PRICES='real': use replay or fixed"),
        ("REQUESTS_PER_MINUTE", "none", "ALPACA_PAPER_REQUESTS_PER_MINUTE='none': use a whole number"),
        ("STREAM_SYMBOLS", "0", "ALPACA_PAPER_STREAM_SYMBOLS='0': use a whole number from 1"),
        ("TEST_API", "yes", "ALPACA_PAPER_TEST_API='yes': use on or off"),
        ("WASH_TRADES", "", "ALPACA_PAPER_WASH_TRADES='': use refuse or allow"),
        ("CRYPTO_FEE_PERCENT", "NaN", "ALPACA_PAPER_CRYPTO_FEE_PERCENT='NaN': use a number from 0 to 10"),
        ("SYMBOLS", '{"aapl": 1}', "ALPACA_PAPER_SYMBOLS="),
        ("SYMBOLS", "[" * 5000, "ALPACA_PAPER_SYMBOLS="),
        ("SYMBOLS", '{"AAPL": 0}', "ALPACA_PAPER_SYMBOLS="),
        ("SPEED", "5", "ALPACA_PAPER_SPEED is not a setting: use ALPACA_PAPER_KEY, "),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(name, value, message):
    with pytest.raises(BadSettings) as refused:
        read_settings({**GOOD, f"ALPACA_PAPER_{name}": value})
    assert str(refused.value).startswith(message)


def test_all_mistakes_are_told_together_without_the_secrets():
    with pytest.raises(BadSettings) as refused:
        read_settings({"ALPACA_PAPER_SECRET": "short", "ALPACA_PAPER_PORT": "x"})
    told = str(refused.value)
    assert "ALPACA_PAPER_KEY: set it" in told and "ALPACA_PAPER_SECRET: set it" in told and "ALPACA_PAPER_PORT='x'" in told
    assert "short" not in told
