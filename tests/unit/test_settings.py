"""A stack's configuration: every mistake at once, with its key, and never a secret's value."""

import copy
from typing import Any

import pytest

from settings import ConfigurationError, HostKind, parse

SECRETS = {"apiUsername": "user", "apiPassword": "hush-password", "jwtSecretKey": "hush-jwt", "wsToken": "hush-token"}
BOT = {
    "name": "sample",
    "strategy": "BreakoutStrategy",
    "exchange": "binance",
    "pairs": ["ETH/USDT"],
    "stakeCurrency": "USDT",
    "stakeAmount": 50,
    "maxOpenTrades": 2,
}
GOOD: dict[str, Any] = {"host": "docker", "bots": [BOT], "secrets": {"sample": SECRETS}}


def bad(change: Any) -> str:
    raw = copy.deepcopy(GOOD)
    change(raw)
    with pytest.raises(ConfigurationError) as error:
        parse(raw, "dev")
    return str(error.value)


def bot(**changes: Any) -> Any:
    return lambda raw: raw["bots"][0].update(changes)


def without(key: str) -> Any:
    return lambda raw: raw["bots"][0].pop(key)


def second(**changes: Any) -> Any:
    return lambda raw: (raw["bots"].append({**BOT, **changes}), raw["secrets"].update({changes.get("name", "sample"): SECRETS}))


def test_good_configuration() -> None:
    settings = parse(copy.deepcopy(GOOD), "dev")
    assert settings.host is HostKind.DOCKER
    assert settings.bots[0].dry_run is True, "play money unless somebody says otherwise"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda raw: raw.pop("host"), "tradestack:host: is missing"),
        (lambda raw: raw.update(host="kubernetes"), "tradestack:host='kubernetes'"),
        (lambda raw: raw.update(bots=[]), "tradestack:bots=[]"),
        (lambda raw: raw.update(bots="sample"), "tradestack:bots='sample'"),
        (lambda raw: raw.update(bot=[]), "tradestack:bot"),
        (bot(name="Sample Bot"), "tradestack:bots[0].name='Sample Bot'"),
        (bot(strategy="NoSuch"), "strategy='NoSuch': no such strategy; there are"),
        (bot(strateggy="X"), "tradestack:bots[0].strateggy='X': unknown key"),
        (without("strategy"), "tradestack:bots[0].strategy: is missing"),
        (without("stakeAmount"), "tradestack:bots[0].stakeAmount: is missing"),
        (without("maxOpenTrades"), "tradestack:bots[0].maxOpenTrades: is missing"),
        (bot(stakeAmount=-1), "tradestack:bots[0].stakeAmount=-1"),
        (bot(stakeAmount=float("nan")), "tradestack:bots[0].stakeAmount=nan"),
        (bot(stakeAmount="50"), "tradestack:bots[0].stakeAmount='50'"),
        (bot(maxOpenTrades=True), "tradestack:bots[0].maxOpenTrades=True"),
        (bot(dryRun="false"), "tradestack:bots[0].dryRun='false'"),
        (bot(pairs=[]), "tradestack:bots[0].pairs=[]"),
        (bot(cpu=300), "cpu=300: use one of 256"),
        (bot(memory=4096), "memory=4096: with cpu 256 use one of 512, 1024, 2048"),
        (bot(publishedPort=80), "tradestack:bots[0].publishedPort=80"),
        (bot(variant="gpu"), "tradestack:bots[0].variant='gpu'"),
        (bot(exchange="replay"), "exchange='replay': there is none; add tradestack:exchangeReplay"),
        (bot(config={"webhook": {}}), "config.webhook: the image decides this"),
        (
            bot(config={"telegram": {"enabled": True}}),
            "tradestack:secrets.sample.telegramToken: is missing and config has a telegram block",
        ),
        (bot(config={"telegram": {"token": "hush"}}), "config.telegram.token: a credential in plain text"),
        (bot(config={"exchange": {"secret": "hush"}}), "config.exchange.secret: a credential in plain text"),
        (bot(config={"stake_amount": 1}), "config.stake_amount: set the argument of the same name"),
        (bot(imageContext="/nowhere"), "imageContext='/nowhere'"),
        (bot(secretArn="arn:aws:secretsmanager:x"), "secretArn='arn:aws:secretsmanager:x': Docker can't read Secrets Manager"),
        (second(), "2 bots are named 'sample'"),
        (lambda raw: (bot(publishedPort=18081)(raw), second(name="b", publishedPort=18081)(raw)), "publishedPort=18081 is claimed 2 times"),
        (lambda raw: (bot(volume="v")(raw), second(name="b", volume="v")(raw)), "volume='v' is claimed by 2 bots"),
        (lambda raw: raw.pop("secrets"), "tradestack:secrets.sample.apiPassword: is missing; run `make secrets STACK=dev`"),
        (lambda raw: raw["secrets"]["sample"].update(jwtSecret="x"), "tradestack:secrets.sample.jwtSecret: unknown key"),
        (lambda raw: raw["secrets"]["sample"].update(databaseUrl="mysql://x"), "secrets.sample.databaseUrl: not a PostgreSQL URL"),
        (lambda raw: raw["secrets"].update(ghost=SECRETS), "tradestack:secrets.ghost: there is no bot or service of this name"),
        (bot(dryRun=False), "tradestack:secrets.sample.exchangeKey: is missing and dryRun is false"),
        (lambda raw: (raw.update(host="fargate"), bot(publishedPort=18081)(raw)), "publishedPort=18081: Fargate publishes nothing"),
        (lambda raw: raw.update(network={"egress": "vpn"}), "tradestack:network.egress='vpn'"),
        (lambda raw: raw.update(network={"zones": 0}), "tradestack:network.zones=0"),
    ],
)
def test_one_mistake(change: Any, expected: str) -> None:
    assert expected in bad(change)


def test_every_mistake_at_once() -> None:
    def change(raw: dict[str, Any]) -> None:
        bot(stakeAmount=0, strategy="NoSuch", pairs=[])(raw)
        second()(raw)
        raw["bots"][1].update(cpu=1)
        raw["unknown"] = 1

    message = bad(change)
    for expected in ("bots[0].stakeAmount=0", "bots[0].pairs=[]", "2 bots are named", "cpu=1", "tradestack:unknown=1"):
        assert expected in message
    assert message.count("\n  - ") >= 5


def test_secret_values_never_show() -> None:
    message = bad(lambda raw: (raw["secrets"]["sample"].update(apiPassword=12345678), bot(cpu=1)(raw)))
    assert "tradestack:secrets.sample.apiPassword" in message
    assert "hush" not in message and "12345678" not in message
    assert "hush" not in repr(parse(copy.deepcopy(GOOD), "dev"))


def test_live_bot_with_keys_is_accepted() -> None:
    raw = copy.deepcopy(GOOD)
    bot(dryRun=False)(raw)
    raw["secrets"]["sample"].update(exchangeKey="k", exchangeSecret="s")
    assert parse(raw, "prod").bots[0].dry_run is False


def test_live_bot_on_aws_needs_somebody_who_hears_its_alarm() -> None:
    def live(raw: dict[str, Any]) -> None:
        raw.update(host="fargate")
        bot(dryRun=False)(raw)
        raw["secrets"]["sample"].update(exchangeKey="k", exchangeSecret="s")

    assert "tradestack:cluster.alarmEmail: is missing and bot sample trades real money" in bad(live)
    raw = copy.deepcopy(GOOD)
    live(raw)
    raw["cluster"] = {"alarmEmail": "me@example.org"}
    assert parse(raw, "prod").bots[0].dry_run is False


def test_live_bot_on_the_replay_is_refused() -> None:
    message = bad(lambda raw: (bot(dryRun=False, exchange="replay")(raw), raw.update(exchangeReplay={})))
    assert "the replay is no exchange" in message
