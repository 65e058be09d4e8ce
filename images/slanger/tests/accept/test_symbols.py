"""TradingView's names of instruments as Alpaca's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slanger.symbols import BadSymbol, canonical_symbol, is_crypto


@pytest.mark.parametrize(
    "ticker, symbol",
    [
        ("AAPL", "AAPL"),
        ("aapl", "AAPL"),
        (" NASDAQ:AAPL ", "AAPL"),
        ("NYSE:BRK.B", "BRK.B"),
        ("T", "T"),
        ("BTCUSD", "BTC/USD"),
        ("BTC/USD", "BTC/USD"),
        ("COINBASE:ETHUSD", "ETH/USD"),
        ("SOLUSDT", "SOL/USDT"),
        ("USDTUSD", "USDT/USD"),
        ("USDCUSDT", "USDC/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("1INCHUSD", "1INCH/USD"),
    ],
)
def test_tickers_become_alpacas_symbols(ticker, symbol):
    assert canonical_symbol(ticker) == symbol
    assert is_crypto(symbol) == ("/" in symbol)


@pytest.mark.parametrize(
    "ticker", ["", ":", "NASDAQ:", "TOOLONG", "AAPL!", "ES1!", "AA PL", "ＡＡＰＬ", "ßTC", "BRK.ABC", "/USD", "BTC/EUR", "A" * 500]
)
def test_what_is_no_symbol_is_refused_with_the_fix(ticker):
    with pytest.raises(BadSymbol, match="use a US share such as AAPL or BRK.B, or a crypto pair such as BTCUSD"):
        canonical_symbol(ticker)


@given(st.text(max_size=12))
def test_a_canonical_symbol_stays_itself(text):
    try:
        symbol = canonical_symbol(text)
    except BadSymbol:
        return
    assert canonical_symbol(symbol) == symbol
