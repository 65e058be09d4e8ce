"""AlpacaPaper: a single writer on storage of its own, its credentials secret, wrong arguments refused before anything is declared."""

from typing import Any

import pulumi
import pytest

from components import AlpacaPaper
from components.task import InvalidArgument
from tests.unit.pulumi_mocks import Run, deploy, is_secret

SECRETS = {"key": "a-key-made-up", "secret": "a-secret-made-up"}
HOST = {"docker": {"network": "private"}}


def paper(**changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) for key, value in SECRETS.items()}
        return {"url": AlpacaPaper("alpaca-paper", {"host": HOST, "secrets": secrets, **changes}).url}

    return deploy(program)


def environment(run: Run) -> dict[str, str]:
    envs = run.one("docker:index/container:Container").inputs["envs"]
    assert is_secret(envs), "its credentials are in plain text"
    return dict(one.split("=", 1) for one in envs["value"])


def test_it_keeps_its_orders_on_a_volume_and_is_reached_by_name() -> None:
    run = paper()
    container = run.one("docker:index/container:Container").inputs
    assert run.result["url"] == "http://alpaca-paper:8000"
    assert [volume["containerPath"] for volume in container["volumes"]] == ["/data"]
    assert run.one("docker:index/volume:Volume").name == "alpaca-paper-data"
    assert container.get("ports") is None, "published without being asked"


def test_its_settings() -> None:
    told = environment(paper(hours="nyse", test_api=True, requests_per_minute=1000))
    assert told["ALPACA_PAPER_KEY"] == SECRETS["key"] and told["ALPACA_PAPER_SECRET"] == SECRETS["secret"]
    assert (told["ALPACA_PAPER_HOURS"], told["ALPACA_PAPER_TEST_API"], told["ALPACA_PAPER_REQUESTS_PER_MINUTE"]) == ("nyse", "on", "1000")
    assert environment(paper())["ALPACA_PAPER_TEST_API"] == "off", "whoever reaches the port could set prices"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secrets": {"key": "k"}}, "secrets.secret: is missing"),
        ({"secrets": {**SECRETS, "token": "t"}}, "secrets.token: unknown"),
        ({"hours": "lse"}, "hours='lse': use one of always, nyse"),
        ({"requests_per_minute": 0}, "requests_per_minute=0"),
        ({"hour": "nyse"}, "hour: no such argument; did you mean hours?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_declared(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match="paper broker 'alpaca-paper'") as refused:
        paper(**changes)
    assert message in str(refused.value)
    assert not refused.value.declared.all("docker:index/container:Container")
