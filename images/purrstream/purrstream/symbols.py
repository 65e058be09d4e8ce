"""Names of what is traded: shares as Alpaca writes them (BRK.B), coins as pairs (BTC/USD)."""

import re

SHARE = re.compile(r"[A-Z0-9]{1,12}(\.[A-Z0-9]{1,5})?")
PAIR = re.compile(r"[A-Z0-9]{1,12}/[A-Z0-9]{1,5}")
FIX = "use a symbol such as AAPL, BRK.B or BTC/USD"


def is_symbol(text: object) -> bool:
    return isinstance(text, str) and bool(SHARE.fullmatch(text) or PAIR.fullmatch(text))


def is_coin(symbol: str) -> bool:
    return "/" in symbol
