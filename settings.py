"""A stack's configuration, validated once: every mistake is named with its key before anything is created."""

import json
import re
from typing import Annotated, Any, Optional

import pulumi
from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from components.bot_cluster import ContainerInsights
from components.freqtrade_bot import SECRET_VARIABLES
from components.freqtrade_config import config_mistakes, known_strategies
from components.freqtrade_image import FreqtradeVariant
from components.image_folders import image_folder
from components.network import Egress
from components.task import FARGATE_SIZES, NAME_PATTERN
from settings_beancleaner import BeancleanerSettings, beancleaner_mistakes, beancleaner_warnings
from settings_budget import budget_warnings
from settings_checks import across_bots, host_mistakes, secret_mistakes
from settings_data import BoardSettings, DataSettings, GrafanaSettings, data_mistakes
from settings_market import EarnyearnSettings, FinnhubReplaySettings, PurrstreamSettings, market_mistakes
from settings_section import PROJECT, HostKind, Port, Section
from settings_services import ServiceSettings, service_mistakes
from settings_webhook import AlpacaPaperSettings, WebhookSettings, webhook_mistakes


class BotSettings(Section):
    """One block of `tradestack:bots`. Names and meaning as in FreqtradeBotArgs."""

    name: Annotated[str, Field(pattern=f"^{NAME_PATTERN.pattern}$")]
    strategy: str
    pairs: Annotated[list[str], Field(min_length=1)]
    stake_currency: str
    stake_amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    max_open_trades: Annotated[int, Field(ge=1)]
    dry_run: bool = True
    dry_run_wallet: Optional[Annotated[float, Field(gt=0, allow_inf_nan=False)]] = None
    exchange: str = "binance"
    """`replay` is the stack's own exchange replay; anything else an exchange's name."""
    timeframe: Optional[str] = None
    config: dict[str, Any] = {}
    variant: Annotated[FreqtradeVariant, Field(strict=False)] = FreqtradeVariant.PLAIN
    image_context: Optional[str] = None
    image: Optional[str] = None
    cpu: int = 256
    memory: int = 512
    architecture: Optional[str] = None
    spot: bool = True
    published_port: Optional[Port] = None
    execute_command: bool = False
    volume: Optional[str] = None
    protect: bool = False
    secret_arn: Optional[str] = None
    secret_keys: list[str] = []

    @model_validator(mode="after")
    def _check(self) -> "BotSettings":
        mistakes = config_mistakes(self.config)
        if self.cpu not in FARGATE_SIZES:
            mistakes.append(f"cpu={self.cpu}: use one of {', '.join(map(str, FARGATE_SIZES))}")
        elif self.memory not in FARGATE_SIZES[self.cpu]:
            mistakes.append(f"memory={self.memory}: with cpu {self.cpu} use one of {', '.join(map(str, FARGATE_SIZES[self.cpu]))} (MiB)")
        if not self.image:
            try:
                strategies = known_strategies(self.image_context or image_folder("freqtrade"))
            except OSError as error:
                mistakes.append(f"imageContext={self.image_context!r}: {error}")
            else:
                if self.strategy not in strategies:
                    mistakes.append(f"strategy={self.strategy!r}: no such strategy; there are {', '.join(strategies) or 'none'}")
        if self.exchange == "replay" and not self.dry_run:
            mistakes.append("dryRun=false: the replay is no exchange; name a real one to trade for real")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    @property
    def image_key(self) -> tuple[str, ...]:
        """Bots with the same key run the same image."""
        return (self.image_context or "", self.variant.value, self.architecture or "")

    def arguments(self, secrets: dict[str, dict[str, str]]) -> dict[str, Any]:
        """FreqtradeBotArgs but for host and exchange_url; `secrets` as Settings.secrets has them."""
        built = {"image_context", "variant"}  # the program builds these images, once for all bots that share one
        given = self.model_dump(exclude={"name"} | built, exclude_none=True)
        if self.exchange == "replay":
            given["exchange"] = "binance"  # the replay speaks Binance's language
        if self.secret_arn is None:
            own = secrets[self.name]
            given["secrets"] = {key: pulumi.Output.secret(own[to_camel(key)]) for key in SECRET_VARIABLES if to_camel(key) in own}
        return given


class ReplaySettings(Section):
    """`tradestack:exchangeReplay`: recorded market data in place of an exchange."""

    speed: int = 5
    published_port: Optional[Port] = None


class NetworkSettings(Section):
    """`tradestack:network`: the VPC that a fargate stack makes."""

    egress: Annotated[Egress, Field(strict=False)] = Egress.PUBLIC
    zones: Annotated[int, Field(ge=1, le=6)] = 1
    cidr: str = "10.0.0.0/16"


class ClusterSettings(Section):
    """`tradestack:cluster`: storage, logs and alarms of a fargate stack."""

    log_retention_days: int = 30
    protect: bool = False
    alarm_email: Optional[str] = None
    container_insights: Annotated[ContainerInsights, Field(strict=False)] = ContainerInsights.DISABLED


class Settings(Section):
    """All of `tradestack:*`."""

    host: Annotated[HostKind, Field(strict=False)]
    bots: list[BotSettings] = []
    exchange_replay: Optional[ReplaySettings] = None
    webhook: Optional[WebhookSettings] = None
    alpaca_paper: Optional[AlpacaPaperSettings] = None
    data: Optional[DataSettings] = None
    board: Optional[BoardSettings] = None
    grafana: Optional[GrafanaSettings] = None
    purrstream: Optional[PurrstreamSettings] = None
    earnyearn: Optional[EarnyearnSettings] = None
    finnhub_replay: Optional[FinnhubReplaySettings] = None
    beancleaner: Optional[BeancleanerSettings] = None
    services: list[ServiceSettings] = []
    network: NetworkSettings = NetworkSettings()
    cluster: ClusterSettings = ClusterSettings()
    base_images: dict[str, str] = {}
    secrets: dict[str, dict[str, str]] = Field(default={}, repr=False)
    """Name of a bot or a service, or block such as `webhook` or `data` -> key (camelCase, as in the component's secrets) -> value."""

    def images(self) -> dict[tuple[str, ...], tuple[str, dict[str, Any]]]:
        """Images to build: BotSettings.image_key -> (resource name, BotImageArgs but for the host)."""
        return {
            bot.image_key: (
                _image_name(bot.image_key),
                {key: value for key, value in zip(("context", "variant", "architecture"), bot.image_key) if value},
            )
            for bot in self.bots
            if bot.image is None
        }


def _image_name(key: tuple[str, ...]) -> str:
    """Resource name of a shared image, e.g. `bots`, `bots-freqai`, `bots-my-folder-arm64`."""
    context, variant, architecture = key
    parts = ["bots", context, "" if variant == "plain" else variant, architecture]
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts if part)


class ConfigurationError(pulumi.RunError):
    """The stack's configuration is wrong; one line for each mistake. Pulumi prints a RunError without a traceback."""


def load(stack: str) -> Settings:
    """The current stack's settings, from Pulumi's configuration. Raises ConfigurationError."""
    config = pulumi.Config(PROJECT)
    raw: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        key = field.alias or name
        text = config.get(key)
        if text is None:
            continue
        try:
            raw[key] = text if key == "host" else json.loads(text)
        except json.JSONDecodeError:
            raw[key] = text  # the type check below names the key and what it expects
    settings = parse(raw, stack)
    for one in (*beancleaner_warnings(settings), *budget_warnings(settings)):
        pulumi.log.warn(one)
    return settings


def parse(raw: dict[str, Any], stack: str) -> Settings:
    """Validate `raw` (configuration keys without `tradestack:`). Raises ConfigurationError naming every mistake at once."""
    mistakes = across_bots(raw)
    settings = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        mistakes += [_sentence(one) for one in error.errors(include_url=False, include_context=False)]
    if settings is not None:
        checks = (secret_mistakes, webhook_mistakes, data_mistakes, market_mistakes, beancleaner_mistakes, service_mistakes)
        mistakes += host_mistakes(settings) + [one for check in checks for one in check(settings, stack)]
    if mistakes or settings is None:
        raise ConfigurationError(f"the configuration of stack {stack!r} has mistakes:\n" + "\n".join(f"  - {one}" for one in mistakes))
    return settings


def _sentence(error: Any) -> str:
    path = "".join(
        f"[{part}]" if isinstance(part, int) else (f".{part}" if index else str(part)) for index, part in enumerate(error["loc"])
    )
    message = error["msg"].removeprefix("Value error, ")
    if path.startswith("secrets"):
        return f"{PROJECT}:{path}: {message}"  # never show a secret's value
    shown = "" if error["type"] in ("missing", "value_error") else f"={error['input']!r}"
    if error["type"] == "extra_forbidden":
        message = "unknown key; check its spelling"
    if error["type"] == "missing":
        message = "is missing"
    return f"{PROJECT}:{path}{shown}: {message}"
