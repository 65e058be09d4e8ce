"""One name per instrument: what TradingView calls it -> what Alpaca calls it. Pure text, no look-up."""

import re

# Quote currencies of Alpaca's crypto pairs (docs: "Crypto spot trading", supported pairs).
QUOTES = ("USDT", "USDC", "USD", "BTC")
# A share's symbol has at most five letters, and perhaps a class behind a dot (BRK.B): what is longer and ends in a quote currency is a pair.
SHARE = re.compile(r"[A-Z]{1,5}(\.[A-Z]{1,2})?")
PAIR = re.compile(rf"([A-Z0-9]{{2,10}}?)/?({'|'.join(QUOTES)})")

SYMBOL_FIX = "use a US share such as AAPL or BRK.B, or a crypto pair such as BTCUSD"


class BadSymbol(ValueError):
    """No symbol of a share or of a crypto pair."""


def canonical_symbol(ticker: str) -> str:
    """`NASDAQ:AAPL` -> `AAPL`, `BTCUSD` and `COINBASE:BTCUSD` -> `BTC/USD`. Raises BadSymbol."""
    # Upper case makes ASCII of some other letters ("ß" becomes "SS"), and so another company's symbol.
    name = ticker.strip().upper().rpartition(":")[2] if ticker.isascii() else ""
    if SHARE.fullmatch(name):
        return name
    pair = PAIR.fullmatch(name)
    if pair:
        return f"{pair[1]}/{pair[2]}"
    raise BadSymbol(f"ticker={ticker[:30]!r}: {SYMBOL_FIX}")


def is_crypto(symbol: str) -> bool:
    """Whether a canonical symbol is a crypto pair."""
    return "/" in symbol
