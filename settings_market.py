"""`tradestack:purrstream`, `tradestack:earnyearn` and `tradestack:finnhubReplay`: market data for all services, and the strategy around earnings."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pulumi
from pydantic import Field

from components import earnyearn, finnhub_replay, purrstream
from components.earnyearn import EarningsSide, EarningsSignals, Recommendation
from components.purrstream import MarketFeed
from settings_account import STAND_IN_ACCOUNT, AccountSettings, account_mistakes, account_placeholders
from settings_budget import budget
from settings_section import (
    BEANCLEANER,
    DATA,
    EARNYEARN,
    FINNHUB_REPLAY,
    PROJECT,
    PURRSTREAM,
    WEBHOOK,
    Port,
    Section,
    in_configuration_keys,
    size_mistakes,
    typed_secret,
)

if TYPE_CHECKING:
    from settings import Settings

FINNHUB_KEY, SIGNING_KEY, REPLAY_KEY = "finnhubKey", "signingKey", "key"
# Block -> resource name of its component, which is its DNS name too.
MARKET_TASKS = {PURRSTREAM: "purrstream", FINNHUB_REPLAY: "finnhub-replay", EARNYEARN: "earnyearn", BEANCLEANER: "beancleaner"}
STAND_IN = "x" * 32
Whole = Optional[int]
Amount = Optional[float]


class PurrstreamSettings(AccountSettings):
    """Names and meaning as in PurrstreamArgs; `{}` will do beside a webhook."""

    feed: Optional[Annotated[MarketFeed, Field(strict=False)]] = None
    symbols: Optional[list[str]] = None
    news: Optional[bool] = None
    requests_per_minute: Whole = None
    published_port: Optional[Port] = None
    cpu: Whole = None
    memory: Whole = None
    architecture: Optional[str] = None
    spot: Optional[bool] = None

    def arguments(self, settings: "Settings", parts: Mapping[str, Any]) -> dict[str, Any]:
        """PurrstreamArgs but for host; `parts` are the components that the stack has, by the name of their block."""
        given = {**self.model_dump(exclude_none=True), **budget(settings, PURRSTREAM), **self.access(settings, PURRSTREAM)}
        given["secrets"] |= {"redis_url": parts[DATA].redis_url, "influx_url": parts[DATA].influx_write_url}
        if settings.data.history is not None:
            given["secrets"]["history_url"] = parts[DATA].history_url
        if paper := parts.get("alpacaPaper"):
            stream = paper.url.apply(lambda url: url.replace("http", "ws", 1))
            given |= {"broker_url": paper.url, "data_url": paper.url, "stream_url": stream}
        return given


class EarnyearnSettings(Section):
    """Names and meaning as in EarnyearnArgs. What can cost money has no default."""

    notional: float
    trail_percent: float
    side: Optional[Annotated[EarningsSide, Field(strict=False)]] = None
    signals: Optional[Annotated[EarningsSignals, Field(strict=False)]] = None
    recommendation: Optional[Annotated[Recommendation, Field(strict=False)]] = None
    days: Whole = None
    min_eps_estimate: Amount = None
    min_revenue_estimate: Amount = None
    most_symbols: Whole = None
    cooldown: Whole = None
    minutes_before_close: Whole = None
    fresh: Whole = None
    published_port: Optional[Port] = None
    cpu: Whole = None
    memory: Whole = None
    architecture: Optional[str] = None
    spot: Optional[bool] = None

    def arguments(self, settings: "Settings", parts: Mapping[str, Any]) -> dict[str, Any]:
        """EarnyearnArgs but for host."""
        given = self.model_dump(exclude_none=True)
        own, webhook = settings.secrets.get(EARNYEARN, {}), settings.secrets.get(WEBHOOK, {})
        finnhub = settings.secrets[FINNHUB_REPLAY][REPLAY_KEY] if settings.finnhub_replay is not None else own[FINNHUB_KEY]
        secrets = {
            "finnhub_key": pulumi.Output.secret(finnhub),
            "signing_key": pulumi.Output.secret(own.get(SIGNING_KEY) or webhook[SIGNING_KEY]),
            "redis_url": parts[DATA].redis_url,
            "influx_url": parts[DATA].influx_write_url,
        }
        if replay := parts.get(FINNHUB_REPLAY):
            given["finnhub_url"] = replay.url
        urls = {"purrstream_url": parts[PURRSTREAM].url, "webhook_url": parts[WEBHOOK].private_url}
        return {**given, **urls, "account": settings.webhook.account, "secrets": secrets}


class FinnhubReplaySettings(Section):
    """Names and meaning as in FinnhubReplayArgs; `{}` will do."""

    test_api: Optional[bool] = None
    published_port: Optional[Port] = None

    def arguments(self, settings: "Settings") -> dict[str, Any]:
        """FinnhubReplayArgs but for host."""
        return {
            **self.model_dump(exclude_none=True),
            "secrets": {"key": pulumi.Output.secret(settings.secrets[FINNHUB_REPLAY][REPLAY_KEY])},
        }


def market_mistakes(settings: "Settings", stack: str) -> list[str]:
    """What is wrong with these blocks beyond types; messages name configuration keys."""
    mistakes = [
        f"{PROJECT}:bots: name={bot.name!r}: a task of the stack itself has this name; choose another"
        for bot in settings.bots
        if bot.name in MARKET_TASKS.values()
    ]
    mistakes += [*_purrstream(settings, stack), *_earnyearn(settings, stack), *_finnhub_replay(settings, stack)]
    for name, block in ((PURRSTREAM, settings.purrstream), (EARNYEARN, settings.earnyearn), (FINNHUB_REPLAY, settings.finnhub_replay)):
        if block is not None and block.published_port and settings.host.value == "fargate":
            mistakes.append(
                f"{PROJECT}:{name}: publishedPort={block.published_port}: Fargate publishes nothing; leave it out and use a tunnel"
            )
    return mistakes


def _purrstream(settings: "Settings", stack: str) -> Iterator[str]:
    block, path = settings.purrstream, f"{PROJECT}:{PURRSTREAM}"
    if block is None:
        return
    if settings.data is None:
        yield f"{path}: there is no {PROJECT}:{DATA}, through whose Redis the others hear it; add it ({{}} will do)"
    yield from account_mistakes(settings, stack, PURRSTREAM)
    secrets = dict.fromkeys(purrstream.REQUIRED_SECRETS, STAND_IN)
    account = {"account": block.account or STAND_IN_ACCOUNT, **({"mode": "live", "live_account": "1"} if block.live_account else {})}
    args = {**block.model_dump(exclude={"account", "mode", "live_account"}, exclude_none=True), **account, "secrets": secrets}
    yield from _of_component(path, purrstream.argument_mistakes(args), block)


def _earnyearn(settings: "Settings", stack: str) -> Iterator[str]:
    block, path, secrets = settings.earnyearn, f"{PROJECT}:{EARNYEARN}", f"{PROJECT}:secrets.{EARNYEARN}"
    if block is None:
        return
    for name, why in ((PURRSTREAM, "whose bars it trades on"), (WEBHOOK, "which places its orders"), (DATA, "whose Redis its list is in")):
        if getattr(settings, name) is None:
            yield f"{path}: there is no {PROJECT}:{name}, {why}; add it, or remove {EARNYEARN}"
    given = settings.secrets.get(EARNYEARN, {})
    yield from (
        f"{secrets}.{key}: unknown key; use {FINNHUB_KEY}, {SIGNING_KEY}" for key in sorted(set(given) - {FINNHUB_KEY, SIGNING_KEY})
    )
    if settings.finnhub_replay is None and not given.get(FINNHUB_KEY):
        how = f"it comes from Finnhub's website: {typed_secret(stack, f'{secrets}.{FINNHUB_KEY}')}"
        yield f"{secrets}.{FINNHUB_KEY}: is missing; {how}, or add {PROJECT}:{FINNHUB_REPLAY}, which makes earnings up"
    if settings.webhook is not None:
        arn = settings.webhook.secret_arn
        if arn and not given.get(SIGNING_KEY):
            how = typed_secret(stack, f"{secrets}.{SIGNING_KEY}")
            yield f"{secrets}.{SIGNING_KEY}: is missing; the webhook's is in its secretArn, which the program can't read: {how}"
        if not arn and given.get(SIGNING_KEY):
            yield f"{secrets}.{SIGNING_KEY}: it signs with the webhook's ({PROJECT}:secrets.{WEBHOOK}.{SIGNING_KEY}); remove it"
        yield from _beyond_limits(settings)
    stand_ins = dict.fromkeys(earnyearn.REQUIRED_SECRETS, STAND_IN)
    yield from _of_component(
        path, earnyearn.argument_mistakes({**block.model_dump(exclude_none=True), "account": STAND_IN_ACCOUNT, "secrets": stand_ins}), block
    )


def _beyond_limits(settings: "Settings") -> Iterator[str]:
    """Orders that the webhook would refuse, every one of them."""
    limits, block, path = settings.webhook.limits, settings.earnyearn, f"{PROJECT}:{EARNYEARN}"
    for scope in ("alert", "symbol", "account"):
        most = getattr(getattr(limits, scope), "order_notional", None)
        if most is not None and block.notional > most:
            key = f"{PROJECT}:{WEBHOOK}.limits.{scope}.orderNotional={most:g}"
            yield f"{path}.notional={block.notional:g}: {key} refuses every such order; use {most:g} or less"
    if block.side in (EarningsSide.SELL, EarningsSide.BOTH) and not limits.allow_short:
        yield f"{path}.side={block.side.value!r}: {PROJECT}:{WEBHOOK}.limits.allowShort is not true, so that every sale is refused; use buy, or allow it"


def _finnhub_replay(settings: "Settings", stack: str) -> Iterator[str]:
    if settings.finnhub_replay is None:
        return
    path, secrets = f"{PROJECT}:{FINNHUB_REPLAY}", f"{PROJECT}:secrets.{FINNHUB_REPLAY}"
    if settings.earnyearn is None:
        yield f"{path}: there is no {PROJECT}:{EARNYEARN} that would ask it; remove it"
    if settings.secrets.get(EARNYEARN, {}).get(FINNHUB_KEY):
        yield f"{path}: earnings are made up, but {PROJECT}:secrets.{EARNYEARN}.{FINNHUB_KEY} is a real key; remove one of the two"
    if settings.webhook is not None and settings.webhook.mode.value == "live":
        yield f"{path}: made-up earnings, and the webhook trades real money; remove it and give {PROJECT}:secrets.{EARNYEARN}.{FINNHUB_KEY}"
    given = settings.secrets.get(FINNHUB_REPLAY, {})
    yield from (f"{secrets}.{key}: unknown key; use {REPLAY_KEY}" for key in sorted(set(given) - {REPLAY_KEY}))
    if not given.get(REPLAY_KEY):
        yield f"{secrets}.{REPLAY_KEY}: is missing; run `make secrets STACK={stack}`, which makes it up"
    yield from _of_component(path, finnhub_replay.argument_mistakes({"secrets": {"key": STAND_IN}}), None)


def _of_component(path: str, found: list[str], block: Any) -> Iterator[str]:
    yield from (f"{path}.{in_configuration_keys(one)}" for one in found)
    yield from (f"{path}.{one}" for one in (size_mistakes(block.cpu, block.memory, block.architecture) if block else ()))


def market_placeholders(values: Mapping[str, Any], text: str) -> dict[str, dict[str, str]]:
    """Block -> a value for every secret that it needs, for a preview without the real ones; `values` is a configuration (`tradestack:…` keys) as it
    stands, checked or not."""
    tracked = values.get(f"{PROJECT}:secrets") or {}
    webhook = values.get(f"{PROJECT}:{WEBHOOK}")
    found = {}
    if isinstance(values.get(f"{PROJECT}:{PURRSTREAM}"), Mapping):
        found[PURRSTREAM] = account_placeholders(webhook, tracked.get(PURRSTREAM) or {}, text)
    replayed = isinstance(values.get(f"{PROJECT}:{FINNHUB_REPLAY}"), Mapping)
    if replayed:
        found[FINNHUB_REPLAY] = dict.fromkeys(made_up_replay_secrets(), text)
    if isinstance(values.get(f"{PROJECT}:{EARNYEARN}"), Mapping):
        arn = isinstance(webhook, Mapping) and webhook.get("secretArn")
        found[EARNYEARN] = dict.fromkeys([*([] if replayed else [FINNHUB_KEY]), *([SIGNING_KEY] if arn else [])], text)
    return {name: keys for name, keys in found.items() if keys}


def made_up_replay_secrets() -> tuple[str, ...]:
    """Keys that `make secrets` makes up for a `tradestack:finnhubReplay` block."""
    return (REPLAY_KEY,)
