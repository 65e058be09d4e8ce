"""A stack's life: changes replace the container and never the volume, bad input leaves nothing behind, and neither does `make down`."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.local.conftest import Checkout, new_checkout, there
from tests.local.waiting import wait_for
from tools.stack.bots import PATIENT, BotApi

pytestmark = [pytest.mark.docker, pytest.mark.engine]


@pytest.fixture
def checkout(tmp_path: Any, engine: docker.DockerClient) -> Iterator[Checkout]:
    """A checkout whose stack is not up yet; brought down afterwards."""
    made = new_checkout(tmp_path)
    yield made
    if (made.folder / ".tradestack" / "env").exists():
        made.make("down")


def up(checkout: Checkout) -> str:
    """`make up` without waiting for a trade."""
    return checkout.make("up", "UP_OPTIONS=--no-wait")


def closed_by(trade: dict[str, Any], strategy: str) -> bool:
    return trade["strategy"] == strategy and not trade["is_open"]


def test_change_replaces_the_container_and_never_the_volume(checkout: Checkout, engine: docker.DockerClient) -> None:
    up(checkout)
    first = checkout.container(engine)
    volume = [mount["Name"] for mount in first.attrs["Mounts"]]

    strategy = next((checkout.folder / "images" / "freqtrade" / "strategies").glob("breakout.py"))
    strategy.write_text(strategy.read_text() + "\n# changed\n")
    up(checkout)
    second = checkout.container(engine)
    assert second.id != first.id and second.attrs["Config"]["Image"] != first.attrs["Config"]["Image"]
    assert [mount["Name"] for mount in second.attrs["Mounts"]] == volume
    assert there(engine, [("images", first.attrs["Config"]["Image"])]) == [], "the image of the version before is left behind"

    checkout.configure(lambda config: config["tradestack:bots"][0].update(strategy="RsiBandsStrategy"))
    up(checkout)
    third = checkout.container(engine)
    assert third.id != second.id
    assert [mount["Name"] for mount in third.attrs["Mounts"]] == volume

    outputs = checkout.outputs()
    api = BotApi(outputs["bots"][0]["apiUrl"], outputs["credentials"]["sample"], PATIENT)
    wait_for("a closed trade of the other strategy", lambda: any(closed_by(trade, "RsiBandsStrategy") for trade in api.all_trades()), 900)

    things = checkout.owned()
    assert len(there(engine, things)) == len(things) >= 6
    checkout.make("down")
    assert there(engine, things) == []
    assert "nothing to destroy" in checkout.make("down")
    assert checkout.config["tradestack:host"] == "docker", "the tracked configuration is gone too"


def bots(checkout: Checkout, **changes: Any) -> None:
    checkout.configure(lambda config: config["tradestack:bots"][0].update(changes))


def break_strategy(checkout: Checkout) -> str:
    bots(checkout, strategy="NoSuchStrategy")
    return "tradestack:bots[0]: strategy='NoSuchStrategy': no such strategy"


def break_size(checkout: Checkout) -> str:
    bots(checkout, cpu=256, memory=8192)
    return "memory=8192: with cpu 256 use one of 512, 1024, 2048"


def break_name(checkout: Checkout) -> str:
    checkout.configure(lambda config: config["tradestack:bots"].append({**config["tradestack:bots"][0], "publishedPort": 18999}))
    return "2 bots are named 'sample'"


def break_live(checkout: Checkout) -> str:
    bots(checkout, dryRun=False, exchange="binance")
    return "tradestack:secrets.sample.exchangeKey: is missing and dryRun is false"


@pytest.mark.parametrize("break_it", [break_strategy, break_size, break_name, break_live])
def test_bad_configuration_creates_nothing(checkout: Checkout, break_it: Any) -> None:
    expected = break_it(checkout)
    output = checkout.make("up", "UP_OPTIONS=--no-wait", fails=True)
    assert expected in output, output
    assert "Traceback" not in output
    assert checkout.owned() == []


def test_port_in_use(checkout: Checkout) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        bots(checkout, publishedPort=port)
        output = checkout.make("up", "UP_OPTIONS=--no-wait", fails=True)
    assert f"publishedPort={port}: Address already in use" in output
    assert checkout.owned() == []


def test_docker_not_running(checkout: Checkout) -> None:
    output = checkout.make("up", "UP_OPTIONS=--no-wait", fails=True, environment={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    assert "/nowhere/docker.sock" in output and "Traceback" not in output, output


def test_full_volume_is_said_and_nothing_trades(checkout: Checkout, engine: docker.DockerClient) -> None:
    """A volume of 256 KiB: too small for the database, as a full disk is."""
    volume = engine.volumes.create(driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=256k,uid=1000,gid=1000,mode=0700"})
    try:
        bots(checkout, volume=volume.name)
        output = checkout.make("up", "UP_OPTIONS=--no-wait", fails=True)
        assert re.search(r"can't be written \(No space left on device\)", output), output
    finally:
        checkout.make("down")
        volume.remove()
