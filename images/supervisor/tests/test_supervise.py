"""A server under the supervisor: exit codes, its last words, the volume's lock, a stdout that nobody reads."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from images.supervisor.tests.containers import wait_for

FOLDER = Path(__file__).resolve().parent.parent
PROGRAM = """
import sys
from pathlib import Path
from supervisor.settings import BadSettings
from supervisor.supervise import CannotStart, Plan, supervise
def read(environment):
    if "BAD" in environment: raise BadSettings("BAD='x': leave it out; WORSE is not set")
    def fail(_): raise CannotStart("no luck")
    return Plan(volume=Path(sys.argv[1]), command=(sys.executable, "-u", "-c", environment["CODE"]), environment=environment,
        translate=lambda text: {"level": "info", "message": text.split(" ", 1)[1]}, config=b"from stdin",
        before=fail if "BEFORE" in environment else None, after=fail if "AFTER" in environment else None)
sys.exit(supervise("thing", read))
"""
SERVES = (
    "import signal, sys, time; signal.signal(15, lambda *_: (print('x bye'), sys.exit(0))); print('x', sys.stdin.read()); time.sleep(600)"
)
NOISE = "[print('x ' + 'y' * 5000) for _ in range(3000)]"


@pytest.fixture
def start(tmp_path):
    running = []

    def _start(code=SERVES, stdout=subprocess.PIPE, **environment):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        inner = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FOLDER), "CODE": textwrap.dedent(code), **environment}
        running.append(subprocess.Popen(command, env=inner, stdout=stdout, text=True))
        return running[-1]

    yield _start
    for one in running:
        one.kill()
        one.wait()
        if one.stdout:
            one.stdout.close()


def said(process):
    return [json.loads(line) for line in process.communicate(timeout=60)[0].splitlines()]


def until(process, words):
    for text in process.stdout:
        if words in text:
            return
    raise AssertionError(words)


def test_sigterm_ends_it_with_0_after_its_last_words(start):
    process = start()
    until(process, "from stdin")
    process.terminate()
    assert [line["message"] for line in said(process)] == ["bye", "stopped"]
    assert process.returncode == 0


def test_a_crash_is_1_with_every_word_before_it(start):
    process = start("print('x one\\n' * 3000 + 'x last', end=''); import os; os.kill(os.getpid(), 9)")
    *before, last = said(process)
    assert [line["message"] for line in before[1:]] == ["one"] * 3000 + ["last"]
    assert last["level"] == "critical" and last["exit_code"] == -9 and process.returncode == 1


def test_an_end_that_nobody_asked_for_is_1(start):
    process = start("pass")
    assert said(process)[-1]["exit_code"] == 0 and process.returncode == 1


def test_a_line_that_cannot_be_translated_is_told_as_it_is(start):
    process = start("print('nospace')")
    assert "nospace" in [line["message"] for line in said(process)]


def test_bad_settings_are_78(start):
    process = start(BAD="x")
    (line,) = said(process)
    assert line["message"].startswith("BAD='x'") and line["level"] == "critical" and process.returncode == 78


@pytest.mark.parametrize("step", ["BEFORE", "AFTER"])
def test_a_step_that_fails_ends_the_server(start, step):
    process = start(**{step: "x"})
    assert said(process)[-1]["message"] == "no luck" and process.returncode == 1


def test_the_lock_lives_as_long_as_the_server(start, tmp_path):
    process = start("print('x up'); import time; time.sleep(600)")
    until(process, "up")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    with (tmp_path / "lock").open("ab") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(children[0]), signal.SIGKILL)
        wait_for("the lock is free", lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) is None)


def test_a_stdout_that_nobody_reads_holds_nobody_up(start, tmp_path):
    done = tmp_path / "done"
    reader, writer = os.pipe()
    process = start(
        f"import time; print('x ' + 'y' * 100); {NOISE}; open({str(done)!r}, 'w'); time.sleep(600)",
        stdout=writer,
    )
    os.close(writer)
    wait_for("the server went on", done.exists, 60)
    with os.fdopen(reader, "rb") as lines:
        first = [json.loads(lines.readline()) for _ in range(200)]
        assert first[1]["message"] == "y" * 100
        process.terminate()
        rest = [json.loads(line) for line in lines]
    (drops,) = [line for line in rest if "dropped" in line["message"]]
    told = len([line for line in first + rest if line["message"].startswith("yyyy")])
    assert int(drops["message"].split()[0]) == 3001 - told


def test_a_closed_stdout_holds_nobody_up(start, tmp_path):
    done = tmp_path / "done"
    reader, writer = os.pipe()
    process = start(f"import time; {NOISE}; open({str(done)!r}, 'w'); time.sleep(600)", stdout=writer)
    os.close(writer)
    os.close(reader)
    wait_for("the server went on", done.exists, 60)
    process.terminate()
    began = time.monotonic()
    assert process.wait(timeout=30) == 0 and time.monotonic() - began < 20
