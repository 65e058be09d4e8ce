"""What `make chaos-data` counts: lost lines and points are seen, equal lines are not merged, every service is hurt in every way."""

import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from tools.chaos.data_counts import DataTally, lost_lines
from tools.chaos.data_faults import plan
from tools.chaos.data_sources import MOST_LINES, LokiSource

GOOD = {"restarts": 12, "alerts": 40, "points": 100, "lines": 1000}


@pytest.mark.parametrize(
    ("written", "found", "lost"),
    [
        (["a", "b"], ["b", "a"], 0),
        (["a", "b"], ["a"], 1),
        (["a", "a", "a"], ["a"], 2),
        (["a"], ["a", "a", "x"], 0),
        ([], [], 0),
    ],
)
def test_lost_lines(written: list[str], found: list[str], lost: int) -> None:
    assert lost_lines(written, found) == lost


def test_lines_that_are_lost_are_told_but_points_alerts_and_bots_decide() -> None:
    assert DataTally(**GOOD).good and DataTally(**GOOD, lines_lost=3, dropped=2).good
    for bad in ("bots_stopped", "alerts_lost", "alerts_doubled", "points_lost"):
        assert not DataTally(**GOOD, **{bad: 1}).good
    for nothing_tried in GOOD:
        assert not DataTally(**{**GOOD, nothing_tried: 0}).good
    line = DataTally(**GOOD, lines_lost=3, dropped=2).line(7)
    assert line == (
        "restarts=12 bots_stopped=0 alerts=40 alerts_lost=0 alerts_doubled=0 points=100 points_lost=0 lines=1000 lines_lost=3 dropped=2 seed=7"
    )


def test_each_is_hurt_in_both_ways_and_then_all_at_once() -> None:
    rounds = plan(["redis", "loki"], random.Random(1))
    assert sorted(rounds[:-2]) == [(("loki",), "kill"), (("loki",), "stop"), (("redis",), "kill"), (("redis",), "stop")]
    assert rounds[-2:] == [(("redis", "loki"), "kill"), (("redis", "loki"), "stop")]
    assert plan(["redis", "loki"], random.Random(1)) == rounds


@pytest.fixture
def loki() -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """A server that pages as Loki does: at most `limit` lines from `start` on, oldest first."""
    lines: list[tuple[int, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
            page = [[str(at), line] for at, line in lines if at >= int(asked["start"])][: int(asked["limit"])]
            body = json.dumps({"data": {"result": [{"values": page}]}}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", lines
    server.shutdown()
    server.server_close()


def test_lines_are_read_over_pages_with_equal_ones_and_equal_moments(loki: tuple[str, list[tuple[int, str]]]) -> None:
    url, lines = loki
    base = 1_700_000_000_000_000_000
    lines += [(base + number // 3, "same" if number % 2 else f"line {number}") for number in range(2 * MOST_LINES + 100)]
    found = LokiSource(url).lines("bot", base / 1e9, base / 1e9 + 10)
    assert lost_lines([line for _, line in lines], found) == 0 and len(found) == len(lines)
