"""The services around the market in a stack's configuration: mistakes with their keys, what each is told, never a secret's value."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

import components
from components.beancleaner_rules import QUOTE
from settings import ConfigurationError, parse
from settings_beancleaner import BeancleanerSettings, beancleaner_warnings, rule_mistakes
from settings_market import MARKET_TASKS, EarnyearnSettings, FinnhubReplaySettings, PurrstreamSettings
from settings_services import ServiceSettings
from tests.unit.pulumi_mocks import deploy
from tools.stack import local_config, secrets
from tools.stack.services import everything, service_statuses
from tools.stack.stack_file import read
from tools.stack.trial import placeholder_config

LIMITS = {
    "account": {"orderNotional": 5000, "notionalPerDay": 50000, "ordersPerDay": 50, "lossPerDay": 200},
    "alert": {"orderNotional": 1000},
}
DATA = {key: f"hush{key}0123456789" for key in ("redisPassword", "influxAdminPassword", "influxWritePassword", "influxReadPassword")}
WEBHOOK = {"signingKey": "hush" * 10, "brokerKey": "hush-key", "brokerSecret": "hush-secret"}
RULES = {"keep": {"lists": ["earnings_list"]}, "rules": [{"name": "bell", "close": "all", "when": {"minutes_before_close": 2}}]}
LOCAL: dict[str, Any] = {
    "host": "docker",
    "alpacaPaper": {},
    "webhook": {"broker": "alpaca-paper", "account": "paper", "limits": LIMITS},
    "data": {},
    "purrstream": {"symbols": ["AAPL"]},
    "earnyearn": {"notional": 1000, "trailPercent": 0.5},
    "finnhubReplay": {},
    "beancleaner": {"rules": RULES},
    "secrets": {"webhook": WEBHOOK, "data": DATA, "finnhubReplay": {"key": "hush-replay"}},
}
AWS: dict[str, Any] = {
    **{key: value for key, value in LOCAL.items() if key not in ("alpacaPaper", "finnhubReplay")},
    "host": "fargate",
    "webhook": {"broker": "alpaca", "account": "paper", "limits": LIMITS},
    "secrets": {"webhook": WEBHOOK, "data": DATA, "earnyearn": {"finnhubKey": "hush-finnhub"}},
}
ALONE: dict[str, Any] = {
    "host": "fargate",
    "data": {},
    "purrstream": {"account": "paper"},
    "beancleaner": {"account": "paper", "rules": RULES},
    "secrets": {
        "data": DATA,
        "purrstream": {"brokerKey": "hush-p", "brokerSecret": "hush-p"},
        "beancleaner": {"brokerKey": "hush-b", "brokerSecret": "hush-b"},
    },
}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:w-AbCdEf"


def mistakes(base: dict[str, Any], change: Any) -> str:
    raw = copy.deepcopy(base)
    change(raw)
    with pytest.raises(ConfigurationError) as error:
        parse(raw, "dev")
    return str(error.value)


def block(name: str, **changes: Any) -> Any:
    return lambda raw: raw[name].update(changes)


def without(*names: str) -> Any:
    return lambda raw: [raw.pop(name) for name in names]


def secret(name: str, **changes: Any) -> Any:
    return lambda raw: raw["secrets"].setdefault(name, {}).update(changes)


def rule(**changes: Any) -> Any:
    return lambda raw: raw["beancleaner"]["rules"]["rules"][0].update(changes)


def by_arn(raw: dict[str, Any]) -> None:
    """The webhook's secrets are where the program can't read them."""
    raw["webhook"]["secretArn"] = ARN
    del raw["secrets"]["webhook"]


@pytest.mark.parametrize("base", [LOCAL, AWS, ALONE], ids=["local", "aws", "alone"])
def test_all_of_them(base: dict[str, Any]) -> None:
    settings = parse(copy.deepcopy(base), "dev")
    assert "hush" not in repr(settings)
    access = settings.purrstream.access(settings, "purrstream")
    assert (access["account"], access["mode"], set(access["secrets"])) == ("paper", "paper", {"broker_key", "broker_secret"})


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        # What belongs together.
        (LOCAL, without("purrstream"), "tradestack:earnyearn: there is no tradestack:purrstream, whose bars it trades on; add it"),
        (LOCAL, without("data"), "tradestack:earnyearn: there is no tradestack:data, whose Redis its list is in"),
        (LOCAL, without("data"), "tradestack:purrstream: there is no tradestack:data, through whose Redis the others hear it"),
        (LOCAL, without("data"), "tradestack:beancleaner: there is no tradestack:data, in whose Redis it keeps its lists"),
        (LOCAL, without("webhook", "alpacaPaper"), "tradestack:earnyearn: there is no tradestack:webhook, which places its orders"),
        (LOCAL, without("webhook", "alpacaPaper"), "tradestack:beancleaner.account: is missing; there is no tradestack:webhook"),
        (LOCAL, without("webhook", "alpacaPaper"), "tradestack:purrstream.account: is missing; there is no tradestack:webhook"),
        (LOCAL, without("earnyearn"), "tradestack:finnhubReplay: there is no tradestack:earnyearn that would ask it; remove it"),
        (LOCAL, secret("earnyearn", finnhubKey="hush"), "secrets.earnyearn.finnhubKey is a real key; remove one of the two"),
        (
            AWS,
            lambda raw: (raw["webhook"].update(mode="live", liveAccount="1"), raw.update(finnhubReplay={}, cluster={"alarmEmail": "a@b.c"})),
            "tradestack:finnhubReplay: made-up earnings, and the webhook trades real money",
        ),
        # Credentials.
        (
            ALONE,
            lambda raw: raw["secrets"].pop("beancleaner"),
            "tradestack:secrets.beancleaner.brokerKey: is missing; it comes from Alpaca's website: "
            "run `pulumi config set --secret --path 'tradestack:secrets.beancleaner.brokerKey' --stack dev` and paste it",
        ),
        (ALONE, lambda raw: raw["secrets"]["purrstream"].pop("brokerSecret"), "tradestack:secrets.purrstream.brokerSecret: is missing"),
        (AWS, secret("purrstream", brokerKey="hush"), "tradestack:secrets.purrstream.brokerSecret: is missing"),
        (AWS, secret("beancleaner", signingKey="hush"), "tradestack:secrets.beancleaner.signingKey: unknown key; use brokerKey, brokerSecret"),
        (LOCAL, secret("beancleaner", brokerKey="hush", brokerSecret="hush"), "the stack's own paper broker knows one key, the webhook's"),
        (AWS, by_arn, "tradestack:secrets.purrstream.brokerKey: is missing; the webhook's is in its secretArn, which the program can't read"),
        (AWS, by_arn, "tradestack:secrets.beancleaner.brokerKey: is missing; the webhook's is in its secretArn"),
        (AWS, by_arn, "tradestack:secrets.earnyearn.signingKey: is missing; the webhook's is in its secretArn"),
        (AWS, secret("earnyearn", signingKey="hush"), "tradestack:secrets.earnyearn.signingKey: it signs with the webhook's"),
        (
            AWS,
            lambda raw: raw["secrets"].pop("earnyearn"),
            "tradestack:secrets.earnyearn.finnhubKey: is missing; it comes from Finnhub's website: "
            "run `pulumi config set --secret --path 'tradestack:secrets.earnyearn.finnhubKey' --stack dev` and paste it",
        ),
        (AWS, secret("earnyearn", key="hush"), "tradestack:secrets.earnyearn.key: unknown key; use finnhubKey, signingKey"),
        (LOCAL, lambda raw: raw["secrets"].pop("finnhubReplay"), "secrets.finnhubReplay.key: is missing; run `make secrets STACK=dev`"),
        (LOCAL, secret("finnhubReplay", token="hush"), "tradestack:secrets.finnhubReplay.token: unknown key; use key"),
        (
            LOCAL,
            lambda raw: (raw.pop("earnyearn"), raw.pop("finnhubReplay")),
            "tradestack:secrets.finnhubReplay: there is no bot or service of this name",
        ),
        # The account.
        (LOCAL, block("purrstream", account="paper"), "tradestack:purrstream.account: is the webhook's (tradestack:webhook.account); leave it"),
        (AWS, block("beancleaner", mode="live"), "tradestack:beancleaner.mode: is the webhook's (tradestack:webhook.mode); leave it out"),
        (AWS, block("beancleaner", liveAccount="1"), "tradestack:beancleaner.liveAccount: is the webhook's"),
        (ALONE, block("beancleaner", mode="live"), "tradestack:beancleaner: mode and liveAccount: real money needs both"),
        (ALONE, block("purrstream", liveAccount="1"), "tradestack:purrstream: mode and liveAccount: real money needs both"),
        (ALONE, block("beancleaner", mode="live", liveAccount="1"), "cluster.alarmEmail: is missing and beancleaner trades real money"),
        (ALONE, block("purrstream", account="My Paper"), "tradestack:purrstream.account='My Paper': use 1 to 32 lower-case letters"),
        (ALONE, block("beancleaner", account="My Paper"), "tradestack:beancleaner.account='My Paper': use 1 to 32 lower-case letters"),
        # Money.
        (LOCAL, lambda raw: raw["earnyearn"].pop("notional"), "tradestack:earnyearn.notional: is missing"),
        (LOCAL, lambda raw: raw["earnyearn"].pop("trailPercent"), "tradestack:earnyearn.trailPercent: is missing"),
        (
            LOCAL,
            block("earnyearn", notional=2000),
            "tradestack:earnyearn.notional=2000: tradestack:webhook.limits.alert.orderNotional=1000 refuses every such order; use 1000 or less",
        ),
        (LOCAL, block("earnyearn", notional=6000), "tradestack:webhook.limits.account.orderNotional=5000 refuses every such order"),
        (LOCAL, block("earnyearn", side="both"), "tradestack:earnyearn.side='both': tradestack:webhook.limits.allowShort is not true"),
        (LOCAL, block("earnyearn", notional=-5), "tradestack:earnyearn.notional=-5: use 1 to 1000000 (USD)"),
        (LOCAL, block("earnyearn", notional=True), "tradestack:earnyearn.notional=True"),
        (LOCAL, block("earnyearn", notional=float("nan")), "tradestack:earnyearn.notional=nan"),
        (LOCAL, block("earnyearn", trailPercent=0), "tradestack:earnyearn.trailPercent=0: use 0.01 to 50 (percent)"),
        # Values.
        (LOCAL, block("earnyearn", side="long"), "tradestack:earnyearn.side='long'"),
        (LOCAL, block("earnyearn", minRevenueEstimate=-1), "tradestack:earnyearn.minRevenueEstimate=-1: use 0 to"),
        (LOCAL, block("earnyearn", day=3), "tradestack:earnyearn.day=3: unknown key"),
        (LOCAL, block("earnyearn", memory=300), "tradestack:earnyearn.memory=300: with cpu 256 use one of 512"),
        (LOCAL, block("purrstream", feed="all"), "tradestack:purrstream.feed='all'"),
        (LOCAL, block("purrstream", symbols=["aapl"]), "tradestack:purrstream.symbols: 'aapl': use a share such as AAPL"),
        (LOCAL, block("purrstream", cpu=300), "tradestack:purrstream.cpu=300: use one of 256"),
        (LOCAL, block("purrstream", architecture="x86"), "tradestack:purrstream.architecture='x86': use arm64 or amd64"),
        (LOCAL, block("earnyearn", architecture="sparc"), "tradestack:earnyearn.architecture='sparc': use arm64 or amd64"),
        (LOCAL, block("beancleaner", architecture="x86"), "tradestack:beancleaner.architecture='x86': use arm64 or amd64"),
        (LOCAL, block("earnyearn", architecture="amd64"), ""),
        (LOCAL, block("finnhubReplay", speed=5), "tradestack:finnhubReplay.speed=5: unknown key"),
        (LOCAL, block("beancleaner", rule={}), "tradestack:beancleaner.rule={}: unknown key"),
        (LOCAL, block("beancleaner", deadline=1), "tradestack:beancleaner.deadline=1: use 10 to 3600 (seconds)"),
        (LOCAL, block("beancleaner", memory=300), "tradestack:beancleaner.memory=300"),
        (LOCAL, lambda raw: raw["beancleaner"].pop("rules"), "tradestack:beancleaner.rules: is missing"),
        (LOCAL, block("purrstream", publishedPort=18090), ""),
        (AWS, block("purrstream", publishedPort=18090), "tradestack:purrstream: publishedPort=18090: Fargate publishes nothing"),
        (AWS, block("earnyearn", publishedPort=18090), "tradestack:earnyearn: publishedPort=18090: Fargate publishes nothing"),
        (
            LOCAL,
            lambda raw: [raw[name].update(publishedPort=18090) for name in ("purrstream", "earnyearn", "finnhubReplay")],
            "publishedPort=18090 is claimed 3 times",
        ),
        # Rules.
        (LOCAL, rule(when={"time": "25:00"}), "tradestack:beancleaner.rules.rules[0].when.time='25:00': use HH:MM of New York"),
        (LOCAL, rule(cloze="all"), "tradestack:beancleaner.rules.rules[0].cloze: no such key; use name, close, when, keep"),
        (LOCAL, lambda raw: raw["beancleaner"]["rules"].pop("keep"), "tradestack:beancleaner.rules.keep: say what is never closed"),
        (LOCAL, block("beancleaner", rules="keep: {symbols: []}\nrules: []\n"), "tradestack:beancleaner.rules: line 2, rules: use a list"),
        (AWS, lambda raw: (rule(when="always")(raw), block("beancleaner", watch=False)(raw)), "beancleaner.watch=False: bell need a service"),
    ],
)  # fmt: skip
def test_one_mistake(base: dict[str, Any], change: Any, expected: str) -> None:
    if not expected:
        raw = copy.deepcopy(base)
        change(raw)
        parse(raw, "dev")
        return
    message = mistakes(base, change)
    assert expected in message
    assert "hush" not in message


@pytest.mark.parametrize("name", MARKET_TASKS.values())
def test_a_bot_can_not_have_the_name_of_one_of_these_tasks(name: str) -> None:
    bot = {
        "name": name,
        "strategy": "BreakoutStrategy",
        "pairs": ["ETH/USDT"],
        "stakeCurrency": "USDT",
        "stakeAmount": 5,
        "maxOpenTrades": 1,
    }
    message = mistakes(LOCAL, lambda raw: raw.update(bots=[bot]))
    assert f"name={name!r}: a task of the stack itself has this name" in message


@pytest.mark.parametrize(
    ("block", "args", "own"),
    [
        (PurrstreamSettings, components.PurrstreamArgs, set()),
        (EarnyearnSettings, components.EarnyearnArgs, set()),
        (FinnhubReplaySettings, components.FinnhubReplayArgs, set()),
        (BeancleanerSettings, components.BeancleanerArgs, set()),
        (ServiceSettings, components.StrategyServiceArgs, {"name", "needs"}),
    ],
)
def test_every_key_is_explained_at_its_component(block: type, args: type, own: set[str]) -> None:
    assert set(block.model_fields) - own <= set(args.__annotations__)


def test_short_sales_where_the_webhook_allows_them() -> None:
    raw = copy.deepcopy(LOCAL)
    raw["webhook"]["limits"]["allowShort"] = True
    raw["earnyearn"]["side"] = "both"
    assert parse(raw, "dev").earnyearn.side == "both"


def told(base: dict[str, Any], name: str, **more_secrets: Any) -> dict[str, Any]:
    """What the component of a block is given, secrets shown."""
    raw = copy.deepcopy(base)
    raw["secrets"] |= more_secrets
    settings = parse(raw, "dev")

    def program() -> Any:
        url = pulumi.Output.from_input("http://alpaca-paper:8000")
        parts = {
            "data": SimpleNamespace(redis_url="redis://r", influx_write_url="http://i", history_url="http://h"),
            "purrstream": SimpleNamespace(url="http://purrstream:8000"),
            "webhook": SimpleNamespace(private_url="http://webhook:8000"),
            "finnhubReplay": SimpleNamespace(url="http://finnhub-replay:8000") if "finnhubReplay" in raw else None,
            "alpacaPaper": SimpleNamespace(url=url) if "alpacaPaper" in raw else None,
        }
        return getattr(settings, name).arguments(settings, parts)

    return deploy(program).result


STORES = {"redis_url": "redis://r", "influx_url": "http://i"}
OF_WEBHOOK = {"broker_key": "hush-key", "broker_secret": "hush-secret"}
OWN = {"brokerKey": "hush-own", "brokerSecret": "hush-own"}


def test_what_purrstream_is_given() -> None:
    local, aws, alone = (told(base, "purrstream") for base in (LOCAL, AWS, ALONE))
    paper = "http://alpaca-paper:8000"
    assert local == {
        "account": "paper", "mode": "paper", "symbols": ["AAPL"], "secrets": {**OF_WEBHOOK, **STORES},
        "broker_url": paper, "data_url": paper, "stream_url": "ws://alpaca-paper:8000",
    }  # fmt: skip
    assert aws == {
        "account": "paper", "mode": "paper", "symbols": ["AAPL"], "requests_per_minute": 30, "secrets": {**OF_WEBHOOK, **STORES},
    }  # fmt: skip
    assert alone["secrets"] == {"broker_key": "hush-p", "broker_secret": "hush-p", **STORES}
    with_history = {**AWS, "data": {"history": {}}, "secrets": {**AWS["secrets"], "data": {**DATA, "historyPassword": "hush" * 5}}}
    assert told(with_history, "purrstream")["secrets"]["history_url"] == "http://h"


def test_what_beancleaner_is_given() -> None:
    assert told(LOCAL, "beancleaner") == {
        "account": "paper", "mode": "paper", "rules": RULES, "secrets": {**OF_WEBHOOK, **STORES}, "broker_url": "http://alpaca-paper:8000",
    }  # fmt: skip
    assert "broker_url" not in told(AWS, "beancleaner")
    assert told(ALONE, "beancleaner")["secrets"] == {"broker_key": "hush-b", "broker_secret": "hush-b", **STORES}
    assert told(AWS, "beancleaner", beancleaner=OWN)["secrets"]["broker_key"] == "hush-own"
    assert told(AWS, "purrstream", beancleaner=OWN)["secrets"]["broker_key"] == "hush-key"
    live = {**AWS, "webhook": {**AWS["webhook"], "mode": "live", "liveAccount": "123"}, "cluster": {"alarmEmail": "me@example.org"}}
    given = told(live, "beancleaner")
    assert (given["mode"], given["live_account"]) == ("live", "123"), "as the webhook trades"


def test_what_earnyearn_is_given() -> None:
    urls = {"account": "paper", "purrstream_url": "http://purrstream:8000", "webhook_url": "http://webhook:8000"}
    money = {"notional": 1000, "trail_percent": 0.5}
    local, aws = told(LOCAL, "earnyearn"), told(AWS, "earnyearn")
    assert local == {
        **urls, **money, "finnhub_url": "http://finnhub-replay:8000",
        "secrets": {"finnhub_key": "hush-replay", "signing_key": "hush" * 10, **STORES},
    }  # fmt: skip
    assert aws == {**urls, **money, "secrets": {"finnhub_key": "hush-finnhub", "signing_key": "hush" * 10, **STORES}}


def test_a_list_that_nobody_writes_is_told() -> None:
    raw = copy.deepcopy(ALONE)
    (warning,) = beancleaner_warnings(parse(raw, "dev"))
    assert "keep the list 'earnings_list', which nothing in this stack writes" in warning
    assert beancleaner_warnings(parse(copy.deepcopy(LOCAL), "dev")) == []
    raw["beancleaner"]["rules"]["keep"] = {"symbols": ["KO"]}
    assert beancleaner_warnings(parse(raw, "dev")) == []


FILE = """\
config:
  tradestack:host: docker
  tradestack:beancleaner: # closes
    watch: true
    rules:
      keep: { symbols: [KO] }
      rules:
        - name: bell # before the close
          close: all
          when: { minutes_before_close: 2 }
        - name: noon
          close: { class: us_equity, loss_percent: ">= 5", minutes_held: ["<= 5.5", ">= 1"] }
          when:
            weekdays: [mon]
            time: 25:00
"""
TEXT = """\
config:
  tradestack:beancleaner:
    rules: |
      keep: {symbols: []}
      rules:
        - {name: bell, close: al, when: always}
"""


def in_file(text: str, tmp_path: Path, change: Any = lambda rules: rules) -> list[str]:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(text)
    return rule_mistakes(change(read(file)["config"]["tradestack:beancleaner"]["rules"]), "dev", tmp_path)


def test_the_line_of_a_mistake_is_that_of_the_stack_s_file(tmp_path: Path) -> None:
    (only,) = in_file(FILE, tmp_path)
    assert only.startswith("tradestack:beancleaner.rules: Pulumi.dev.yaml line 15, rules[1].when.time='25:00': use HH:MM")


def test_the_line_of_a_mistake_in_a_text(tmp_path: Path) -> None:
    (only,) = in_file(TEXT, tmp_path)
    assert only.startswith("tradestack:beancleaner.rules: Pulumi.dev.yaml line 6, rules[0].close='al': use `all`")
    quoted = TEXT.split("|\n")[1].replace("\n      ", "\\n").strip()
    (folded,) = in_file(TEXT.split("|")[0] + f'"{quoted}"\n', tmp_path)
    assert folded.startswith("tradestack:beancleaner.rules: line 3, rules[0].close='al'"), "the text's own line: the file has it in one"


def test_what_yaml_has_made_of_a_symbol_or_a_tag_is_refused_with_its_line(tmp_path: Path) -> None:
    text = FILE.replace("symbols: [KO]", "symbols: [KO, TRUE, 1E5, ON]").replace("25:00", "12:59")
    line = "tradestack:beancleaner.rules: Pulumi.dev.yaml line 6, keep.symbols"
    assert in_file(text, tmp_path) == [f"{line}[1]=true: {QUOTE}", f"{line}[2]=100000.0: {QUOTE}"]
    assert in_file(text.replace("TRUE, 1E5", "'TRUE'"), tmp_path) == []


def test_no_line_where_the_file_has_other_rules(tmp_path: Path) -> None:
    def changed(rules: Any) -> Any:
        rules["rules"][0]["when"]["minutes_before_close"] = 3
        return rules

    (only,) = in_file(FILE, tmp_path, changed)
    assert only.startswith("tradestack:beancleaner.rules.rules[1].when.time='25:00': use HH:MM")
    assert rule_mistakes({"keep": {}}, "nowhere", tmp_path)[0].startswith("tradestack:beancleaner.rules.keep: use symbols")


def test_what_make_secrets_makes_up() -> None:
    config = {"tradestack:finnhubReplay": {}, "tradestack:earnyearn": {}, "tradestack:purrstream": {}, "tradestack:beancleaner": {}}
    assert secrets.missing({"config": config}) == [("finnhubReplay", "key")]
    assert secrets.missing({"config": {**config, "tradestack:secrets": {"finnhubReplay": {"key": {"secure": "x"}}}}}) == []


def test_secrets_of_these_blocks_stay_in_the_generated_configuration_while_the_block_does() -> None:
    kept = {"finnhubReplay": {"key": "a"}, "beancleaner": {"brokerKey": "b"}, "mine": {"apiKey": "c"}, "gone": {"x": "y"}}
    wanted = {"config": {"tradestack:finnhubReplay": {}, "tradestack:services": [{"name": "mine", "secrets": ["apiKey"]}]}}
    merged = local_config.merged(wanted, {"config": {"tradestack:secrets": kept}}, {})
    assert merged["config"]["tradestack:secrets"] == {"finnhubReplay": {"key": "a"}, "mine": {"apiKey": "c"}}


@pytest.mark.parametrize(
    ("base", "change"),
    [(LOCAL, lambda raw: None), (AWS, lambda raw: None), (ALONE, lambda raw: None), (AWS, by_arn)],
    ids=["local", "aws", "alone", "secret-arn"],
)
def test_a_trial_needs_no_secret(base: dict[str, Any], change: Any) -> None:
    raw = copy.deepcopy(base)
    change(raw)
    tracked = {f"tradestack:{key}": value for key, value in raw.items() if key != "secrets"}
    made = placeholder_config({"config": tracked})["config"]
    parse({key.removeprefix("tradestack:"): value for key, value in made.items()}, "dev")
    assert "hush" not in str(made)


def test_make_status_and_make_logs_know_them() -> None:
    known = {key: {"service": f"{name}-1", "url": f"http://{name}:8000"} for key, name in MARKET_TASKS.items()}
    known["beancleaner"]["url"] = ""
    known["services"] = [{"name": "mine", "service": "mine-1", "url": "http://mine:8000"}]
    assert everything(known) == {name: f"{name}-1" for name in (*MARKET_TASKS.values(), "mine")}
    rows = {row.service: row for row in service_statuses("dev", known, lambda service: "running")}
    assert rows["beancleaner"].url == "-" and rows["mine"].url == "http://mine:8000" and rows["mine"].logs == "make logs BOT=mine STACK=dev"
