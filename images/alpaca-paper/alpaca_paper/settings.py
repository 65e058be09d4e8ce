"""The settings from the environment, checked at once."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from .decimals import parse

DEFAULTS = {
    "ALPACA_PAPER_KEY": "",
    "ALPACA_PAPER_SECRET": "",
    "ALPACA_PAPER_HOST": "127.0.0.1",
    "ALPACA_PAPER_PORT": "8000",
    "ALPACA_PAPER_DATA": "/data",
    "ALPACA_PAPER_CASH": "100000",
    "ALPACA_PAPER_HOURS": "always",
    "ALPACA_PAPER_PRICES": "replay",
    "ALPACA_PAPER_SYMBOLS": "{}",
    "ALPACA_PAPER_CRYPTO_FEE_PERCENT": "0.25",
    "ALPACA_PAPER_WASH_TRADES": "refuse",
    "ALPACA_PAPER_REQUESTS_PER_MINUTE": "200",
    "ALPACA_PAPER_STREAM_SYMBOLS": "10000",
    "ALPACA_PAPER_TEST_API": "on",
}
SECRET = re.compile(r"[!-~]{8,128}")
SYMBOL = re.compile(r"[A-Z][A-Z0-9.]{0,9}(/USD)?")


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value (never a secret's) and the fix."""


@dataclass(frozen=True)
class Settings:
    key: str
    secret: str = field(repr=False)
    host: str
    port: int
    data: Path
    """Folder of the broker's state."""
    cash: Decimal
    """USD of a new account."""
    hours: str
    """always or nyse."""
    prices: str
    """replay or fixed."""
    symbols: dict[str, Decimal]
    """Start prices (USD) of more symbols, or other ones."""
    crypto_fee_percent: Decimal
    wash_trades: str
    """refuse or allow."""
    requests_per_minute: int
    stream_symbols: int
    """How many symbols one market data stream may listen to."""
    test_api: bool


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    mistakes = [
        f"{name} is not a setting: use {', '.join(DEFAULTS)}"
        for name in sorted(environment)
        if name.startswith("ALPACA_PAPER_") and name not in DEFAULTS
    ]

    def text(name: str) -> str:
        return environment.get(f"ALPACA_PAPER_{name}", DEFAULTS[f"ALPACA_PAPER_{name}"])

    def wrong(name: str, fix: str) -> None:
        mistakes.append(f"ALPACA_PAPER_{name}={text(name)!r}: {fix}")

    def secret(name: str) -> str:
        if not SECRET.fullmatch(text(name)):
            mistakes.append(f"ALPACA_PAPER_{name}: set it to 8 to 128 printable characters without spaces")
        return text(name)

    def whole(name: str, low: int, high: int) -> int:
        if re.fullmatch(r"[0-9]{1,9}", text(name)) and low <= int(text(name)) <= high:
            return int(text(name))
        wrong(name, f"use a whole number from {low} to {high}")
        return low

    def number(name: str, low: int, high: int) -> Decimal:
        value = parse(text(name))
        if value is None or not low <= value <= high:
            wrong(name, f"use a number from {low} to {high}")
            return Decimal(low)
        return value

    def choice(name: str, *choices: str) -> str:
        if text(name) not in choices:
            wrong(name, f"use {' or '.join(choices)}")
        return text(name)

    settings = Settings(
        key=secret("KEY"),
        secret=secret("SECRET"),
        host=text("HOST"),
        port=whole("PORT", 1, 65535),
        data=Path(text("DATA")),
        cash=number("CASH", 0, 10**12),
        hours=choice("HOURS", "always", "nyse"),
        prices=choice("PRICES", "replay", "fixed"),
        symbols=_symbols(text("SYMBOLS"), wrong),
        crypto_fee_percent=number("CRYPTO_FEE_PERCENT", 0, 10),
        wash_trades=choice("WASH_TRADES", "refuse", "allow"),
        requests_per_minute=whole("REQUESTS_PER_MINUTE", 1, 10**8),
        stream_symbols=whole("STREAM_SYMBOLS", 1, 10**6),
        test_api=choice("TEST_API", "on", "off") == "on",
    )
    if mistakes:
        raise BadSettings("; ".join(mistakes))
    return settings


def _symbols(text: str, wrong) -> dict[str, Decimal]:
    fix = 'use a JSON object of symbols and prices in USD, such as {"AAPL": "229.5", "BTC/USD": 97000}'
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        wrong("SYMBOLS", fix)
        return {}
    prices = {symbol: parse(value) for symbol, value in body.items()}
    if not all(SYMBOL.fullmatch(symbol) and price is not None and 0 < price <= 10**7 for symbol, price in prices.items()):
        wrong("SYMBOLS", fix)
    return prices
