"""Lines on their way to Loki: labels, time, what is no JSON, what is too long. Real router, real Loki."""

import json
import socket
import time
from datetime import UTC, datetime

import pytest
import requests

from .conftest import wait_for

pytestmark = pytest.mark.docker


def iso(seconds: float, form: str = "+00:00") -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", form)


def line(message: str, at: float | None = None, level: str = "info") -> str:
    return json.dumps({"time": iso(at or time.time()), "level": level, "service": "x", "message": message})


def found(world, query, number, deadline=30):
    return wait_for(f"{number} lines of {query}", lambda: len(lines := world.lines(query)) >= number and lines, deadline)


def test_a_line_is_found_by_service_bot_and_text_within_10_s(world, service):
    driver = world.driver(service, bot="alpha")
    given = line("the brown fox", level="warning")
    driver.send(given)
    driver.send(line("another"))
    ((_, body),) = found(world, f'{{stack="test", service="{service}", bot="alpha"}} |= "brown fox" | json | level="warning"', 1, 10)
    assert body == given, "the body is the line itself"


def test_the_labels_are_stack_service_and_for_a_bot_bot(world, service):
    world.driver(service).send(line("of a service"))
    world.driver(f"{service}-b", bot="beta").send(line("of a bot"))
    found(world, f'{{service=~"{service}.*"}}', 2)
    url = f"http://127.0.0.1:{world.ports[3100]}/loki/api/v1/series"
    answer = requests.get(url, params={"match[]": f'{{service=~"{service}.*"}}'}, headers={"X-Scope-OrgID": "tradestack"}, timeout=20)
    assert sorted(answer.json()["data"], key=len) == [
        {"stack": "test", "service": service},
        {"stack": "test", "service": f"{service}-b", "bot": "beta"},
    ]


def test_the_time_is_the_line_s_own(world, service):
    now = round(time.time(), 3)
    driver = world.driver(service)
    driver.send(line("offset", now - 7), at=now)
    driver.send(json.dumps({"time": iso(now - 6, "Z"), "message": "zulu"}), at=now)
    driver.send(json.dumps({"time": "yesterday", "message": "no time"}), at=now)
    times = {json.loads(body)["message"]: at / 1e9 for at, body in found(world, f'{{service="{service}"}}', 3)}
    assert times == {
        "offset": pytest.approx(now - 7, abs=1e-4),
        "zulu": pytest.approx(now - 6, abs=1e-4),
        "no time": pytest.approx(now, abs=1e-4),
    }


@pytest.mark.parametrize("days", [-400, -10, -0.5, -0.03, 0.03, 0.5, 10, 400])
def test_wrong_clocks_neither_lose_a_line_nor_hold_up_the_next(world, service, days):
    failed = world.count("otelcol_exporter_send_failed_log_records_total")
    driver = world.driver(service)
    wrong = time.time() + days * 86_400
    driver.send(line("the line's clock", wrong))
    driver.send(line("both clocks", wrong), at=wrong)
    driver.send(line("right"))
    expected = {"the line's clock", "both clocks", "right"}
    assert {json.loads(body)["message"] for _, body in found(world, f'{{service="{service}"}}', 3)} == expected
    assert world.count("otelcol_exporter_send_failed_log_records_total") == failed


def test_what_is_no_json_passes_with_level_unknown(world, service):
    driver = world.driver(service)
    odd = ["plain text", '{"broken', "[1]", "", "\x00\x1b[31m", '{"level": 5, "time": {}}', '{"level": null}']
    for one in odd:
        driver.send(one)
    driver.send(b"\xff\xfe\x80 bytes")
    lines = found(world, f'{{service="{service}"}} | detected_level="unknown"', len(odd) + 1)
    assert sorted(body for _, body in lines) == sorted([*odd, "\ufffd\ufffd\ufffd bytes"])


def test_the_parts_of_a_long_line_can_be_put_together(world, service):
    """Docker cuts lines at 16 KB."""
    whole = line("x" * 17_000)
    driver = world.driver(service)
    for ordinal, part in enumerate((whole[:16_384], whole[16_384:]), start=1):
        more = {"partial_message": "true", "partial_id": "abc", "partial_ordinal": str(ordinal), "partial_last": str(ordinal == 2).lower()}
        driver.send(part, **more)
    wait_for("both parts", lambda: len(world.lines(f'{{service="{service}"}} | partial_id="abc"')) == 2)
    streams = world.streams(f'{{service="{service}"}}')
    parts = {stream["stream"]["partial_ordinal"]: stream["values"][0][1] for stream in streams}
    assert "".join(parts[number] for number in sorted(parts)) == whole


def test_a_line_of_a_megabyte_arrives_cut_and_holds_up_no_other(world, service):
    driver = world.driver(service)
    long = line("\u20ac" * 350_000, level="error")
    driver.send(long)
    driver.send(line("after it"))
    found(world, f'{{service="{service}"}} |= "after it"', 1)
    ((_, body),) = found(world, f'{{service="{service}"}} | detected_level="error"', 1)
    assert body == long[: len(body)] and 190_000 < len(body) < 210_000


def test_noise_on_the_port_stops_nothing(world, service):
    # Not among them: a message that announces gigabytes, for which the collector takes the memory (README.md).
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x94\xda\xff\xff", b"\xff" * 5000, b"\x93\xa1x\xcf", b""):
        with socket.create_connection(("127.0.0.1", world.ports[24224]), timeout=10) as connection:
            connection.sendall(noise)
    world.driver(service).send(line("still here"))
    found(world, f'{{service="{service}"}}', 1)
