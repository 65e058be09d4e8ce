"""A chaos run's stack has no port of the stack that its configuration was copied from, which may be up beside it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tools.chaos import alerts, data
from tools.chaos.throwaway import PORT_KEYS, with_free_ports
from tools.day import chaos
from tools.stack import local_config


def ports(block: Any) -> Iterator[int]:
    """Every port that it names."""
    if isinstance(block, dict):
        for key, value in block.items():
            if key in PORT_KEYS:
                yield value
            else:
                yield from ports(value)
    elif isinstance(block, list):
        for one in block:
            yield from ports(one)


def test_every_port_is_another_one_and_nothing_else_changes() -> None:
    block = {
        "data": {"redis": {"publishedPort": 1}, "logRouterPort": 2, "loki": None},
        "bots": [{"publishedPort": 3, "name": "a"}],
        "port": 4,
    }
    given = with_free_ports(block)
    assert not {1, 2, 3} & set(ports(given)) and len(set(ports(given))) == 3
    assert given["data"]["loki"] is None and given["bots"][0]["name"] == "a" and given["port"] == 4
    assert block["data"]["logRouterPort"] == 2


@pytest.mark.parametrize("wanted", [chaos.wanted, data.wanted, alerts.wanted])
def test_stores_that_the_local_stack_publishes_are_elsewhere(wanted: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    tracked = local_config.tracked()
    stores = tracked["config"]["tradestack:data"]
    stores.update(
        {store: {**(stores.get(store) or {}), "publishedPort": 19_000 + at} for at, store in enumerate(("redis", "influxdb", "loki"))}
    )
    monkeypatch.setattr(local_config, "tracked", lambda: tracked)
    used = list(ports(wanted()))
    assert used and not set(used) & set(ports(tracked)) and all(isinstance(port, int) for port in used)
