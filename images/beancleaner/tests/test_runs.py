"""Whole runs against the real paper broker and a real Redis."""

import pytest
from beancleaner_world import symbols

pytestmark = pytest.mark.servers

NOON = """
keep: {symbols: [T], lists: [earnings_list]}
rules:
  - {name: noon, close: all, when: {time: "12:59"}}
"""


def test_closes_what_is_not_excluded(world):
    world.redis.client.sadd("earnings_list", "AAPL", "L")
    world.paper.hold(A=3, AAPL=5, L=2, T=7, MSFT=-4, KO=1.5, BTC_USD=0.25)
    code, report, process = world.run(NOON)
    assert code == 0, process.text
    assert world.paper.positions() == {"AAPL": 5, "L": 2, "T": 7}
    assert symbols(report["closed"]) == ["A", "BTC/USD", "KO", "MSFT"]
    assert symbols(report["kept"]) == ["AAPL", "L", "T"]
    assert report["failed"] == []
