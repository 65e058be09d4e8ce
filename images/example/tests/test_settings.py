"""Settings: what is needed, what is refused, and that no sentence shows a secret."""

import pytest
from botkit.settings import BadSettings
from example.settings import PREFIX, read_settings
from example_world import KEY, environment


def read(**changes):
    return read_settings(environment(**changes))


def test_what_is_read():
    settings = read()
    assert settings.symbols == ("AAPL", "BTC/USD") and settings.notional == "500" and settings.fresh == 120 and settings.influx_url == ""
    assert "hush" not in repr(settings) and KEY not in repr(settings)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SYMBOLS": None}, "SYMBOLS=''"),
        ({"SYMBOLS": "aapl"}, "SYMBOLS='aapl'"),
        ({"SYMBOLS": "AAPL,AAPL"}, "each once"),
        ({"NOTIONAL": None}, "NOTIONAL is not set"),
        ({"NOTIONAL": "0"}, "NOTIONAL='0'"),
        ({"NOTIONAL": "-5"}, "NOTIONAL='-5'"),
        ({"NOTIONAL": "1e9"}, "NOTIONAL='1e9'"),
        ({"FRESH": "0"}, "FRESH=0: use a whole number from 5 to 3600"),
        ({"WEBHOOK_URL": "http://webhook:8000/market"}, "WEBHOOK_URL="),
        ({"PURRSTREAM_URL": None}, "PURRSTREAM_URL is not set"),
        ({"ACCOUNT": "Paper"}, "ACCOUNT='Paper'"),
        ({"SYMBOL": "AAPL"}, "SYMBOL is not a setting"),
    ],
)
def test_mistakes_are_named(change, named):
    with pytest.raises(BadSettings, match=PREFIX) as refused:
        read(**change)
    assert named in str(refused.value)


def test_every_mistake_is_told_at_once_and_no_secret():
    with pytest.raises(BadSettings) as refused:
        read(NOTIONAL="all", REDIS_URL="hush://redis", SIGNING_KEY="hushhush", INFLUX_URL="hush")
    said = str(refused.value)
    assert all(name in said for name in ("NOTIONAL", "REDIS_URL", "SIGNING_KEY", "INFLUX_URL")) and "hush" not in said
