"""The service as a process: refusals at start, health, ports, and what the image's command line says."""

import json
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.servers


def refusal(one):
    """The one log line of a service that ended by itself with exit code 78."""
    assert one.process.popen.wait(timeout=60) == 78
    lines = one.process.log.read_text().splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])["message"]


def test_bad_settings_end_it_with_one_line_that_names_them_all(run_accept):
    said = refusal(run_accept(SLANGER_SIGNING_KEY="s3cret", SLANGER_PORT="0", SLANGER_ACOUNT="x"))
    assert all(name in said for name in ("SLANGER_SIGNING_KEY (secret, 6 characters)", "SLANGER_PORT=0", "SLANGER_ACOUNT is not a setting"))
    assert "s3cret" not in said


def test_a_port_in_use_is_refused_in_one_line(run_accept):
    first = run_accept().wait_until_ready()
    said = refusal(run_accept(SLANGER_PORT=str(first.port)))
    assert said.startswith(
        f"SLANGER_HOST=127.0.0.1 SLANGER_PORT={first.port}: can't listen there (Address already in use); choose an address"
    )


def test_the_health_command_tells_whether_the_service_answers(run_accept):
    one = run_accept().wait_until_ready()

    def health():
        command = [sys.executable, "-m", "slanger.health", "accept"]
        return subprocess.run(command, check=False, env=one.process.environment, capture_output=True, text=True, timeout=60)

    assert health().returncode == 0
    assert one.process.terminate() == 0
    dead = health()
    assert dead.returncode == 1 and "no answer from the service" in dead.stdout


def test_sigterm_ends_it_with_idle_clients_connected(run_accept):
    one = run_accept().wait_until_ready()
    one.session.get(f"{one.url}/health", timeout=10)
    started = time.monotonic()
    assert one.process.terminate() == 0 and time.monotonic() - started < 8
    lines = one.process.lines()
    assert [line["message"] for line in lines] == ["accepting", "stopped"]
    assert (
        lines[0]["authentication"] == ["signature"] and (lines[0]["level"], lines[0]["service"]) == ("info", "webhook") and lines[0]["time"]
    )


def test_a_flood_of_bad_requests_does_not_fill_the_log(run_accept):
    one = run_accept().wait_until_ready()
    started = time.monotonic()
    for _ in range(400):
        assert one.send({}).status_code == 401
    refused = [line for line in one.process.lines() if line["message"] == "refused"]
    assert 100 <= len(refused) <= 102 + time.monotonic() - started
    # When there is room again the next line tells how many are missing.
    deadline = time.monotonic() + 20
    while not any(line.get("unlogged_before") for line in one.process.lines()):
        assert time.monotonic() < deadline
        one.send({})


@pytest.mark.parametrize(
    "arguments, words", [([], "no command: use"), (["exec"], "'exec' is not a command: use"), (["accept", "--port"], "not an option")]
)
def test_the_command_line_is_refused_in_plain_words(accept, arguments, words):
    command = [sys.executable, "-m", "slanger", *arguments]
    done = subprocess.run(command, check=False, env=accept.process.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and words in done.stdout and done.stderr == ""


def test_accept_imports_nothing_of_the_broker_side(accept):
    code = (
        "import sys, slanger.__main__, slanger.accept.serve; "
        "print(*(name for name in sys.modules if name.split('.')[0] in ('alpaca', 'pandas', 'redis', 'numpy') or "
        "name.startswith(('slanger.execute', 'slanger.generator'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=accept.process.environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == ""
