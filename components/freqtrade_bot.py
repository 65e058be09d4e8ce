"""FreqtradeBot: one Freqtrade bot, a single writer on storage of its own."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .freqtrade_config import config_mistakes, known_strategies
from .freqtrade_image import FreqtradeVariant
from .freqtrade_task import PORT, bot_task
from .hosts import HostArgs, check_task, run_task
from .image_folders import image_folder
from .task import SecretSource

# Key in `secrets` (or in the JSON secret behind `secret_arn`) -> the variable that freqtrade reads. Environment beats configuration file.
SECRET_VARIABLES: Mapping[str, str] = {
    "api_username": "FREQTRADE__API_SERVER__USERNAME",
    "api_password": "FREQTRADE__API_SERVER__PASSWORD",
    "jwt_secret_key": "FREQTRADE__API_SERVER__JWT_SECRET_KEY",
    "ws_token": "FREQTRADE__API_SERVER__WS_TOKEN",
    "exchange_key": "FREQTRADE__EXCHANGE__KEY",
    "exchange_secret": "FREQTRADE__EXCHANGE__SECRET",
    "exchange_password": "FREQTRADE__EXCHANGE__PASSWORD",
    "exchange_uid": "FREQTRADE__EXCHANGE__UID",
    "exchange_wallet_address": "FREQTRADE__EXCHANGE__WALLET_ADDRESS",
    "exchange_private_key": "FREQTRADE__EXCHANGE__PRIVATE_KEY",
    "telegram_token": "FREQTRADE__TELEGRAM__TOKEN",
    "telegram_chat_id": "FREQTRADE__TELEGRAM__CHAT_ID",
    "database_url": "FREQTRADE__DB_URL",
}
API_SECRETS = ("api_username", "api_password", "jwt_secret_key", "ws_token")
LIVE_SECRETS = ("exchange_key", "exchange_secret")
# Exchanges on a blockchain know a wallet instead of a key.
WALLET_SECRETS = ("exchange_wallet_address", "exchange_private_key")
TELEGRAM_SECRETS = ("telegram_token", "telegram_chat_id")
DATABASE_SCHEMES = ("postgresql+psycopg://", "postgresql://")


class FreqtradeBotArgs(TypedDict):
    """Arguments of FreqtradeBot. What can cost money has no default."""

    host: HostArgs
    """Where it runs."""
    strategy: str
    """Class name of a strategy in the image's `strategies/`."""
    pairs: Sequence[str]
    """Pairs to trade, e.g. `["ETH/BTC"]`."""
    stake_currency: str
    """Currency of the stakes, e.g. `USDT`."""
    stake_amount: float
    """Stake of one trade, in stake_currency."""
    max_open_trades: int
    """Most trades open at once, at least 1."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """api_username, api_password, jwt_secret_key, ws_token; with dry_run false exchange_key and exchange_secret too; as needed exchange_password and
    database_url. Exactly one of secrets and secret_arn.

    database_url, `postgresql+psycopg://user:password@host:5432/database`, keeps the trades in that PostgreSQL database, which must be this
    bot's alone, in place of SQLite on the volume. Backups are then the server's business; the volume stays for the rest."""
    secret_arn: NotRequired[str]
    """ARN of your own Secrets Manager secret, a JSON object with the keys above (fargate only)."""
    secret_keys: NotRequired[Sequence[str]]
    """Keys that the secret behind secret_arn holds beyond the required ones, e.g. `["database_url"]`."""
    dry_run: NotRequired[bool]
    """True trades with play money. Default true; false needs exchange_key and exchange_secret."""
    dry_run_wallet: NotRequired[float]
    """Play money at the start, in stake_currency. Default: ten times stake_amount times max_open_trades."""
    exchange: NotRequired[str]
    """Exchange name as ccxt spells it. Default `binance`."""
    exchange_url: NotRequired[pulumi.Input[str]]
    """Base URL of a Binance-compatible API in place of the exchange's own (ExchangeReplay's url); only with dry_run."""
    timeframe: NotRequired[str]
    """Candle length, e.g. `5m`. Default: the strategy's."""
    config: NotRequired[Mapping[str, Any]]
    """More freqtrade configuration, merged over the rest; no credentials."""
    variant: NotRequired[FreqtradeVariant]
    """Build of freqtrade. Default plain."""
    image_context: NotRequired[str]
    """Your own image folder in place of the library's: Dockerfile and `strategies/`."""
    image: NotRequired[pulumi.Input[str]]
    """An image built from such a folder already: BotImage's reference, shared by several bots, or a published one."""
    cpu: NotRequired[int]
    """CPU units, 1024 = 1 vCPU. Default 256."""
    memory: NotRequired[int]
    """MiB. Default 512 (freqtrade's peak with 50 pairs: 281)."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""
    spot: NotRequired[bool]
    """Fargate Spot. Default true."""
    published_port: NotRequired[int]
    """Port on this machine's loopback address for API and FreqUI (docker only). Default: none."""
    execute_command: NotRequired[bool]
    """Allow ECS Exec, which a tunnel to the API needs; the root file system is then writable, because ECS Exec can't do without. Default false."""
    volume: NotRequired[pulumi.Input[str]]
    """Bring your own storage: Docker volume name or EFS access point id. Default: created."""
    protect: NotRequired[bool]
    """Refuse to delete the storage. Default false."""


class FreqtradeBot(pulumi.ComponentResource):
    """One bot: image, credentials, storage and the task that trades; never two copies at once."""

    service: pulumi.Output[str]
    """Container (docker) or ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are."""
    api_url: pulumi.Output[str]
    """URL of its REST API: on this machine if published, else private_url."""
    private_url: pulumi.Output[str]
    """URL of its REST API for the tasks of the same host."""
    volume_name: pulumi.Output[str]
    """Docker volume or EFS access point with its trades and their backups (with a database_url: with neither)."""
    image_reference: pulumi.Output[str]
    """The image that runs."""
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its task on Fargate (us-east-1); on Docker what the same would cost there."""

    def __init__(self, name: str, args: FreqtradeBotArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("bot", name, args, FreqtradeBotArgs, argument_mistakes)
        spec = bot_task(name, args, _secret_sources(args))
        check_task(spec, args["host"])
        super().__init__("tradestack:index:FreqtradeBot", name, {}, opts)
        task = run_task(spec, args["host"], self)
        published = args.get("published_port")
        self.private_url = pulumi.Output.concat("http://", task.dns_name, f":{PORT}")
        self.api_url = pulumi.Output.from_input(f"http://127.0.0.1:{published}") if published else self.private_url
        self.service = task.service
        self.logs = task.logs
        self.volume_name = task.volumes["user-data"]
        self.image_reference = task.image
        self.monthly_cost = task.monthly_cost
        self.register_outputs(
            {
                "service": self.service,
                "logs": self.logs,
                "apiUrl": self.api_url,
                "privateUrl": self.private_url,
                "volumeName": self.volume_name,
                "imageReference": self.image_reference,
                "monthlyCost": self.monthly_cost,
            }
        )


def required_secrets(dry_run: bool, config: Mapping[str, Any], given: Collection[str]) -> tuple[str, ...]:
    """Keys that a bot can't do without; `given` are the keys that it has."""
    live = WALLET_SECRETS if any(key in given for key in WALLET_SECRETS) else LIVE_SECRETS
    return API_SECRETS + (() if dry_run else live) + (TELEGRAM_SECRETS if "telegram" in config else ())


def argument_mistakes(args: FreqtradeBotArgs) -> list[str]:
    """Everything that is wrong with a bot's arguments, one sentence a mistake: key, value, fix."""
    mistakes = []
    if not args["pairs"]:
        mistakes.append("pairs=[]: give at least one, e.g. ETH/BTC")
    for pair in args["pairs"]:
        if pair.count("/") != 1 or not pair.split("/")[1].startswith(args["stake_currency"]):
            mistakes.append(f"pairs={pair!r}: use BASE/{args['stake_currency']}, the stake currency behind the slash")
    if len(set(args["pairs"])) != len(args["pairs"]):
        mistakes.append(f"pairs={list(args['pairs'])!r}: names a pair twice")
    if not (math.isfinite(args["stake_amount"]) and args["stake_amount"] > 0):
        mistakes.append(f"stake_amount={args['stake_amount']!r}: use an amount above 0 in {args['stake_currency']}")
    if args["max_open_trades"] < 1:
        mistakes.append(f"max_open_trades={args['max_open_trades']!r}: use 1 or more")
    if args.get("image") and args.get("image_context"):
        mistakes.append("image and image_context: give one of them")
    if not args.get("image"):
        context = args.get("image_context") or image_folder("freqtrade")
        try:
            strategies = known_strategies(context)
        except OSError as error:
            mistakes.append(f"image_context={args.get('image_context')!r}: {error}")
        else:
            if args["strategy"] not in strategies:
                mistakes.append(
                    f"strategy={args['strategy']!r}: no such class in {context}/strategies; it has {', '.join(strategies) or 'none'}"
                )
    dry_run = args.get("dry_run", True) is not False
    if args.get("exchange_url") is not None and not dry_run:
        mistakes.append("exchange_url: a stand-in exchange needs dry_run true; leave it out to trade for real")
    return mistakes + _secret_mistakes(args, dry_run) + config_mistakes(args.get("config") or {})


def _secret_mistakes(args: FreqtradeBotArgs, dry_run: bool) -> list[str]:
    if (args.get("secrets") is None) == (args.get("secret_arn") is None):
        return ["secrets: give exactly one of secrets and secret_arn"]
    unknown = sorted({*(args.get("secrets") or {}), *(args.get("secret_keys") or ())} - set(SECRET_VARIABLES))
    mistakes = [f"secrets.{key}: unknown; use {', '.join(SECRET_VARIABLES)}" for key in unknown]
    if args.get("secrets") is not None:
        required = required_secrets(dry_run, args.get("config") or {}, args["secrets"])
        missing = [key for key in required if args["secrets"].get(key) in (None, "")]
        mistakes += [f"secrets.{key}: missing; `make secrets` makes the API's, an exchange's come from its website" for key in missing]
        url = args["secrets"].get("database_url")
        mistakes += database_mistakes("secrets.database_url", url) if isinstance(url, str) else []  # what is an output, the image checks
    return mistakes


def database_mistakes(key: str, url: str) -> list[str]:
    """What is wrong with a database_url as far as a glance tells; the value is never shown."""
    if url.startswith(DATABASE_SCHEMES):
        return []
    return [f"{key}: not a PostgreSQL URL; use {DATABASE_SCHEMES[0]}user:password@host:5432/database, or leave it out: "
            "the volume keeps the trades"]  # fmt: skip


def _secret_sources(args: FreqtradeBotArgs) -> dict[str, SecretSource]:
    if args.get("secrets") is not None:
        return {SECRET_VARIABLES[key]: SecretSource(value=value) for key, value in args["secrets"].items()}
    more = args.get("secret_keys") or ()
    keys = {*required_secrets(args.get("dry_run", True) is not False, args.get("config") or {}, more), *more}
    return {SECRET_VARIABLES[key]: SecretSource(arn=f"{args['secret_arn']}:{key}::") for key in sorted(keys)}
