"""Loki in its container: lines are found by label and text, kept over SIGKILL and restored from a copy; one server a volume, a clean end."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from images.supervisor.tests.containers import wait_for
from tools.stack.ports import free_port

from .conftest import ENVIRONMENT, TENANT, find, push, push_otlp, url

pytestmark = pytest.mark.docker
HOUR = 3600 * 10**9


def test_a_line_is_found_by_its_labels_and_its_text(shared):
    labels = {"stack": "local", "service": "sample", "bot": "sample"}
    assert push(shared, [(time.time_ns(), '{"message": "entered ETH/BTC"}')], labels).status_code == 204
    ((found, line),) = find(shared, '{service="sample", bot="sample"} |= "entered ETH"')
    assert line == '{"message": "entered ETH/BTC"}' and labels.items() <= found.items()
    assert find(shared, '{service="other"}') == []


def test_of_an_otlp_line_only_three_attributes_become_labels(shared):
    text = '{"message": "through the router"}'
    assert push_otlp(shared, text, stack="local", service="router-test", bot="b", host="h").status_code in (200, 204)
    names = requests.get(f"{url(shared)}/loki/api/v1/labels", headers=TENANT, timeout=20).json()["data"]
    assert {"stack", "service", "bot"} <= set(names) and "host" not in names
    ((_, line),) = find(shared, '{service="router-test"} |= "through"')
    assert line == text


def test_without_a_tenant_there_is_no_answer_and_tenants_are_apart(shared):
    labels = {"service": "tenants"}
    assert push(shared, [(time.time_ns(), "x")], labels, tenant={}).status_code == 401
    assert push(shared, [(time.time_ns(), "ours")], labels).status_code == 204
    assert find(shared, '{service="tenants"}', tenant={"X-Scope-OrgID": "other"}) == []


@pytest.mark.parametrize(
    ("offset", "said"), [(-8 * 24 * HOUR, "timestamp too old"), (HOUR, "timestamp too new")], ids=["a week behind", "an hour ahead"]
)
def test_a_jump_of_the_clock_is_a_clear_refusal(shared, offset, said):
    answer = push(shared, [(time.time_ns() + offset, "jumped")], {"service": "clock"})
    assert answer.status_code == 400 and said in answer.text


def test_lines_may_come_in_any_order_within_the_hour(shared):
    now = time.time_ns()
    for minutes in (0, 50, 10, 30):
        assert push(shared, [(now - minutes * HOUR // 60, f"{minutes} min ago")], {"service": "order"}).status_code == 204
    assert [line for _, line in find(shared, '{service="order"}', 2)] == ["50 min ago", "30 min ago", "10 min ago", "0 min ago"]


def test_everything_acknowledged_is_there_after_sigkill(place):
    server = place.make(ENVIRONMENT, memory=1024).start()
    now = time.time_ns()
    for batch in range(20):
        lines = [(now + batch * 1000 + number, f"line {batch * 100 + number}") for number in range(100)]
        assert push(server, lines, {"service": f"s{batch % 4}"}).status_code == 204
    server.kill()
    server.start()
    found = wait_for("the lines are back", lambda: len(lines := find(server, '{service=~"s.+"}')) == 2000 and lines)
    assert {line for _, line in found} == {f"line {number}" for number in range(2000)}
    assert server.stop() == 0
    said = server.lines()
    assert {line["service"] for line in said} == {"loki"} and said[-1]["message"] == "stopped"


def test_a_copy_of_a_stopped_servers_volume_shows_the_same(place):
    server = place.make(ENVIRONMENT, memory=1024).start()
    now = time.time_ns()
    assert push(server, [(now + number, f"line {number}") for number in range(300)], {"service": "kept"}).status_code == 204
    before = find(server, '{service="kept"}')
    assert server.stop() == 0 and len(before) == 300
    copy = place.make(ENVIRONMENT, volume=place.copy(server.volume), memory=1024).start()
    assert wait_for("the copy answers", lambda: find(copy, '{service="kept"}')) == before


def test_a_second_server_on_the_volume_ends_with_one_sentence(place):
    first = place.make(ENVIRONMENT, memory=1024).start()
    second = place.make(ENVIRONMENT, volume=first.volume, memory=1024).start(ready=False)
    assert second.code() == 75
    assert "another server has this volume" in second.lines()[-1]["message"]
    assert first.healthy()


def test_the_health_command_wants_an_answer(place):
    server = place.make(ENVIRONMENT, memory=1024).start()
    server.signal("loki", signal.SIGSTOP)
    assert server.health() == (1, "no answer: timed out\n")
    server.signal("loki", signal.SIGCONT)
    wait_for("healthy again", server.healthy)


def test_only_the_http_port_answers_from_outside(place):
    server = place.make(ENVIRONMENT, memory=1024).start()
    listening = server.run("cat", "/proc/net/tcp", "/proc/net/tcp6").split()
    ports = {word for word in listening if word.endswith(f":{9095:04X}")}
    assert ports == {f"0100007F:{9095:04X}"}


@contextmanager
def s3(address: str) -> Iterator[str]:
    """MiniStack's S3 with a bucket `chunks`, reached from the containers of one network only. Its URL."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BIND_HOST": address, "GATEWAY_PORT": str(free_port()), "TMPDIR": folder, "PERSIST_STATE": "0"}
        server = subprocess.Popen([sys.executable, "-m", "ministack"], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        try:
            found = f"http://{address}:{environment['GATEWAY_PORT']}"
            wait_for("the bucket is made", lambda: requests.put(f"{found}/chunks", timeout=5).ok)
            yield found
        finally:
            server.terminate()
            server.wait(30)


def test_chunks_go_to_a_server_that_speaks_s3(place):
    """MiniStack's S3 stands for AWS's."""
    gateway = place.engine.networks.get(place.network).attrs["IPAM"]["Config"][0]["Gateway"]
    with s3(gateway) as endpoint:
        there = {"LOKI_S3_BUCKET": "chunks", "LOKI_S3_ENDPOINT": endpoint, "AWS_REGION": "us-east-1"}
        environment = {**ENVIRONMENT, **there, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        server = place.make(environment, memory=1024).start()
        assert push(server, [(time.time_ns(), "kept in the bucket")], {"service": "bucket"}).status_code == 204
        assert requests.post(f"{url(server)}/flush", headers=TENANT, timeout=30).status_code == 204
        wait_for("a chunk is there", lambda: "<Key>tradestack/" in requests.get(f"{endpoint}/chunks?list-type=2", timeout=5).text)
        assert server.stop() == 0  # the index goes there at the end
        # On an empty volume, so that what is found comes from the bucket.
        fresh = place.make(environment, memory=1024).start()
        wait_for("the line is found", lambda: find(fresh, '{service="bucket"}'))
