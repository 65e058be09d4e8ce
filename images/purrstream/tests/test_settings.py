"""Settings: what is asked for, what is refused, and that no secret is shown."""

import pytest
from botkit.settings import BadSettings
from purrstream.settings import read_settings

GOOD = {
    "PURRSTREAM_ACCOUNT": "paper",
    "PURRSTREAM_BROKER_KEY": "hush-key",
    "PURRSTREAM_BROKER_SECRET": "hush-secret",
    "PURRSTREAM_REDIS_URL": "redis://:hush@data-redis:6379/0",
}


def test_the_defaults_are_alpacas_paper_account():
    settings = read_settings(GOOD)
    assert settings.broker.address.trading_url == "https://paper-api.alpaca.markets"
    assert (settings.broker.address.data_url, settings.stream_url) == ("https://data.alpaca.markets", "wss://stream.data.alpaca.markets")
    assert (settings.feed, settings.symbols, settings.news, settings.port) == ("iex", (), False, 8000)
    assert "hush" not in repr(settings)


def test_everything_given():
    more = {"SYMBOLS": "AAPL, BRK.B,BTC/USD,AAPL", "NEWS": "on", "FEED": "sip", "STREAM_URL": "ws://alpaca-paper:8000/"}
    settings = read_settings({**GOOD, **{f"PURRSTREAM_{name}": value for name, value in more.items()}})
    assert settings.symbols == ("AAPL", "BRK.B", "BTC/USD") and settings.news and settings.stream_url == "ws://alpaca-paper:8000"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"ACCOUNT": None}, "PURRSTREAM_ACCOUNT is not set"),
        ({"REDIS_URL": None}, "PURRSTREAM_REDIS_URL is not set"),
        ({"REDIS_URL": "hush"}, "PURRSTREAM_REDIS_URL (secret, 4 characters)"),
        ({"INFLUX_URL": "http://hush"}, "PURRSTREAM_INFLUX_URL (secret, 11 characters)"),
        ({"HISTORY_URL": "http://hush:hush@x:1/path"}, "PURRSTREAM_HISTORY_URL (secret, 25 characters)"),
        ({"SYMBOLS": "AAPL,aapl"}, "PURRSTREAM_SYMBOLS: 'aapl': use a symbol such as AAPL"),
        ({"STREAM_URL": "ws://stream.example.com"}, "use wss; plain ws is for private addresses"),
        ({"STREAM_URL": "https://stream.example.com"}, "PURRSTREAM_STREAM_URL="),
        ({"NEWS": "yes"}, "PURRSTREAM_NEWS='yes': use on or off"),
        ({"BROKER_URL": "https://api.alpaca.markets"}, "real money"),
        ({"MODE": "live"}, "PURRSTREAM_LIVE_ACCOUNT is not set"),
        ({"SYMBOL": "AAPL"}, "PURRSTREAM_SYMBOL is not a setting"),
    ],
)
def test_what_is_refused(change, words):
    given = {**GOOD, **{f"PURRSTREAM_{name}": value for name, value in change.items()}}
    with pytest.raises(BadSettings) as refused:
        read_settings({name: value for name, value in given.items() if value is not None})
    assert words in str(refused.value) and "hush" not in str(refused.value)
