"""docs/add-a-bot.md followed to the letter, from an empty folder: the service's own order is filled, the strategy's bot trades."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import yaml

from tests.guide import SERVICE, STRATEGY, Block, Command, File, steps
from tests.local.conftest import TIMEOUT, Checkout, new_checkout, there
from tests.local.paper_broker import PaperBroker
from tests.local.waiting import wait_for
from tools.stack.orders import owner_of

pytestmark = [pytest.mark.docker, pytest.mark.engine]
TRADE_SECONDS = 900
"""A bound for what comes of candles: five of a minute each before a trade must close, and a busy machine."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, engine: docker.DockerClient) -> Iterator[Checkout]:
    """Somebody with a fresh checkout and the page. Nothing is left behind when they have taken the stack down."""
    checkout = new_checkout(tmp_path_factory.mktemp("guide"), data=True)
    things: list[tuple[str, str]] = []
    try:
        yield checkout
        things = checkout.owned()
    finally:
        checkout.make("down")
    assert there(engine, things) == [], "left behind by `make down`"


def follow(checkout: Checkout, title: str, before: dict[str, Any] | None = None) -> dict[str, str]:
    """Do what a section says. Returns what each command printed, the last time; `before`: command -> what a person waits for before typing it."""
    said: dict[str, str] = {}
    for number, step in steps(title):
        if isinstance(step, Command):
            wait_for(f"what step {number} looks at", (before or {}).get(step.line, lambda: True), TRADE_SECONDS)
            said[step.line] = typed(checkout, step.line)
        elif isinstance(step, File):
            assert (checkout.folder / step.path).is_file(), f"step {number}: {step.path} is not there"
            (checkout.folder / step.path).write_text(step.content)
        elif isinstance(step, Block):
            # Word for word: tests/unit/test_guide_text.py. This stack's file was written anew, with ports of its own.
            ((key, (shown,)),) = yaml.safe_load(step.text)["config"].items()
            assert without_port(checkout.config[key][-1]) == without_port(shown), f"step {number}"
    return said


def without_port(block: dict[str, Any]) -> dict[str, Any]:
    """Ports are those that are free on this machine."""
    return {key: value for key, value in block.items() if key != "publishedPort"}


def typed(checkout: Checkout, line: str) -> str:
    """A line as a person types it; what they see. AssertionError when it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "MAKE", "PYTEST"))}
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=checkout.folder,
        # `make down` must not stop the engine under another test.
        env={**inherited, "TRADESTACK_KEEP_ENGINE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, f"{line}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


def test_a_service_of_ones_own_trades(reader: Checkout) -> None:
    def orders() -> list[dict[str, Any]]:
        port = reader.config["tradestack:alpacaPaper"]["publishedPort"]
        broker = PaperBroker(f"http://127.0.0.1:{port}", reader.outputs()["credentials"]["webhook"])
        found = broker.ask("GET", "/v2/orders", params={"status": "all", "nested": "true", "limit": 500})
        return [one for one in found if owner_of(one["client_order_id"]) == "mine"]

    def filled() -> list[dict[str, Any]]:
        return [one for one in orders() if one["status"] == "filled" and one["side"] == "buy"]

    def sent() -> bool:
        """Within the minutes that the page looks back."""
        return bool(filled()) and '"message": "sent"' in reader.make("logs", "BOT=mine", "MINUTES=4")

    def guarded() -> bool:
        """The worker places the stop when it has seen the entry filled."""
        return any(one["type"] == "trailing_stop" for one in orders())

    said = follow(reader, SERVICE, {"make logs BOT=mine MINUTES=5": sent, "make orders NAME=mine": guarded})
    assert '"message": "sent"' in said["make logs BOT=mine MINUTES=5"]
    # One line an order: filled, and then the stop that guards it.
    assert re.search(
        r"^\S+ \S+ mine: buy \d+ × \w+, market \S+: filled, filled \d+ at [\d.]+$", said["make orders NAME=mine"], re.MULTILINE
    )
    assert "trailing_stop" in said["make orders NAME=mine"]
    assert "speed 60" in said["make market SPEED=60"] and "speed 1;" in said["make market SPEED=1"].replace(", hours", ";")
    wait_for("both to run", lambda: {"mine", "purrstream"} <= {row["service"] for row in services(reader) if row["state"] == "running"})
    bought = filled()
    assert len({one["client_order_id"] for one in bought}) == len(bought)


def services(checkout: Checkout) -> list[dict[str, Any]]:
    return json.loads(checkout.make("status", "FORMAT=json"))["services"]


def test_a_freqtrade_strategy_of_ones_own_trades(reader: Checkout) -> None:
    def traded() -> bool:
        row = next(one for one in reader.status() if one["bot"] == "trend")
        return bool(row["open_trades"] or row["closed_trades"])

    said = follow(reader, STRATEGY, {"make status": traded})
    assert re.search(r"^trend +running ", said["make status"], re.MULTILINE)
    assert any(line.startswith("{") for line in said["make logs BOT=trend MINUTES=5"].splitlines())
    # The strategy is named when the bot starts, which may be longer ago than five minutes.
    assert "TrendStrategy" in reader.make("logs", "BOT=trend", "MINUTES=120")

    def closed() -> int:
        return next(one for one in reader.status() if one["bot"] == "trend")["closed_trades"] or 0

    wait_for("the bot's first closed trade", closed, TRADE_SECONDS)
