"""`tradestack:services`: what each service is told by what it needs, every mistake with its key, never a secret's value."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from settings import ConfigurationError, parse
from settings_services import TAKEN_NAMES
from tests.unit.pulumi_mocks import deploy
from tests.unit.test_settings_market import ALONE, AWS, LOCAL, by_arn
from tools.stack.trial import placeholder_config

# Any image of this repository does: the service's own would be a folder beside it.
MINE = {"name": "mine", "image": "board", "needs": ["bars", "orders", "metrics"], "environment": {"BOARD_X": "AAPL", "BOARD_N": 5}}
PARTS = {
    "data": SimpleNamespace(redis_url="redis://r", influx_write_url="http://i"),
    "purrstream": SimpleNamespace(url="http://purrstream:8000"),
    "webhook": SimpleNamespace(private_url="http://webhook:8000"),
}


def with_service(base: dict[str, Any] = LOCAL, **changes: Any) -> dict[str, Any]:
    raw = copy.deepcopy(base)
    raw["services"] = [{key: value for key, value in {**MINE, **changes}.items() if value is not None}]
    return raw


def mistakes(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as error:
        parse(raw, "dev")
    return str(error.value)


def arguments(raw: dict[str, Any]) -> dict[str, Any]:
    """What the component is given, secrets shown."""
    settings = parse(raw, "dev")
    return deploy(lambda: settings.services[0].arguments(settings, PARTS)).result


def test_all_that_the_stack_has() -> None:
    raw = with_service(publishedPort=18090, secrets=["apiKey"])
    raw["secrets"]["mine"] = {"apiKey": "hush-api"}
    given = arguments(raw)
    assert Path(given.pop("image_context")).name == "board"
    assert given == {
        "account": "paper",
        "purrstream_url": "http://purrstream:8000",
        "webhook_url": "http://webhook:8000",
        "environment": {"BOARD_X": "AAPL", "BOARD_N": "5"},
        "published_port": 18090,
        "secrets": {"redis_url": "redis://r", "influx_url": "http://i", "signing_key": "hush" * 10, "api_key": "hush-api"},
    }
    assert "hush" not in repr(parse(raw, "dev"))


@pytest.mark.parametrize(
    ("needs", "told", "hidden"),
    [
        ([], set(), set()),
        (["bars"], {"account", "purrstream_url"}, {"redis_url"}),
        (["orders"], {"account", "webhook_url"}, {"signing_key"}),
        (["metrics"], set(), {"influx_url"}),
    ],
)
def test_nothing_that_it_does_not_need(needs: list[str], told: set[str], hidden: set[str]) -> None:
    given = arguments(with_service(needs=needs))
    assert set(given) == told | {"image_context", "environment", "secrets"} and set(given["secrets"]) == hidden


def test_bars_without_a_webhook_are_those_of_purrstream_s_account() -> None:
    assert arguments(with_service(ALONE, needs=["bars"]))["account"] == "paper"


def test_a_stack_of_services_alone() -> None:
    raw = {"host": "docker", "services": [{"name": "mine", "image": "board"}]}
    assert parse(raw, "dev").services[0].name == "mine"


def test_the_image_is_the_folder_of_its_name_or_any_other(tmp_path: Path) -> None:
    assert "board: no Dockerfile there" in mistakes(with_service(image=None, imageContext=str(tmp_path / "board")))
    assert "image: image 'mine': no such folder" in mistakes(with_service(image=None))
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE=x:1\nFROM ${BASE_IMAGE}\n")
    assert arguments(with_service(image=None, imageContext=str(tmp_path)))["image_context"] == str(tmp_path)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (with_service(needs=["prices"]), "tradestack:services[0].needs[0]='prices'"),
        (with_service(ALONE), "tradestack:services[0] (mine): needs='orders': there is no tradestack:webhook; add it, or leave orders out"),
        (with_service({"host": "docker"}), "needs='bars': there is no tradestack:purrstream"),
        (with_service({"host": "docker"}), "needs='metrics': there is no tradestack:data"),
        (with_service(name="My Service"), "tradestack:services[0].name='My Service'"),
        (with_service(imageContext="."), "tradestack:services[0] (mine): image='board': there is an imageContext too; keep one of them"),
        (with_service(cpu=300), "tradestack:services[0] (mine): cpu=300: use one of 256"),
        (with_service(memory=300), "tradestack:services[0] (mine): memory=300: with cpu 256 use"),
        (with_service(architecture="sparc"), "tradestack:services[0] (mine): architecture='sparc': use arm64 or amd64"),
        (with_service(environment={"my var": "x"}), "services[0] (mine): environment: 'my var': use letters, digits and underscores"),
        (with_service(environment={"my_var-a": "x"}), "services[0] (mine): environment: 'my_var-a': use letters"),
        (with_service(environment={"": "x"}), "services[0] (mine): environment: '': use letters"),
        (with_service(environment={"1ST": "x"}), "services[0] (mine): environment: '1ST': use letters"),
        (with_service(env={}), "tradestack:services[0].env={}: unknown key"),
        (with_service(environment={"BOARD_ACCOUNT": "x"}), "services[0] (mine): environment.BOARD_ACCOUNT: account sets it; leave it out"),
        (with_service(secrets=["api_key"]), "tradestack:services[0].secrets[0]='api_key'"),
        (
            with_service(secrets=["apiKey"]),
            "tradestack:secrets.mine.apiKey: is missing; run `pulumi config set --secret --path 'tradestack:secrets.mine.apiKey' --stack dev`",
        ),
        (
            {**with_service(), "secrets": {**LOCAL["secrets"], "mine": {"apiKey": "hush"}}},
            "tradestack:secrets.mine.apiKey: no service is told of it; add it to tradestack:services[0] (mine).secrets, or remove it",
        ),
        (with_service(AWS, publishedPort=18090), "services[0] (mine): publishedPort=18090: Fargate publishes nothing"),
        ({**LOCAL, "services": [MINE, MINE]}, "tradestack:services: 2 are named 'mine'; give each a name of its own"),
        (
            {
                **with_service(),
                "bots": [
                    {"name": "mine", "strategy": "BreakoutStrategy", "pairs": ["A/B"], "stakeCurrency": "B", "stakeAmount": 1, "maxOpenTrades": 1}
                ],
            },
            "tradestack:services: name='mine': a bot has this name; choose another",
        ),
        (with_service(publishedPort=80), "tradestack:services[0].publishedPort=80"),
    ],
)  # fmt: skip
def test_one_mistake(raw: dict[str, Any], expected: str) -> None:
    message = mistakes(raw)
    assert expected in message and "hush" not in message


@pytest.mark.parametrize("name", sorted(TAKEN_NAMES))
def test_the_names_of_the_stack_s_own_tasks_are_taken(name: str) -> None:
    assert f"name={name!r}: a task of the stack itself has this name; choose another" in mistakes(with_service(name=name))


def test_orders_where_the_webhook_s_key_can_not_be_read() -> None:
    raw = with_service(AWS)
    by_arn(raw)
    raw["secrets"] |= {"earnyearn": {"finnhubKey": "hush", "signingKey": "hush" * 8}}
    raw["secrets"] |= {name: {"brokerKey": "hush", "brokerSecret": "hush"} for name in ("purrstream", "beancleaner")}
    assert "needs='orders': the webhook's key is in its secretArn; name signingKey in secrets" in mistakes(raw)
    raw["services"][0]["secrets"] = ["signingKey"]
    raw["secrets"]["mine"] = {"signingKey": "hush" * 9}
    assert arguments(raw)["secrets"]["signing_key"] == "hush" * 9


def test_a_trial_needs_none_of_its_secrets() -> None:
    raw = with_service(secrets=["apiKey"])
    made = placeholder_config({"config": {f"tradestack:{key}": value for key, value in raw.items() if key != "secrets"}})["config"]
    parse({key.removeprefix("tradestack:"): value for key, value in made.items()}, "dev")
