"""What InfluxDB gets: one point a signal, whatever was killed in between."""

import sys
from pathlib import Path

import pytest
from earnyearn_expected import expected, settled
from earnyearn_market import at
from earnyearn_world import LISTED, WEDNESDAY, wait_for

pytestmark = pytest.mark.servers


def test_points(world, tmp_path):
    folder = str(Path(__file__).resolve().parents[2] / "botkit/tests")
    if folder not in sys.path:
        sys.path.append(folder)
    from botkit_servers import Influx

    influx = Influx(tmp_path / "influx").start()
    try:
        database = influx.new_database()
        world.influx_url = influx.write_url(database)
        world.market.now = at(WEDNESDAY, "10:00")
        run = world.trading(world.start(SIDE="both", FRESH=3600))
        settled(world, run)
        # Before its points were written, perhaps.
        run.kill()
        run = world.trading(world.start(SIDE="both", FRESH=3600))
        settled(world, run)
        signals = {one.id: one for one in expected(world, LISTED, clock="10:00", SIDE="both")}
        wait_for(lambda: len(influx.rows(database, "earnyearn_signal")) >= len(signals), why=run.log)
        rows = influx.rows(database, "earnyearn_signal")
        assert sorted(row["id"] for row in rows) == sorted(signals)
        alerts = {one["market"]["id"]: one["key"] for one in world.messages()}
        for row in rows:
            one = signals[row["id"]]
            assert row["time"] == int(one.end.timestamp()) * 10**9
            assert (row["account"], row["symbol"], row["side"], row["reason"]) == ("paper", one.symbol, one.side, "macd")
            assert row["outcome"] == ("sent" if one.verdict == "send" else "cooldown") and row["alert"] == alerts.get(one.id)
            # To the last bit: two processes have computed them.
            assert [row[name] for name in ("price", "macd", "signal", "rsi")] == [one.price, one.macd, one.signal, one.rsi]
        assert run.get("/stats")["points"]["dropped"] == 0
    finally:
        influx.end()
