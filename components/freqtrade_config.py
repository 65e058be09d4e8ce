"""The non-secret freqtrade configuration of one bot, from a FreqtradeBot's arguments. Pure data in, plain data out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STRATEGY_CLASS = re.compile(r"^class\s+(\w+)\s*\([^)]*\bIStrategy\b[^)]*\)\s*:", re.MULTILINE)
# Sections that hold credentials or that the image decides (listening address, database, process control).
RESERVED_KEYS = frozenset({"api_server", "db_url", "initial_state", "discord", "webhook"})
ARGUMENT_KEYS = frozenset({"strategy", "stake_currency", "stake_amount", "max_open_trades", "dry_run", "dry_run_wallet", "timeframe"})
SECRET_TELEGRAM_KEYS = frozenset({"token", "chat_id"})
SECRET_EXCHANGE_KEYS = frozenset({"key", "secret", "password", "uid", "account_id", "wallet_address", "private_key"})


def known_strategies(context: str) -> list[str]:
    """Names of the strategy classes in an image folder's `strategies/`, sorted, read without importing them.

    Raises FileNotFoundError when there is no such folder.
    """
    if not Path(context, "strategies").is_dir():
        raise FileNotFoundError(f"{context} has no folder `strategies`; give an image folder made like images/freqtrade")
    files = sorted(Path(context, "strategies").glob("*.py"))
    return sorted({name for file in files for name in STRATEGY_CLASS.findall(file.read_text())})


def replayed_exchange(url: str) -> dict[str, Any]:
    """Exchange settings that lead ccxt's `binance` to a Binance-compatible REST API at `url` and nowhere else."""
    api = {name: f"{url}{path}" for name, path in (("public", "/api/v3"), ("private", "/api/v3"), ("v1", "/api/v1"), ("sapi", "/sapi/v1"))}
    return {
        "enable_ws": False,
        "ccxt_config": {"urls": {"api": api}, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}},
    }


def bot_config(
    *,
    strategy: str,
    pairs: Sequence[str],
    exchange: str,
    exchange_settings: Mapping[str, Any],
    stake_currency: str,
    stake_amount: float,
    max_open_trades: int,
    dry_run: bool,
    dry_run_wallet: float,
    timeframe: str | None,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Freqtrade configuration without secrets, keys sorted so that the same bot always gives the same text."""
    config: dict[str, Any] = {
        "strategy": strategy,
        "exchange": {"name": exchange, "pair_whitelist": list(pairs), **exchange_settings},
        "stake_currency": stake_currency,
        "stake_amount": stake_amount,
        "max_open_trades": max_open_trades,
        "dry_run": dry_run,
        "dry_run_wallet": dry_run_wallet,
    }
    if timeframe:
        config["timeframe"] = timeframe
    return dict(sorted(_merge(config, extra).items()))


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if nested else value
    return merged


def config_mistakes(extra: Mapping[str, Any]) -> list[str]:
    """What is wrong with a bot's additional freqtrade configuration, one sentence a mistake: `key=…: fix`."""
    mistakes = []
    for key in sorted(RESERVED_KEYS & set(extra)):
        mistakes.append(f"config.{key}: the image decides this; credentials go into secrets")
    for key in sorted(ARGUMENT_KEYS & set(extra)):
        mistakes.append(f"config.{key}: set the argument of the same name instead, so that there is one place for it")
    for section, secret_keys in (("exchange", SECRET_EXCHANGE_KEYS), ("telegram", SECRET_TELEGRAM_KEYS)):
        given = extra.get(section)
        for key in sorted(secret_keys & set(given)) if isinstance(given, Mapping) else ():
            mistakes.append(f"config.{section}.{key}: a credential in plain text; put it into secrets")
    return mistakes
