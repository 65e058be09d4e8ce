"""Names of instruments, tags and strategies, compared as wholes: never a part of a name, whoever wrote it."""

import re

# Alpaca's shares (BRK.B), pairs (BTC/USD) and, in positions, pairs without their slash (BTCUSD).
SYMBOL = re.compile(r"[A-Z0-9]{1,12}([./][A-Z0-9]{1,5})?")
SYMBOL_FIX = "use a US share such as AAPL or BRK.B, or a crypto pair such as BTC/USD"
# Quote currencies of Alpaca's pairs, as slanger knows them.
PAIR = re.compile(r"([A-Z0-9]{2,10}?)/?(USDT|USDC|USD|BTC)")


class BadName(ValueError):
    """No symbol."""


def key_of(symbol: str) -> str:
    """What two spellings of one instrument have in common: `BTC/USD`, `BTCUSD` and `COINBASE:btcusd` -> `BTCUSD`. Raises BadName."""
    # Upper case makes ASCII of some other letters, and so another company's symbol.
    name = symbol.strip().upper().rpartition(":")[2] if symbol.isascii() else ""
    if not SYMBOL.fullmatch(name):
        raise BadName(f"{symbol[:40]!r}: {SYMBOL_FIX}")
    return name.replace("/", "")


def order_symbol(symbol: str, crypto: bool) -> str:
    """As orders name it: `BTCUSD` -> `BTC/USD`."""
    pair = PAIR.fullmatch(symbol) if crypto else None
    return f"{pair[1]}/{pair[2]}" if pair else symbol


def tag_of(text: str) -> str:
    """A TradingView comment as slanger writes it at the start of client_order_id: `Long entry` -> `Long_entry`."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_")[:40]


def strategy_of(text: str) -> str:
    """An alert's name as slanger writes it in client_order_id."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", text)


def tag_in(client_order_id: str) -> str:
    """The leading part."""
    return client_order_id.partition("-")[0]


def strategy_in(client_order_id: str) -> str:
    """The name of slanger's alert (`<comment>-<interval>-<name>-<key>-<role>`), "" for an order of somebody else."""
    parts = client_order_id.split("-")
    slangers = len(parts) >= 3 and re.fullmatch(r"[0-9a-f]{32}", parts[-2]) and parts[-1] in ("close", "enter", "trail")
    return parts[-3] if slangers else ""
