"""Stopping: a signal ends a service in bounded time with exit code 0; its own faults end it with 1 and are logged."""

import asyncio
import json
import signal
import subprocess
import sys
import time

import pytest
from botkit.stopping import Backoff, run_until
from botkit_servers import PACKAGE, wait_for

PROGRAM = """
import asyncio, logging, sys
from botkit.logs import log_to_stdout
from botkit.stopping import exit_on_signals, run_until, stop_event
exit_on_signals()
log_to_stdout("app", package="app")
log = logging.getLogger("app")

async def works():
    try:
        await asyncio.sleep(3600)
    finally:
        log.info("tidied")

async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log.info("no")

async def faulty():
    raise RuntimeError("a fault")

async def main(kinds):
    stop = stop_event()
    log.info("runs")
    return await run_until(stop, *(globals()[kind]() for kind in kinds), seconds=0.5)

if sys.argv[1] == "early":
    log.info("runs")
    import time
    time.sleep(3600)
# Not asyncio.run: it would wait for what is stubborn.
loop = asyncio.new_event_loop()
code = loop.run_until_complete(main(sys.argv[1:]))
sys.stdout.flush()
import os
os._exit(code)
"""


def program(tmp_path, *kinds, number=signal.SIGTERM):
    """Exit code and messages after the signal; without one of a program that ends by itself."""
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        popen = subprocess.Popen([sys.executable, "-c", PROGRAM, *kinds], env={"PYTHONPATH": str(PACKAGE)}, stdout=stdout)
    try:
        wait_for(lambda: b"runs" in out.read_bytes())
        if number:
            popen.send_signal(number)
        code = popen.wait(timeout=30)
    finally:
        popen.kill()
    return code, [json.loads(line)["message"] for line in out.read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_end(tmp_path, number):
    assert program(tmp_path, "works", number=number) == (0, ["runs", "tidied"])


def test_a_signal_ends_a_program_that_is_not_ready_yet(tmp_path):
    assert program(tmp_path, "early") == (0, ["runs"])


def test_what_does_not_end_is_left_and_told(tmp_path):
    code, lines = program(tmp_path, "stubborn", "works")
    assert code == 0 and "tidied" in lines and any("not ended within 0.5 s" in line for line in lines)


def test_a_fault_of_one_ends_all(tmp_path):
    code, lines = program(tmp_path, "works", "faulty", number=None)
    assert code == 1 and set(lines) == {"runs", "tidied", "ended by a fault of its own"}


def test_work_that_ends_though_nobody_asked_is_a_fault(caplog):
    async def scenario():
        return await run_until(asyncio.Event(), asyncio.sleep(0), asyncio.sleep(3600))

    started = time.monotonic()
    assert asyncio.run(scenario()) == 1 and "ended though nobody asked" in caplog.text
    assert time.monotonic() - started < 10


def test_a_backoff_doubles_to_its_longest_and_begins_anew():
    backoff = Backoff(1, 5)
    assert [backoff.delay() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.delay() == 1
