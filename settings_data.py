"""`tradestack:data`, `tradestack:board` and `tradestack:grafana`: the data services of a stack, and who shows them."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pulumi
from pydantic import Field
from pydantic.alias_generators import to_camel, to_snake

from components.timeseries_args import ChunkStore, HistoryEngine, StoreKind
from components.timeseries_checks import STORES, URL_SCHEMES, argument_mistakes, needed_secrets
from components.timeseries_stack import TimeseriesStack
from components.timeseries_urls import READ_PATH, WRITE_PATH
from settings_section import DATA, GRAFANA, PROJECT, Port, Section

if TYPE_CHECKING:
    from settings import Settings

BOARD, BOT_METRICS = "board", "bot-metrics"
# What `make secrets` makes up for Grafana.
GRAFANA_PASSWORD = "adminPassword"
# Taken by the data services' own tasks and by those that come with them.
RESERVED_NAMES = (*(f"{DATA}-{task}" for task in (*STORES, "log-router")), BOT_METRICS, BOARD, GRAFANA)
MOST_TRADES_DAYS = 30
# Bots with name, URL, user and password in one secret of Secrets Manager.
MOST_POLLED = 290
URL_PATHS = {"influx_write_url": WRITE_PATH, "influx_read_url": READ_PATH}
Kind = Optional[Annotated[StoreKind, Field(strict=False)]]


class RedisSettings(Section):
    """Names and meaning as in RedisStore."""

    kind: Kind = None
    max_memory_mb: Optional[int] = None
    node_type: Optional[str] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    image: Optional[str] = None
    volume: Optional[str] = None
    published_port: Optional[Port] = None


class InfluxdbSettings(Section):
    """Names and meaning as in InfluxdbStore."""

    kind: Kind = None
    retention_days: Optional[int] = None
    instance_type: Optional[str] = None
    storage_gb: Optional[int] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    image: Optional[str] = None
    volume: Optional[str] = None
    published_port: Optional[Port] = None


class LokiSettings(Section):
    """Names and meaning as in LokiStore."""

    kind: Kind = None
    retention_days: Optional[int] = None
    chunks: Optional[Annotated[ChunkStore, Field(strict=False)]] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    image: Optional[str] = None
    volume: Optional[str] = None
    published_port: Optional[Port] = None


class HistorySettings(Section):
    """Names and meaning as in HistoryStore."""

    kind: Kind = None
    engine: Optional[Annotated[HistoryEngine, Field(strict=False)]] = None
    retention_days: Optional[int] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    image: Optional[str] = None
    port: Optional[int] = None
    mount_path: Optional[str] = None
    volume: Optional[str] = None
    published_port: Optional[Port] = None


class DataSettings(Section):
    """`tradestack:data`. Names and meaning as in TimeseriesStackArgs; `{}` is all containers with their defaults."""

    redis: Optional[RedisSettings] = None
    influxdb: Optional[InfluxdbSettings] = None
    loki: Optional[LokiSettings] = None
    history: Optional[HistorySettings] = None
    log_router_port: Optional[Port] = None
    backup: Optional[bool] = None
    protect: Optional[bool] = None
    spot: Optional[bool] = None
    architecture: Optional[str] = None

    def arguments(self, secrets: Mapping[str, str]) -> dict[str, Any]:
        """TimeseriesStackArgs but for host; `secrets` have camelCase keys."""
        own = {to_snake(key): pulumi.Output.secret(value) for key, value in secrets.items()}
        return {**self.model_dump(exclude_none=True), "secrets": own}

    @property
    def trades_days(self) -> int:
        """Days of closed trades that are written again at each start of the poller: InfluxDB refuses older ones than it keeps."""
        kept = (self.influxdb.retention_days if self.influxdb else None) or MOST_TRADES_DAYS
        return min(kept, MOST_TRADES_DAYS)


class BoardSettings(Section):
    """`tradestack:board`: the page that shows bots, alerts, orders, costs and logs. `{}` will do."""

    published_port: Optional[Port] = None
    """Port on this machine's loopback address (docker only); without one a tunnel leads to it."""
    hosts: Optional[list[str]] = None
    title: Optional[str] = None

    def arguments(self) -> dict[str, Any]:
        """BoardArgs but for host, secrets and services."""
        return self.model_dump(exclude_none=True)


class GrafanaSettings(Section):
    """`tradestack:grafana`: Grafana with the project's dashboards, whose image must be pullable. `{}` will do."""

    published_port: Optional[Port] = None
    """Port on this machine's loopback address (docker only); without one a tunnel leads to it."""

    def arguments(self, secrets: Mapping[str, Mapping[str, str]], data: TimeseriesStack) -> dict[str, Any]:
        """GrafanaArgs but for host; `secrets` as Settings.secrets has them."""
        password = pulumi.Output.secret(secrets[GRAFANA][GRAFANA_PASSWORD])
        read = {"influx_url": data.influx_read_url, "loki_url": data.loki_url, "admin_password": password}
        return {**self.model_dump(exclude_none=True), "secrets": read}


def data_mistakes(settings: "Settings", stack: str) -> list[str]:
    """What is wrong with these blocks beyond types; messages name configuration keys."""
    mistakes = [
        f"{PROJECT}:bots: name={bot.name!r}: a task of the data services has this name; choose another"
        for bot in settings.bots
        if bot.name in RESERVED_NAMES
    ]
    for key, block in ((BOARD, settings.board), (GRAFANA, settings.grafana)):
        if block is not None and settings.data is None:
            mistakes.append(f"{PROJECT}:{key}: there is no {PROJECT}:{DATA} that it would show; add it ({{}} will do), or remove {key}")
        if block is not None and block.published_port and settings.host.value == "fargate":
            mistakes.append(f"{PROJECT}:{key}: publishedPort={block.published_port}: Fargate publishes nothing; use a tunnel")
    if settings.grafana is not None and not settings.secrets.get(GRAFANA, {}).get(GRAFANA_PASSWORD):
        path = f"{PROJECT}:secrets.{GRAFANA}.{GRAFANA_PASSWORD}"
        mistakes.append(f"{path}: is missing; run `make secrets STACK={stack}`, which makes it up")
    if settings.data is None:
        return mistakes
    polled = sum(bot.secret_arn is None for bot in settings.bots)
    if settings.host.value == "fargate" and polled > MOST_POLLED:
        fix = "give secretArn to the others, whose numbers nobody polls then, or move them to another stack"
        mistakes.append(
            f"{PROJECT}:bots: {polled} without secretArn: the poller's one secret holds the credentials of at most {MOST_POLLED} "
            f"(Secrets Manager takes 65,536 bytes); {fix}"
        )
    return mistakes + _published(settings) + _secrets(settings, stack) + _component(settings)


def made_up_data_secrets(block: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys (camelCase) that `make secrets` makes up for a `tradestack:data` block as it stands in the configuration, checked or not: letters
    and digits, 16 to 64 of them, because AWS's own stores take no others."""
    return tuple(to_camel(key) for key in _needed(block) if key not in URL_SCHEMES)


def made_up_grafana_secrets(block: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for a `tradestack:grafana` block, which always needs the password of its one user."""
    return (GRAFANA_PASSWORD,)


def data_placeholders(block: Mapping[str, Any], text: str) -> dict[str, str]:
    """A value for every secret that the block needs, for a preview without the real ones; `text` makes it recognizable."""
    word = re.sub(r"[^A-Za-z0-9]", "", text)[:62]
    # Each its own: InfluxDB refuses a password that two of its users share.
    values = {key: f"{word}{index}" for index, key in enumerate(_needed(block))}
    return {
        to_camel(key): f"{URL_SCHEMES[key][-1]}://me:{value}@example.org{URL_PATHS.get(key, '')}" if key in URL_SCHEMES else value
        for key, value in values.items()
    }


def _needed(block: Mapping[str, Any]) -> tuple[str, ...]:
    return needed_secrets({store: own for store, own in block.items() if isinstance(own, Mapping) or store not in STORES})


def _published(settings: "Settings") -> Iterable[str]:
    if settings.host.value != "fargate":
        return []
    blocks = {store: getattr(settings.data, store) for store in STORES}
    return [
        f"{PROJECT}:{DATA}.{store}: publishedPort={block.published_port}: Fargate publishes nothing; leave it out and use a tunnel"
        for store, block in blocks.items()
        if block is not None and block.published_port
    ]


def _secrets(settings: "Settings", stack: str) -> list[str]:
    """Those that are missing, with how to get them."""
    given, path = settings.secrets.get(DATA, {}), f"{PROJECT}:secrets.{DATA}"
    mistakes = []
    for key in needed_secrets(settings.data.model_dump(exclude_none=True)):
        name = to_camel(key)
        if not given.get(name) and key in URL_SCHEMES:
            typed = f"run `pulumi config set --secret --path '{path}.{name}' --stack {stack}` and paste the URL with its credentials"
            mistakes.append(f"{path}.{name}: is missing; {typed}")
        elif not given.get(name):
            mistakes.append(f"{path}.{name}: is missing; run `make secrets STACK={stack}`, which makes it up")
    return mistakes


def _component(settings: "Settings") -> list[str]:
    """What TimeseriesStack itself would refuse, before anything is created; what is missing is told above and filled in here."""
    args = settings.data.model_dump(exclude_none=True)
    known = {to_snake(key): value for key, value in settings.secrets.get(DATA, {}).items() if value}
    filled = {to_snake(key): value for key, value in data_placeholders(args, "placeholder-of-a-secret").items()}
    found = argument_mistakes({**args, "host": {settings.host.value: {}}, "secrets": {**filled, **known}})
    return [_with_configuration_keys(one) for one in found]


def _with_configuration_keys(mistake: str) -> str:
    """Arguments are snake_case, configuration is camelCase, and secrets have a block of their own."""
    text = re.sub(r"\b[a-z]+(_[a-z]+)+\b", lambda name: to_camel(name[0]), mistake)
    return f"{PROJECT}:secrets.{DATA}.{text.removeprefix('secrets.')}" if text.startswith("secrets.") else f"{PROJECT}:{DATA}.{text}"
