"""The broker as a process: start, stop, refusals, health, and that nothing it has answered is forgotten when it is killed."""

import concurrent.futures
import contextlib
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
import requests

pytestmark = pytest.mark.servers

SYMBOLS = ("AAPL", "KO", "T", "BTC/USD")


def test_sigterm_ends_it_with_exit_code_0_even_with_a_client_and_a_hanging_request(run, wait_for):
    process = run().wait_until_ready()
    process.get("/v2/account")
    process.post("/_paper/faults", {"action": "hang", "path": "/v2/clock"})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        hanging = pool.submit(process.raw, "GET", "/v2/clock")
        wait_for(lambda: process.get("/_paper/faults")[0]["struck"])
        started = time.monotonic()
        assert process.terminate() == 0
        assert time.monotonic() - started < 15
        assert isinstance(hanging.exception(timeout=30), requests.ConnectionError) or hanging.result().status_code >= 500
    assert process.messages() == ["open", "stopped"]
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    assert {(line["service"], line["level"], line["time"][-6:]) for line in lines} == {("alpaca-paper", "info", "+00:00")}
    assert "test-secret" not in process.log.read_text()


def test_the_health_command_tells_whether_the_server_answers(run):
    process = run().wait_until_ready()

    def health():
        command = [sys.executable, "-m", "alpaca_paper.health"]
        return subprocess.run(command, check=False, env=process.environment, capture_output=True, text=True, timeout=60)

    assert health().returncode == 0
    process.terminate()
    dead = health()
    assert dead.returncode == 1 and "no answer from the server" in dead.stdout


@pytest.mark.parametrize(
    "settings, messages",
    [
        ({"KEY": "", "SECRET": "x", "PORT": "0", "HOURS": "day"}, ["_KEY: set", "_SECRET: set", "_PORT='0': use", "_HOURS='day': use"]),
        ({"SPEED": "5"}, ["ALPACA_PAPER_SPEED is not a setting"]),
        ({"DATA": "/proc/nowhere"}, ["ALPACA_PAPER_DATA='/proc/nowhere': can't be used"]),
    ],
)
def test_bad_settings_are_refused_in_one_line_that_names_them_all(run, settings, messages):
    process = run(**settings)
    assert process.popen.wait(timeout=60) == 2
    (said,) = process.messages()
    assert all(message in said for message in messages)


def test_a_second_broker_on_the_same_folder_or_port_is_refused(run):
    first = run().wait_until_ready()
    second = run()
    assert second.popen.wait(timeout=60) == 2
    assert "use a folder that no other broker uses" in second.messages()[-1]
    third = run(PORT=str(first.port), DATA=str(first.log.parent / "other"))
    assert third.popen.wait(timeout=60) == 2
    assert "choose a free port" in third.messages()[-1]


def test_a_store_that_can_not_be_read_is_refused_and_left_alone(run, tmp_path):
    run().wait_until_ready().kill()
    with contextlib.closing(sqlite3.connect(tmp_path / "broker" / "broker.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE state SET body = '{\"cash\": 1}' WHERE name = 'account'")
    process = run()
    assert process.popen.wait(timeout=60) == 2
    assert str(tmp_path / "broker") in process.messages()[-1] and "use an empty folder" in process.messages()[-1]


def test_a_traded_symbol_that_is_gone_from_the_settings_is_refused(run):
    first = run(SYMBOLS='{"NEW": 5}').wait_until_ready()
    first.send("NEW")
    first.terminate()
    second = run()
    assert second.popen.wait(timeout=60) == 2
    assert second.messages()[-1].startswith("ALPACA_PAPER_SYMBOLS lacks NEW")


def test_while_it_is_down_connections_are_refused(run, wait_for):
    process = run().wait_until_ready()
    process.post("/_paper/down", {"seconds": 5})

    def refused():
        try:
            return not requests.get(f"{process.url}/health", timeout=5)
        except requests.ConnectionError:
            return True

    wait_for(refused)
    process.wait_until_ready()
    process.session.close()
    process.send()


def state(process):
    """All that a client can see."""
    steady = ("cash", "equity", "buying_power", "trade_suspended_by_user", "created_at")
    account = process.get("/v2/account")
    paths = ("/_paper/orders", "/v2/positions", "/v2/account/activities/FILL", "/_paper/conditions")
    return {"account": {name: account[name] for name in steady}, **{path: process.get(path) for path in paths}}


def test_after_sigkill_it_continues_where_it_was(run):
    process = run().wait_until_ready()
    process.post("/_paper/prices", {"set": {"AAPL": "100"}, "shift_percent": {"KO": 3}})
    process.post("/_paper/fills", {"parts": 2})
    process.send(qty="5")
    process.send("BTC/USD", qty="0.01")
    trailing = process.send(side="sell", kind="trailing_stop", trail_percent="5", qty="2")
    bracket = {"order_class": "bracket", "take_profit": {"limit_price": 90}, "stop_loss": {"stop_price": 50}}
    process.send("KO", kind="limit", limit_price=60, **bracket)
    process.raw("PATCH", "/v2/account/configurations", json={"suspend_trade": True})
    process.post("/_paper/prices", {"set": {"AAPL": "120"}})
    before = state(process)
    process.kill()
    process.start()
    process.wait_until_ready()
    assert state(process) == before
    process.post("/_paper/prices", {"set": {"AAPL": "114"}})
    assert process.get(f"/v2/orders/{trailing['id']}")["status"] == "filled"


@pytest.mark.parametrize("seed", [1, 2])
def test_no_answered_order_is_lost_whenever_it_is_killed(run, seed):
    """Eight clients send, a killer kills: every order that was answered is there afterwards, once, and the books add up."""
    dice = random.Random(seed)
    process = run(CASH="100000000").wait_until_ready()
    answered, stop = {}, threading.Event()

    def send(worker):
        order_dice = random.Random(f"{seed}-{worker}")
        session = requests.Session()
        session.headers.update(process.session.headers)
        number = 0
        while not stop.is_set():
            number += 1
            symbol = order_dice.choice(SYMBOLS)
            body = {"symbol": symbol, "side": "buy", "type": "market", "time_in_force": "gtc" if "/" in symbol else "day", "qty": "1"}
            name = f"{worker}-{number}"
            try:
                answer = session.post(f"{process.url}/v2/orders", json={**body, "client_order_id": name}, timeout=10)
            except requests.RequestException:
                time.sleep(0.1)
                continue
            assert answer.status_code == 200, answer.text
            answered[name] = answer.json()["id"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(send, worker) for worker in range(8)]
        for _ in range(3):
            enough = len(answered) + dice.randint(10, 60)
            deadline = time.monotonic() + 60
            while len(answered) < enough and time.monotonic() < deadline:
                time.sleep(0.001)
            process.kill()
            process.start()
            process.wait_until_ready()
        stop.set()
        for worker in workers:
            worker.result(timeout=60)
    orders = process.get("/_paper/orders")
    taken = {order["client_order_id"]: order["id"] for order in orders}
    assert len(answered) > 30 and answered.items() <= taken.items()
    assert len(orders) == len({order["id"] for order in orders}) and [order["number"] for order in orders] == list(
        range(1, len(orders) + 1)
    )
    assert {order["status"] for order in orders} == {"filled"}
    for symbol in SYMBOLS:
        bought = sum(Decimal(order["filled_qty"]) for order in orders if order["symbol"] == symbol)
        kept = Decimal("0.9975") if "/" in symbol else 1
        assert Decimal(process.get(f"/v2/positions/{symbol.replace('/', '')}")["qty"]) == bought * kept
    spent = sum(Decimal(order["filled_qty"]) * Decimal(order["filled_avg_price"]) for order in orders)
    assert Decimal(process.get("/v2/account")["cash"]) == 100_000_000 - spent
    assert json.loads(process.log.read_text().splitlines()[-1])["orders"] > 0
