"""What `make up`, `status`, `secrets` and `chaos-bots` decide, without an engine."""

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from tools.chaos.bots import compare
from tools.stack import local_config, secrets
from tools.stack.bots import BotStatus, container_state
from tools.stack.down import owned
from tools.stack.engine import StackError
from tools.stack.services import everything, service_statuses
from tools.stack.status import table
from tools.stack.up import refuse_taken_ports

TRADE = {"pair": "ETH/BTC", "open": 1, "orders": ["a"], "closed": False}
CLOSED = {"pair": "LTC/BTC", "open": 2, "orders": ["b", "c"], "closed": True}
BEFORE = {1: TRADE, 2: CLOSED}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, (0, 0)),
        ({**BEFORE, 1: {**TRADE, "orders": ["a", "d"], "closed": True}, 3: {**TRADE, "open": 9, "orders": ["e"]}}, (0, 0)),
        ({2: CLOSED}, (1, 0)),
        ({**BEFORE, 1: {**TRADE, "pair": "ADA/BTC"}}, (1, 0)),
        ({**BEFORE, 1: {**TRADE, "orders": []}}, (1, 0)),
        ({**BEFORE, 2: {**CLOSED, "orders": ["b", "c", "d"]}}, (0, 1)),
        ({**BEFORE, 2: {**CLOSED, "closed": False}}, (0, 1)),
        ({**BEFORE, 3: {**TRADE, "open": 3, "orders": ["a"]}}, (0, 1)),
        ({**BEFORE, 3: {**TRADE, "orders": ["x"]}}, (0, 1)),
    ],
    ids=["same", "went on", "gone", "another pair", "order gone", "sold twice", "open again", "order twice", "opened twice"],
)
def test_lost_and_doubled_trades_are_counted(after: dict[int, dict[str, Any]], expected: tuple[int, int]) -> None:
    assert compare(BEFORE, after) == expected


def test_generated_configuration_keeps_what_exists_only_here() -> None:
    tracked = {"config": {"tradestack:host": "docker", "tradestack:bots": [{"name": "a"}], "tradestack:baseImages": {"x:1": "mine:1"}}}
    old = {"encryptionsalt": "salt", "config": {"tradestack:host": "old", "tradestack:secrets": {"a": {"k": "v"}, "gone": {"k": "v"}}}}
    made = local_config.merged(tracked, old, {"x:1": "stand-in:1", "y:1": "stand-in:2", "z:1": "z:1"})
    assert made == {
        "encryptionsalt": "salt",
        "config": {
            "tradestack:host": "docker",
            "tradestack:bots": [{"name": "a"}],
            "tradestack:secrets": {"a": {"k": "v"}},
            "tradestack:baseImages": {"x:1": "mine:1", "y:1": "stand-in:2"},
        },
    }
    assert "tradestack:secrets" not in tracked["config"], "the tracked data is changed"


def test_only_missing_credentials_are_made_up() -> None:
    bots = [{"name": "a"}, {"name": "b", "secretArn": "arn:x"}, {"name": "c"}]
    given = {"a": {"apiUsername": {"secure": "x"}, "apiPassword": {"secure": "x"}, "jwtSecretKey": {"secure": "x"}}}
    lacking = secrets.missing({"config": {"tradestack:bots": bots, "tradestack:secrets": given}})
    assert lacking == [("a", "wsToken"), ("c", "apiUsername"), ("c", "apiPassword"), ("c", "jwtSecretKey"), ("c", "wsToken")]


@pytest.mark.parametrize(
    ("broker", "expected"),
    [("alpaca", ["signingKey"]), ("alpaca-paper", ["signingKey", "brokerKey", "brokerSecret"])],
)
def test_a_webhook_gets_what_can_be_made_up(broker: str, expected: list[str]) -> None:
    config = {"tradestack:webhook": {"broker": broker}}
    assert secrets.missing({"config": config}) == [("webhook", key) for key in expected]
    given = {"tradestack:secrets": {"webhook": dict.fromkeys(expected, {"secure": "x"})}}
    assert secrets.missing({"config": {**config, **given}}) == []
    assert secrets.missing({"config": {"tradestack:webhook": {"broker": broker, "secretArn": "arn:x"}}}) == []


def test_a_stack_s_services_are_known_by_name() -> None:
    known = {
        "bots": [{"name": "sample", "service": "sample-1"}],
        "exchangeReplay": {"service": "replay-1", "url": "http://exchange-replay:8000"},
        "webhook": {"service": "webhook-1", "workerService": "worker-1", "url": "http://127.0.0.1:18082"},
    }
    assert everything(known) == {"sample": "sample-1", "exchange-replay": "replay-1", "webhook": "webhook-1", "webhook-worker": "worker-1"}
    rows = service_statuses("local", known, lambda service: f"state of {service}")
    assert [(row.service, row.state, row.url) for row in rows] == [
        ("exchange-replay", "state of replay-1", "http://exchange-replay:8000"),
        ("webhook", "state of webhook-1", "http://127.0.0.1:18082"),
        ("webhook-worker", "state of worker-1", "-"),
    ]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Status": "running"}, "running"),
        ({"Status": "running", "Health": {"Status": "healthy"}}, "running"),
        ({"Status": "running", "Health": {"Status": "starting"}}, "starting"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, "unhealthy"),
        ({"Status": "exited", "ExitCode": 130}, "stopped"),
        ({"Status": "exited", "ExitCode": 0}, "stopped"),
        ({"Status": "exited", "ExitCode": 75}, "crashed (exit 75)"),
        ({"Status": "restarting", "ExitCode": 1}, "crashed (exit 1)"),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, "crashed (exit 137, out of memory)"),
        ({"Status": "paused"}, "paused"),
    ],
)
def test_state_of_a_container(state: dict[str, Any], expected: str) -> None:
    labels = {"tradestack.clean-exit-codes": "0,130,143"}
    assert container_state(SimpleNamespace(attrs={"State": state}, labels=labels)) == expected


def test_table_is_aligned_and_shows_what_is_unknown() -> None:
    rows = [
        BotStatus(
            bot="long-name",
            state="running",
            pairs=4,
            open_trades=0,
            closed_trades=2,
            profit=-0.001,
            currency="BTC",
            api="http://x",
            logs="l",
        ),
        BotStatus(bot="b", state="crashed (exit 1)"),
    ]
    lines = table(rows).splitlines()
    assert lines[1].split() == ["long-name", "running", "4", "0", "2", "-0.00100000", "BTC", "http://x", "l"]
    assert lines[2].split() == ["b", "crashed", "(exit", "1)", "-", "-", "-", "-"]
    assert len({line.index(cell) for line, cell in zip(lines, ("STATE", "running", "crashed"), strict=True)}) == 1


def test_taken_port_is_named_and_our_own_is_no_obstacle() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = {"config": {"tradestack:bots": [{"publishedPort": port}]}}
        with pytest.raises(StackError, match=f"publishedPort={port}: Address already in use"):
            refuse_taken_ports(config, set())
        refuse_taken_ports(config, {port})


def test_what_a_stack_owns_on_the_engine() -> None:
    resources = [
        {"type": "docker:index/container:Container", "outputs": {"name": "c-1"}},
        {"type": "docker:index/image:Image", "outputs": {"imageName": "tradestack/x:1"}},
        {"type": "docker:index/volume:Volume"},
        {"type": "tradestack:index:FreqtradeBot", "outputs": {"name": "bot"}},
    ]
    assert owned({"deployment": {"resources": resources}}) == [("containers", "c-1"), ("images", "tradestack/x:1")]
    assert owned({"deployment": None}) == []
