"""The bot's settings: config/base.json, BOT_CONFIG_JSON and the secrets, all checked before anything is opened."""

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import database_url
from bot.errors import EXIT_CONFIG, Refused
from bot.log import LOG_CONFIG

# Secret variable -> shortest value that is accepted. freqtrade signs its tokens with a public default key when the JWT key is missing.
API_SECRETS = {
    "FREQTRADE__API_SERVER__USERNAME": 3,
    "FREQTRADE__API_SERVER__PASSWORD": 12,
    "FREQTRADE__API_SERVER__JWT_SECRET_KEY": 32,
    "FREQTRADE__API_SERVER__WS_TOKEN": 16,
}
# What an exchange may need; the first two always (most exchanges), or the second pair (those that sign with a wallet).
KEY_PAIRS = (
    ("FREQTRADE__EXCHANGE__KEY", "FREQTRADE__EXCHANGE__SECRET"),
    ("FREQTRADE__EXCHANGE__WALLET_ADDRESS", "FREQTRADE__EXCHANGE__PRIVATE_KEY"),
)
OTHER_SECRETS = {
    "FREQTRADE__EXCHANGE__PASSWORD",
    "FREQTRADE__EXCHANGE__UID",
    "FREQTRADE__EXCHANGE__ACCOUNT_ID",
    "FREQTRADE__TELEGRAM__TOKEN",
    "FREQTRADE__TELEGRAM__CHAT_ID",
    "FREQTRADE__DISCORD__WEBHOOK_URL",
    "FREQTRADE__WEBHOOK__URL",
    "FREQTRADE__COINGECKO__API_KEY",
}
DATABASE_URL = "FREQTRADE__DB_URL"
ALLOWED_VARIABLES = {*API_SECRETS, *(name for pair in KEY_PAIRS for name in pair), *OTHER_SECRETS, DATABASE_URL}

# Keys whose value is a secret, wherever they stand (lower case, without underscores).
SECRET_KEYS = {
    "key",
    "secret",
    "password",
    "passphrase",
    "token",
    "apikey",
    "apisecret",
    "privatekey",
    "walletaddress",
    "uid",
    "accountid",
    "wstoken",
    "jwtsecretkey",
    "chatid",
    "webhookurl",
    "login",
    "authorization",
    "username",
}
# What costs money has no default here: the bot's own config must say it.
REQUIRED = ("strategy", "stake_currency", "stake_amount", "max_open_trades", "exchange.name", "exchange.pair_whitelist")
# The launcher, the health check and the backups rely on these.
FIXED = (
    "db_url",
    "user_data_dir",
    "datadir",
    "strategy_path",
    "add_config_files",
    "log_config",
    "logfile",
    "api_server.enabled",
    "api_server.listen_ip_address",
    "api_server.listen_port",
    "internals.sd_notify",
)
PLACEHOLDER = re.compile(r"change.?me|place.?holder|super.?secret|something.?random|your[-_ ]|<.*>|^(.)\1*$|example|123456789", re.I)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Checked settings. Times in seconds."""

    bot: str
    root: Path
    """Folder with config/, strategies/ and user_data/: /freqtrade in the image."""
    config: dict[str, Any]
    """freqtrade's config, complete but for the database and the secrets, which stay in the environment."""
    server: database_url.Server | None
    """Where the trades are kept; None: in SQLite on the volume."""
    lock_timeout: float
    backup_interval: float
    backup_keep: int
    stuck_after: float

    @property
    def user_data(self) -> Path:
        return self.root / "user_data"

    @property
    def mode(self) -> str:
        return "dryrun" if self.config["dry_run"] else "live"


def load(environ: Mapping[str, str], root: Path) -> Settings:
    """Read and check everything. Raises Refused (exit code 78) with every mistake in one message; never shows a secret's value."""
    mistakes: list[str] = []
    own = _bot_config(environ, mistakes)
    base = json.loads((root / "config" / "base.json").read_text())
    config = merge(base, own)
    mistakes += _config_mistakes(config, own)
    mistakes += _secret_mistakes(environ, config.get("dry_run"))
    server = _server(environ, mistakes)
    known = strategies(root / "strategies")
    if isinstance(config.get("strategy"), str) and config["strategy"] not in known:
        mistakes.append(f"strategy={config['strategy']!r} is not in this image; use one of {', '.join(sorted(known)) or '(none found)'}")
    numbers = {
        name: _number(environ, name, default, low, mistakes)
        for name, default, low in (("LOCK_TIMEOUT", 120, 0), ("BACKUP_INTERVAL", 86400, 1), ("BACKUP_KEEP", 14, 1), ("STUCK_AFTER", 600, 1))
    }
    if mistakes:
        raise Refused(EXIT_CONFIG, "the bot does not start: " + "; ".join(mistakes))
    settings = Settings(
        bot=environ.get("BOT_NAME", ""),
        root=root,
        config=config,
        server=server,
        lock_timeout=numbers["LOCK_TIMEOUT"],
        backup_interval=numbers["BACKUP_INTERVAL"],
        backup_keep=int(numbers["BACKUP_KEEP"]),
        stuck_after=numbers["STUCK_AFTER"],
    )
    config |= {
        "bot_name": settings.bot or config.get("bot_name", "freqtrade"),
        "user_data_dir": str(settings.user_data),
        "strategy_path": str(root / "strategies"),
        "log_config": LOG_CONFIG,
        "internals": {**config.get("internals", {}), "sd_notify": True},
    }
    return settings


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`; objects are merged key by key, everything else (lists too) is replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def strategies(folder: Path) -> set[str]:
    """Names of the strategy classes in the folder's Python files, found without running them: classes with a base named …Strategy."""
    names = set()
    for file in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
        except SyntaxError:
            continue  # freqtrade says more about it than we could, when that strategy is the chosen one
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Strategy") for base in node.bases):
                names.add(node.name)
    return names


def _bot_config(environ: Mapping[str, str], mistakes: list[str]) -> dict[str, Any]:
    text = environ.get("BOT_CONFIG_JSON", "")
    if not text:
        mistakes.append("BOT_CONFIG_JSON is missing; set it to the bot's freqtrade config as a JSON object")
        return {}
    try:
        config = json.loads(text)
    except ValueError as error:
        mistakes.append(f"BOT_CONFIG_JSON is not valid JSON ({error}); pass one JSON object")
        return {}
    if not isinstance(config, dict):
        mistakes.append(f"BOT_CONFIG_JSON is a {type(config).__name__}; pass one JSON object")
        return {}
    return config


def _config_mistakes(config: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    for key in REQUIRED:
        if _get(own, key) in (None, "", []):
            yield f"{key} is missing in BOT_CONFIG_JSON; it has no default because it decides what is traded"
    if not isinstance(config.get("dry_run"), bool):
        yield f"dry_run={config.get('dry_run')!r} must be true or false, without quotes"
    for key in FIXED:
        if _get(own, key) is not None:
            yield f"{key} can't be set in BOT_CONFIG_JSON, the image sets it; remove it"
    for path in _secrets_in(own):
        variable = "FREQTRADE__" + path.upper().replace(".", "__")
        yield f"{path} is a secret and must not be in BOT_CONFIG_JSON; pass it as a secret, in {variable}"


def _secrets_in(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            here = f"{path}.{key}" if path else key
            named = key.replace("_", "").lower() in SECRET_KEYS or here == "webhook.url"
            if named and isinstance(child, str | int | float | list) and child not in ("", [], True, False):
                yield here
            else:
                yield from _secrets_in(child, here)
    elif isinstance(value, list):
        for child in value:
            yield from _secrets_in(child, path)


def _secret_mistakes(environ: Mapping[str, str], dry_run: Any) -> Iterator[str]:
    for name, shortest in API_SECRETS.items():
        value = environ.get(name, "")
        if not value:
            yield f"{name} is missing; pass it as a secret"
        elif len(value) < shortest:
            yield f"{name} has {len(value)} characters; use at least {shortest}"
        elif PLACEHOLDER.search(value):
            yield f"{name} is a placeholder; use a random value"
        elif not name.endswith("PASSWORD") and _read_as_other_type(value):
            yield f"{name} would be read as a number, true/false or a list; use a value with letters"
    for name in sorted(environ):
        if name.startswith("FREQTRADE__") and name not in ALLOWED_VARIABLES:
            yield f"{name} is not a known secret; put the setting into BOT_CONFIG_JSON"
    if dry_run is False and not any(all(_usable(environ.get(name, "")) for name in pair) for pair in KEY_PAIRS):
        pairs = " or ".join(" and ".join(pair) for pair in KEY_PAIRS)
        yield f"dry_run=false trades real money and needs the exchange's key: pass {pairs} as secrets (no placeholders)"


def _server(environ: Mapping[str, str], mistakes: list[str]) -> database_url.Server | None:
    if DATABASE_URL not in environ:
        return None
    try:
        return database_url.parse(environ[DATABASE_URL])
    except ValueError as error:
        mistakes.append(f"{DATABASE_URL}: {error}")
        return None


def _usable(value: str) -> bool:
    return bool(value.strip()) and not PLACEHOLDER.search(value)


def _read_as_other_type(value: str) -> bool:
    # What freqtrade does to a variable's value (all but PASSWORD and CHAT_ID).
    try:
        float(value)
        return True
    except ValueError:
        return value.lower() in ("t", "f", "true", "false") or value.lstrip().startswith("[")


def _number(environ: Mapping[str, str], name: str, default: float, low: float, mistakes: list[str]) -> float:
    try:
        number = float(environ.get(name, "") or default)
    except ValueError:
        number = math.nan
    if not (low <= number < math.inf):
        mistakes.append(f"{name}={environ.get(name)!r} must be a number from {low} up")
    return number


def _get(config: Any, path: str) -> Any:
    for key in path.split("."):
        config = config.get(key) if isinstance(config, dict) else None
    return config
