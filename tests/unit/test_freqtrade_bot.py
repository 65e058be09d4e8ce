"""FreqtradeBot: what it hands to a host, and what it refuses before anything is created."""

import json
from typing import Any

import pulumi
import pytest

from components.freqtrade_bot import FreqtradeBot, FreqtradeVariant
from components.freqtrade_config import bot_config, known_strategies, replayed_exchange
from components.image_folders import image_folder
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret, revealed

CONTAINER = "docker:index/container:Container"
SECRETS = {"api_username": "user", "api_password": "hush-p", "jwt_secret_key": "hush-j", "ws_token": "hush-w"}
ARGS: dict[str, Any] = {
    "host": {"docker": {"network": "private"}},
    "strategy": "BreakoutStrategy",
    "pairs": ["ETH/BTC", "LTC/BTC"],
    "stake_currency": "BTC",
    "stake_amount": 0.05,
    "max_open_trades": 2,
    "secrets": SECRETS,
}


def run(**changes: Any) -> Run:
    args = {key: value for key, value in {**ARGS, **changes}.items() if value is not None}

    def program() -> Any:
        bot = FreqtradeBot("sample", args)
        return {
            "api": bot.api_url,
            "private": bot.private_url,
            "service": bot.service,
            "logs": bot.logs,
            "volume": bot.volume_name,
            "image": bot.image_reference,
        }

    return deploy(program)


def environment(**changes: Any) -> dict[str, str]:
    return dict(one.split("=", 1) for one in revealed(run(**changes).one(CONTAINER).inputs["envs"]))


def config(**changes: Any) -> dict[str, Any]:
    return json.loads(environment(**changes)["BOT_CONFIG_JSON"])


def refused(**changes: Any) -> str:
    with pytest.raises(ValueError) as error:
        run(**changes)
    return str(error.value)


def test_what_the_container_is_told() -> None:
    given = environment()
    assert given["BOT_NAME"] == "sample"
    assert {key: value for key, value in given.items() if key.startswith("FREQTRADE__")} == {
        "FREQTRADE__API_SERVER__USERNAME": "user",
        "FREQTRADE__API_SERVER__PASSWORD": "hush-p",
        "FREQTRADE__API_SERVER__JWT_SECRET_KEY": "hush-j",
        "FREQTRADE__API_SERVER__WS_TOKEN": "hush-w",
    }
    assert config() == {
        "strategy": "BreakoutStrategy",
        "exchange": {"name": "binance", "pair_whitelist": ["ETH/BTC", "LTC/BTC"]},
        "stake_currency": "BTC",
        "stake_amount": 0.05,
        "max_open_trades": 2,
        "dry_run": True,
        "dry_run_wallet": 1.0,
    }


def test_credentials_are_secret_and_nowhere_else() -> None:
    recorded = run()
    inputs = recorded.one(CONTAINER).inputs
    assert is_secret(inputs["envs"])
    rest = json.dumps([{**one.inputs, "envs": None} for one in recorded.resources], default=str)
    assert "hush" not in rest


def test_trades_in_a_database() -> None:
    recorded = run(secrets={**SECRETS, "database_url": "postgresql://bot:hush-d@db/trades"})
    inputs = recorded.one(CONTAINER).inputs
    assert "FREQTRADE__DB_URL=postgresql://bot:hush-d@db/trades" in revealed(inputs["envs"]) and is_secret(inputs["envs"])
    assert [one["containerPath"] for one in inputs["volumes"]] == ["/freqtrade/user_data"]
    assert "hush-d" not in refused(secrets={**SECRETS, "database_url": "mysql://bot:hush-d@db/trades"})


def test_one_bot_one_volume_one_container() -> None:
    recorded = run()
    assert recorded.one("docker:index/volume:Volume").name == "sample-user-data"
    volumes = recorded.one(CONTAINER).inputs["volumes"]
    assert [one["containerPath"] for one in volumes] == ["/freqtrade/user_data"]


def test_replayed_exchange_leads_nowhere_else() -> None:
    exchange = config(exchange_url="http://exchange-replay:8000")["exchange"]
    assert set(exchange["ccxt_config"]["urls"]["api"].values()) == {
        f"http://exchange-replay:8000/{path}" for path in ("api/v3", "api/v1", "sapi/v1")
    }
    assert exchange["enable_ws"] is False
    assert exchange == {"name": "binance", "pair_whitelist": ["ETH/BTC", "LTC/BTC"], **replayed_exchange("http://exchange-replay:8000")}


def test_exchange_url_may_be_an_output() -> None:
    def program() -> None:
        FreqtradeBot("sample", {**ARGS, "exchange_url": pulumi.Output.concat("http://", "there", ":1")})

    envs = revealed(deploy(program).one(CONTAINER).inputs["envs"])
    assert any("http://there:1/api/v3" in one for one in envs)


def test_api_url() -> None:
    assert run().result["api"] == "http://sample:8080"
    published = run(published_port=18081).result
    assert (published["api"], published["private"]) == ("http://127.0.0.1:18081", "http://sample:8080")


@pytest.mark.parametrize(("variant", "suffix"), [(None, ""), (FreqtradeVariant.PLOT, "_plot"), ("freqai", "_freqai")])
def test_variant_is_the_base_image(variant: Any, suffix: str) -> None:
    base = run(variant=variant).one("docker:index/image:Image").inputs["build"]["args"]["BASE_IMAGE"]
    assert base == f"freqtradeorg/freqtrade:2026.9{suffix}"


def test_base_image_can_be_mapped() -> None:
    host = {"docker": {"network": "private", "base_images": {"freqtradeorg/freqtrade:2026.9": "mine:1"}}}
    assert run(host=host).one("docker:index/image:Image").inputs["build"]["args"]["BASE_IMAGE"] == "mine:1"


def test_published_image_is_not_built() -> None:
    recorded = run(image="example.org/bot:1", strategy="AnythingInside")
    assert recorded.all("docker:index/image:Image") == []
    assert recorded.one(CONTAINER).inputs["image"] == "example.org/bot:1"


def test_more_configuration_is_merged() -> None:
    merged = config(config={"exchange": {"pair_blacklist": ["X/BTC"]}, "unfilledtimeout": {"entry": 5}})
    assert merged["exchange"]["pair_blacklist"] == ["X/BTC"] and merged["exchange"]["name"] == "binance"
    assert merged["unfilledtimeout"] == {"entry": 5}


def test_live_needs_keys() -> None:
    message = refused(dry_run=False)
    assert "secrets.exchange_key: missing" in message and "secrets.exchange_secret: missing" in message
    assert config(dry_run=False, secrets={**SECRETS, "exchange_key": "k", "exchange_secret": "s"})["dry_run"] is False


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"strategy": "NoSuch"}, "strategy='NoSuch': no such class"),
        ({"pairs": []}, "pairs=[]"),
        ({"pairs": ["ETHBTC"]}, "pairs='ETHBTC': use BASE/BTC"),
        ({"pairs": ["ETH/USDT"]}, "pairs='ETH/USDT': use BASE/BTC"),
        ({"pairs": ["ETH/BTC", "ETH/BTC"]}, "names a pair twice"),
        ({"stake_amount": 0}, "stake_amount=0"),
        ({"stake_amount": float("inf")}, "stake_amount=inf"),
        ({"max_open_trades": 0}, "max_open_trades=0"),
        ({"secrets": None}, "exactly one of secrets and secret_arn"),
        ({"secret_arn": "arn:x"}, "exactly one of secrets and secret_arn"),
        ({"secrets": {**SECRETS, "jwt_secret_key": ""}}, "secrets.jwt_secret_key: missing"),
        ({"secrets": {**SECRETS, "jwt": "x"}}, "secrets.jwt: unknown"),
        ({"secrets": {**SECRETS, "database_url": "sqlite:////freqtrade/user_data/other"}}, "secrets.database_url: not a PostgreSQL URL"),
        ({"dry_run": False, "exchange_url": "http://x"}, "exchange_url: a stand-in exchange needs dry_run true"),
        ({"image": "a", "image_context": "b"}, "give one of them"),
        ({"config": {"api_server": {"password": "1234"}}}, "config.api_server: the image decides this"),
        ({"config": {"dry_run": False}}, "config.dry_run: set the argument of the same name"),
        ({"cpu": 256, "memory": 256}, "memory=256: with cpu=256 use one of 512"),
    ],
)
def test_refused(changes: dict[str, Any], expected: str) -> None:
    assert expected in refused(**changes)


def test_every_mistake_at_once() -> None:
    message = refused(strategy="NoSuch", pairs=[], stake_amount=0)
    assert all(text in message for text in ("strategy=", "pairs=", "stake_amount="))


def test_configuration_text_does_not_depend_on_order() -> None:
    def text(extra: dict[str, Any]) -> str:
        return json.dumps(bot_config(strategy="S", pairs=["A/B"], exchange="x", exchange_settings={}, stake_currency="B", stake_amount=1.0,
                                     max_open_trades=1, dry_run=True, dry_run_wallet=1.0, timeframe=None, extra=extra), sort_keys=True)  # fmt: skip

    assert text({"a": 1, "b": {"c": 1, "d": 2}}) == text({"b": {"d": 2, "c": 1}, "a": 1})


def test_strategies_are_found_without_importing_them() -> None:
    assert {"BreakoutStrategy", "RsiBandsStrategy"} <= set(known_strategies(image_folder("freqtrade")))


def test_a_wallet_serves_in_place_of_a_key() -> None:
    wallet = {**SECRETS, "exchange_wallet_address": "0x1", "exchange_private_key": "0x2"}
    assert config(dry_run=False, secrets=wallet)["dry_run"] is False
    assert "secrets.exchange_private_key: missing" in refused(dry_run=False, secrets={**SECRETS, "exchange_wallet_address": "0x1"})


def test_telegram_takes_its_token_from_the_secrets() -> None:
    telegram = {"config": {"telegram": {"enabled": True}}}
    assert "secrets.telegram_token: missing" in refused(**telegram)
    given = environment(**telegram, secrets={**SECRETS, "telegram_token": "hush-t", "telegram_chat_id": "7"})
    assert given["FREQTRADE__TELEGRAM__TOKEN"] == "hush-t" and "hush-t" not in given["BOT_CONFIG_JSON"]


def test_a_bot_is_a_single_writer_on_fargate() -> None:
    service = run(host={"fargate": fargate_case.HOST}, image="example.org/bot:1").one("aws:ecs/service:Service").inputs
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (0, 100)
    assert (service["availabilityZoneRebalancing"], service["desiredCount"]) == ("DISABLED", 1)
