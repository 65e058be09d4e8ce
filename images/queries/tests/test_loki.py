"""Each LogQL query on a real Loki: known lines, as FireLens and as the log router push them, and exactly what must come of them."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from queries import FILES, fill, load

pytestmark = pytest.mark.docker

MINUTE = 60_000
# Loki's steps are those of the clock; what is written now is in its memory, as it is when the board asks.
T = int(time.time()) // 60 * MINUTE - 20 * MINUTE
END = T + 5 * MINUTE
QUERIES = {(file, name): query for file in FILES for name, query in load(file).items() if query.source == "loki"}
EVERYTHING = {"bot": "", "service": "", "symbol": "", "level": "", "search": ""}


def line(level: str, message: str, logger: str = "x", **more: Any) -> str:
    return json.dumps({"time": "2026-01-05T00:00:00Z", "level": level, "logger": logger, "message": message, **more})


def report(refused: str) -> str:
    """As beancleaner prints one."""
    kept = [{"symbol": "KO", "why": 'on the list "holds"', "left": 20.0}]
    more = {
        "type": "beancleaner_report",
        "account": "main",
        "day": "2026-01-05",
        "refused": refused,
        "closed": [],
        "failed": [],
        "kept": kept,
    }
    return line("error" if refused else "info", "report", "", service="beancleaner", **more, exit_code=1 if refused else 0)


WEB, WORKER = "slanger.accept.journal", "slanger.execute.worker"
ALERT = {"route": "market", "alert": "breakout", "symbol": "AAPL"}
LINES = {
    ("webhook", ""): [
        (1_000, line("info", "accepted", WEB, id="k1", **ALERT)),
        (2_000, line("info", "accepted", WEB, id="k2", **ALERT, unlogged_before=40)),
        (61_000, line("info", "accepted", WEB, id="k3", **ALERT)),
        (62_000, line("warning", "refused", WEB, status=401, reason="not accepted: who sends it?", route="market")),
        (63_000, line("warning", "refused", WEB, status=503, reason="not stored in time", **ALERT)),
        (121_000, line("warning", "refused", WEB, status=401, reason='no "signature"', route="market", unlogged_before=9)),
        (122_000, line("error", "request failed", WEB, exception="Traceback …\nKeyError: 'accepted'")),
        (123_000, line("info", "accepting", "slanger.accept.serve", port=8000)),
    ],
    ("webhook-worker", ""): [
        (1_500, line("info", "ordered", WORKER, key="k1", reason="")),
        (62_500, line("warning", "refused", WORKER, key="k2", reason="above max_notional")),
        (63_500, line("error", "kill refused", WORKER, key="k5", reason="older")),
        (64_500, line("error", "undecodable", WORKER, message_id="m1", reason="no JSON")),
        (65_500, line("warning", "dead letter not stored yet: undecodable", WORKER)),
    ],
    ("alpha", "alpha"): [
        (3_000, line("INFO", "Bot heartbeat", "freqtrade.worker", bot="alpha")),
        (4_000, line("WARNING", "Outdated history", "freqtrade.x", bot="alpha")),
        # A bot can't look like the webhook.
        (5_000, line("info", "accepted", WEB, bot="alpha")),
        (64_000, line("CRITICAL", "out of money", "freqtrade.x", bot="alpha")),
        (65_000, "no JSON at all: Größe 1"),
    ],
    ("beancleaner", ""): [
        (2_500, report("")),
        (67_000, report("nothing is closed: the list dividend_aristocrats can't be read")),
        (67_500, line("info", "published", "botkit.bus", type="beancleaner_report", account="main", day="2026-01-05", refused="")),
        (68_000, line("error", "nothing is closed: the list dividend_aristocrats can't be read", "beancleaner.telling")),
    ],
    ("beta", "beta"): [(66_000, line("debug", 'says "hi" to C:\\tmp\nGröße 5 %, 😀', "freqtrade.x", bot="beta", path="a/b"))],
}


@pytest.fixture(scope="module", params=["push", "otlp"])
def known(request, loki) -> str:
    """A stack's name: Loki's tenant is one for all."""
    stack = f"stack-{uuid4().hex[:8]}"
    push = loki.push if request.param == "push" else loki.push_otlp
    for (service, bot), lines in LINES.items():
        push({"stack": stack, "service": service, **({"bot": bot} if bot else {})}, [(T + at, text) for at, text in lines])
    return stack


def text(file: str, name: str, stack: str, **values: str) -> str:
    """For lines of the test's own `stack`."""
    query = QUERIES[file, name]
    filled = fill(query, T, END, 60, **{one: EVERYTHING[one] for one in query.placeholders - {"time", "interval"}} | values)
    assert filled.count("{service=") == 1
    return filled.replace("{service=", f'{{stack="{stack}", service=')


def numbers(loki, query: str) -> dict[tuple[str, ...], dict[int, float]]:
    """Values of the labels, in their order -> minute -> value. A point at the end of a minute is that minute's."""
    kind, found = loki.ask(query, T + MINUTE, END)
    assert kind == "matrix"
    return {
        tuple(value for _, value in sorted(one["metric"].items())): {
            (int(float(at) * 1000) - T) // MINUTE - 1: float(value) for at, value in one["values"]
        }
        for one in found
    }


def lines(loki, query: str) -> list[str]:
    """Oldest first."""
    kind, found = loki.ask(query, T, END)
    assert kind == "streams"
    return [text for _, text in sorted((int(at), text) for one in found for at, text in one["values"])]


def messages(loki, stack: str, **values: str) -> list[str]:
    return [json.loads(one)["message"] if one.startswith("{") else one for one in lines(loki, text("services", "lines", stack, **values))]


NUMBERS: dict[tuple[str, str], dict[tuple[str, ...], dict[int, float]]] = {
    ("orders", "accepted"): {(): {0: 42, 1: 1}},
    ("orders", "rejected"): {("401",): {1: 1, 2: 10}, ("503",): {1: 1}},
    ("orders", "dead_letters"): {(): {1: 3}},
    # In the order of the labels' names: level, service. As the line has it; the last one is no JSON.
    ("services", "log_lines"): {
        ("info", "webhook"): {0: 2, 1: 1, 2: 1},
        ("warning", "webhook"): {1: 2, 2: 1},
        ("error", "webhook"): {2: 1},
        ("info", "webhook-worker"): {0: 1},
        ("warning", "webhook-worker"): {1: 2},
        ("error", "webhook-worker"): {1: 2},
        ("INFO", "alpha"): {0: 1},
        ("info", "alpha"): {0: 1},
        ("WARNING", "alpha"): {0: 1},
        ("CRITICAL", "alpha"): {1: 1},
        ("info", "beancleaner"): {0: 1, 1: 1},
        ("error", "beancleaner"): {1: 2},
        ("alpha",): {1: 1},
        ("debug", "beta"): {1: 1},
    },
    ("services", "errors"): {("webhook",): {2: 1}, ("webhook-worker",): {1: 2}, ("beancleaner",): {1: 2}, ("alpha",): {1: 1}},
}


@pytest.mark.parametrize(("file", "name"), [key for key, query in QUERIES.items() if query.chart != "logs"])
def test_known_lines_as_numbers(loki, known, file, name) -> None:
    assert numbers(loki, text(file, name, known)) == NUMBERS[file, name]


def test_rejected_lines(loki, known) -> None:
    found = [json.loads(one) for one in lines(loki, text("orders", "rejected_lines", known))]
    assert [(one["status"], one["reason"]) for one in found] == [
        (401, "not accepted: who sends it?"),
        (503, "not stored in time"),
        (401, 'no "signature"'),
    ]


def test_reports_and_why_nothing_was_closed(loki, known) -> None:
    query = text("strategies", "reports", known)
    assert [json.loads(one)["exit_code"] for one in lines(loki, query)] == [0, 1]
    labels = [{key: one["stream"][key] for key in ("account", "day", "refused")} for one in loki.ask(query, T, END)[1]]
    wanted = {"account": "main", "day": "2026-01-05"}
    refused = "nothing is closed: the list dividend_aristocrats can't be read"
    assert sorted(labels, key=lambda one: one["refused"]) == [{**wanted, "refused": ""}, {**wanted, "refused": refused}]


@pytest.mark.parametrize(("file", "name"), QUERIES)
def test_no_lines(loki, file, name) -> None:
    assert loki.ask(text(file, name, "nobody"), T, END)[1] == []


def test_every_line_of_a_bot_or_a_service(loki, known) -> None:
    assert len(messages(loki, known)) == sum(map(len, LINES.values()))
    assert messages(loki, known, bot="beta") == ['says "hi" to C:\\tmp\nGröße 5 %, 😀']
    assert len(messages(loki, known, service="webhook")) == 8
    for other in ("web", "webhook.", "WEBHOOK", "webhook|alpha", "hook", "nobody"):
        assert messages(loki, known, service=other) == []
    assert messages(loki, known, service="webhook", bot="alpha") == []


def test_a_level_and_worse(loki, known) -> None:
    counts = {level: len(messages(loki, known, level=level)) for level in ("debug", "info", "warning", "error", "critical")}
    assert counts == {"debug": 22, "info": 21, "warning": 12, "error": 6, "critical": 1}
    assert messages(loki, known, service="alpha", level="warning") == ["Outdated history", "out of money"]


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ("heartbeat", 1),
        ("HEARTBEAT", 1),
        ("Größe", 2),
        ("Größe 1", 1),
        ("😀", 1),
        ('"hi"', 1),
        ("C:\\tmp", 1),
        ("\\tmp\nGr", 1),
        ("a/b", 1),
        ("5 %", 1),
        ("breakout", 4),
        (".*", 0),
        ("heartbeat|history", 0),
        ("` | json", 0),
        ("}", 22),
        ("k1", 2),
    ],
)
def test_a_text_as_a_person_reads_it(loki, known, search, count) -> None:
    assert len(messages(loki, known, search=search)) == count


def test_each_query_was_tried(loki) -> None:
    assert {*NUMBERS, ("orders", "rejected_lines"), ("services", "lines"), ("strategies", "reports")} == QUERIES.keys()
