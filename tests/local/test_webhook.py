"""Alerts in the local stack become orders at the paper broker: every route, the kill switch, dead letters, and what must not be traded."""

import json
import re
import time
from decimal import Decimal
from typing import Any

import docker
import pytest
import requests

from tests.local.conftest import Checkout
from tests.local.paper_broker import PaperBroker
from tests.local.waiting import wait_for
from tools.chaos.kill import kill_container

pytestmark = [pytest.mark.docker, pytest.mark.engine]

PRICES = {"AAPL": 200.0, "MSFT": 400.0, "KO": 60.0, "BTC/USD": 90_000.0}
TASKS = ("webhook", "webhook-worker", "alpaca-paper", "queue")


@pytest.fixture(scope="module")
def outputs(local_stack: Checkout) -> dict[str, Any]:
    return local_stack.outputs()


@pytest.fixture
def broker(local_stack: Checkout, outputs: dict[str, Any]) -> PaperBroker:
    """A broker without orders and positions, with prices that stand still, and a worker that has seen it."""
    port = local_stack.config["tradestack:alpacaPaper"]["publishedPort"]
    paper = PaperBroker(f"http://127.0.0.1:{port}", outputs["credentials"]["webhook"])
    paper.reset(PRICES)
    return paper


def alert(stack: Checkout, route: str, symbol: str = "AAPL", action: str = "buy", *options: str, fails: bool = False) -> tuple[str, str]:
    """(id, what `make alert` printed)."""
    said = stack.make("alert", f"ROUTE={route}", f"SYMBOL={symbol}", f"ACTION={action}", f"SET={' '.join(options)}", fails=fails)
    accepted = re.search(r"^accepted as ([0-9a-f]{32})$", said, re.MULTILINE)
    assert accepted, said
    return accepted[1], said


def shape(order: dict[str, Any]) -> dict[str, Any]:
    """What of an order an alert decides; numbers as numbers, what is empty left out."""
    keys = ("side", "type", "time_in_force", "qty", "notional", "limit_price", "stop_price", "trail_percent", "order_class")
    values = {key: order.get(key) for key in keys if order.get(key) not in (None, "", "simple")}
    return {key: float(Decimal(value)) if re.fullmatch(r"[0-9.]+", value) else value for key, value in values.items()}


@pytest.mark.parametrize(
    ("route", "symbol", "action", "options", "expected"),
    [
        ("market", "AAPL", "buy", ["qty=3"], [{"side": "buy", "type": "market", "time_in_force": "ioc", "qty": 3}]),
        ("market", "BTCUSD", "buy", ["qty=0.01"], [{"side": "buy", "type": "market", "time_in_force": "ioc", "qty": 0.01}]),
        ("notional", "AAPL", "buy", ["notional=50"], [{"side": "buy", "type": "market", "time_in_force": "day", "notional": 50}]),
        ("notional", "BTCUSD", "buy", ["notional=90"], [{"side": "buy", "type": "market", "time_in_force": "gtc", "notional": 90}]),
        (
            "limit",
            "AAPL",
            "buy",
            ["qty=2", "limit_price=1%"],
            [{"side": "buy", "type": "limit", "time_in_force": "day", "qty": 2, "limit_price": 198}],
        ),
        (
            "stop_limit",
            "AAPL",
            "buy",
            ["qty=2", "stop_price=205", "limit_price=206", "wiggle="],
            [{"side": "buy", "type": "stop_limit", "time_in_force": "day", "qty": 2, "stop_price": 205, "limit_price": 206}],
        ),
        (
            "bracket",
            "AAPL",
            "buy",
            ["qty=2", "take_profit=1%", "stop_loss=$5", "stop_limit=$6"],
            [
                {"side": "buy", "type": "market", "time_in_force": "gtc", "qty": 2, "order_class": "bracket"},
                {"side": "sell", "type": "limit", "time_in_force": "gtc", "qty": 2, "limit_price": 202},
                {"side": "sell", "type": "stop_limit", "time_in_force": "gtc", "qty": 2, "stop_price": 195, "limit_price": 194},
            ],
        ),
        (
            "bracket",
            "AAPL",
            "sell",
            ["qty=2", "take_profit=1%", "stop_loss=210"],
            [
                {"side": "sell", "type": "market", "time_in_force": "gtc", "qty": 2, "order_class": "bracket"},
                {"side": "buy", "type": "limit", "time_in_force": "gtc", "qty": 2, "limit_price": 198},
                {"side": "buy", "type": "stop", "time_in_force": "gtc", "qty": 2, "stop_price": 210},
            ],
        ),
        (
            "trailing",
            "AAPL",
            "buy",
            ["qty=2", "trail_percent=1.5"],
            [
                {"side": "buy", "type": "market", "qty": 2},
                {"side": "sell", "type": "trailing_stop", "qty": 2, "trail_percent": 1.5},
            ],
        ),
        (
            "trailing",
            "AAPL",
            "sell",
            ["qty=2", "trail_percent=1.5"],
            [
                {"side": "sell", "type": "market", "qty": 2},
                {"side": "buy", "type": "trailing_stop", "qty": 2, "trail_percent": 1.5},
            ],
        ),
        ("aristocrats", "KO", "buy", ["notional=30"], [{"side": "buy", "type": "market", "time_in_force": "day", "notional": 30}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_route(
    local_stack: Checkout, broker: PaperBroker, route: str, symbol: str, action: str, options: list[str], expected: list[dict[str, Any]]
) -> None:
    key, said = alert(local_stack, route, symbol, action, *options)
    found = broker.orders_of(key)
    legs = [leg for order in found for leg in order.get("legs") or []]
    assert len(found) + len(legs) == len(expected), said
    for got, want in zip([*found, *legs], expected, strict=True):
        assert {name: value for name, value in shape(got).items() if name in want} == want
        assert got["symbol"] == {"BTCUSD": "BTC/USD"}.get(symbol, symbol)


def test_reverse_closes_the_position_and_enters_the_other_way(local_stack: Checkout, broker: PaperBroker) -> None:
    alert(local_stack, "market", "MSFT", "buy", "qty=3")
    assert broker.positions() == {"MSFT": 3}
    key, _ = alert(local_stack, "reverse", "MSFT", "sell", "qty=2")
    close, enter = (shape(order) for order in broker.orders_of(key))
    assert (close["side"], close["qty"], enter["side"], enter["qty"]) == ("sell", 3, "sell", 2)
    assert broker.positions() == {"MSFT": -2}


def test_reverse_takes_shares_back_that_an_open_order_holds(local_stack: Checkout, broker: PaperBroker) -> None:
    """A trailing stop holds the shares: without cancelling it first the broker refuses the sale."""
    trailing, _ = alert(local_stack, "trailing", "MSFT", "buy", "qty=3", "trail_percent=2")
    alert(local_stack, "reverse", "MSFT", "sell", "qty=1")
    assert broker.positions() == {"MSFT": -1}
    assert broker.orders_of(trailing)[1]["status"] == "canceled"


def test_resent_alert_is_one_order(local_stack: Checkout, broker: PaperBroker, outputs: dict[str, Any]) -> None:
    program = (
        "from tools.stack.alert import *; import json, sys; hook, key = webhook('local'); "
        "url, body = fired('market', hook['url'], hook['account'], key, 'buy', 'AAPL', {'qty': '1'}); "
        "print(json.dumps([send(url, body) for _ in range(4)]))"
    )
    ids = set(json.loads(local_stack.run("-c", program)))
    assert len(ids) == 1
    (key,) = ids
    wait_for("the order", lambda: broker.orders_of(key))
    alert(local_stack, "market", "AAPL", "buy", "qty=1")  # comes after every copy: the alerts of a symbol keep their order
    assert len(broker.orders_of(key)) == 1


def test_what_is_over_a_limit_is_a_dead_letter_with_the_reason(local_stack: Checkout, broker: PaperBroker) -> None:
    _, said = alert(local_stack, "market", "AAPL", "buy", "qty=1000", fails=True)
    assert "not traded:" in said and "order_notional" in said, said
    assert broker.positions() == {}
    listed = local_stack.make("dead-letters")
    assert "order_notional" in listed and "make-alert" in listed, listed


def test_kill_switch_stops_cancels_and_closes_until_it_is_resumed(
    local_stack: Checkout, broker: PaperBroker, engine: docker.DockerClient, outputs: dict[str, Any]
) -> None:
    alert(local_stack, "market", "AAPL", "buy", "qty=2")
    resting, _ = alert(local_stack, "limit", "MSFT", "buy", "qty=1", "limit_price=5%")
    try:
        local_stack.make("kill", "CLOSE=1")
        suspended = "/v2/account/configurations"
        wait_for("the kill switch", lambda: broker.positions() == {} and broker.ask("GET", suspended)["suspend_trade"])
        assert broker.orders_of(resting)[0]["status"] == "canceled"
        _, said = alert(local_stack, "market", "AAPL", "buy", "qty=1", fails=True)
        assert "not traded:" in said and "kill switch" in said, said
        assert broker.positions() == {}
    finally:
        local_stack.make("resume")
    # The broker's switch is off first; the worker trades when it has looked at the account again.
    worker, asked = engine.containers.get(outputs["webhook"]["workerService"]), ["python3", "-m", "slanger", "switch", "status"]
    wait_for("the worker to trade again", lambda: b"worker: trading" in worker.exec_run(asked).output)
    assert not broker.ask("GET", suspended)["suspend_trade"]
    alert(local_stack, "market", "AAPL", "buy", "qty=1")
    assert broker.positions() == {"AAPL": 1}


def test_worker_killed_before_an_alert_trades_it_when_it_is_back(
    local_stack: Checkout, broker: PaperBroker, engine: docker.DockerClient, outputs: dict[str, Any]
) -> None:
    kill_container(engine.containers.get(outputs["webhook"]["workerService"]))
    program = (
        "from tools.stack.alert import *; hook, key = webhook('local'); "
        "print(send(*fired('market', hook['url'], hook['account'], key, 'buy', 'AAPL', {'qty': '1'})))"
    )
    key = local_stack.run("-c", program).strip()
    wait_for("the order", lambda: len(broker.orders_of(key)) == 1)


@pytest.mark.parametrize("change", [{"signature": "0" * 64}, {"signature": ""}, {"alert": None}])
def test_unsigned_alert_is_refused(local_stack: Checkout, broker: PaperBroker, outputs: dict[str, Any], change: dict[str, Any]) -> None:
    body = {"action": "buy", "ticker": "AAPL", "time": time.time(), "qty": 1, "signature": "0" * 64}
    body["alert"] = {"name": "forged", "route": "market", "account": "paper", "expires": time.time() + 60}
    answer = requests.post(f"{outputs['webhook']['url']}/market", json={**body, **change}, timeout=60)
    assert answer.status_code in (401, 403), answer.text
    assert list(answer.json()) == ["error"] and "Traceback" not in answer.text


def test_tasks_are_hardened_and_hold_no_secret_in_sight(
    local_stack: Checkout, engine: docker.DockerClient, outputs: dict[str, Any]
) -> None:
    values = list(outputs["credentials"]["webhook"].values())
    assert len(values) == 3
    names = {"webhook": outputs["webhook"]["service"], "webhook-worker": outputs["webhook"]["workerService"]}
    names |= {"alpaca-paper": outputs["alpacaPaper"]["service"], "queue": outputs["queue"]["service"]}
    assert set(names) == set(TASKS)
    shown = [local_stack.state(), local_stack.up_output]
    for service in names.values():
        container = engine.containers.get(service)
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"] is True and host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges:true"]
        assert container.attrs["Config"]["User"] == "1000:1000"
        bindings = [binding for ports in (host["PortBindings"] or {}).values() for binding in ports]
        assert {binding["HostIp"] for binding in bindings} <= {"127.0.0.1"}
        wait_for(f"{service} to be healthy", lambda one=container: (one.reload(), one.attrs["State"]["Health"]["Status"] == "healthy")[1])
        image = engine.api.inspect_image(container.attrs["Image"])
        shown += [container.logs().decode(), json.dumps(container.top()), json.dumps([image, engine.api.history(image["Id"])])]
    assert not [value for value in values if any(value in text for text in shown)]


def test_neither_role_has_the_others_secrets(engine: docker.DockerClient, outputs: dict[str, Any]) -> None:
    def variables(service: str) -> set[str]:
        return {one.partition("=")[0] for one in engine.containers.get(service).attrs["Config"]["Env"]}

    accept, execute = variables(outputs["webhook"]["service"]), variables(outputs["webhook"]["workerService"])
    assert "SLANGER_SIGNING_KEY" in accept and not {name for name in accept if "BROKER" in name}
    assert "SLANGER_BROKER_SECRET" in execute and "SLANGER_SIGNING_KEY" not in execute


def test_up_tells_where_alerts_go(local_stack: Checkout, outputs: dict[str, Any]) -> None:
    assert f"alerts go to {outputs['webhook']['url']}/ROUTE" in local_stack.up_output

    def states() -> dict[str, str]:
        return {row["service"]: row["state"] for row in json.loads(local_stack.make("status", "FORMAT=json"))["services"]}

    wait_for("all tasks to run", lambda: dict.fromkeys(TASKS, "running").items() <= states().items())


def test_chaos_loses_and_doubles_nothing(local_stack: Checkout) -> None:
    """Seeded; the seed is printed. 160 alerts here, 2,000 by default in `make chaos-alerts`."""
    line = local_stack.make("chaos-alerts", "ALERTS=160").strip().splitlines()[-1]
    print(line)
    figures = dict(part.split("=") for part in line.split())
    assert (figures["sent"], figures["duplicated"], figures["lost"], figures["out_of_order"]) == ("160", "0", "0", "0")
    assert int(figures["accepted"]) > 80 and figures["accepted"] == figures["ordered"] and int(figures["faults"]) > 3
