"""Progress that is never silent for long: numbered steps, a sign of life every 20 s, and every command with a deadline."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .paths import LOGS

SIGN_OF_LIFE = 20.0
_print_lock = threading.Lock()
_running: set[subprocess.Popen] = set()


class SetupError(Exception):
    """Set-up can't go on; the text is one clear sentence with the fix."""


def duration(seconds: float) -> str:
    """220 -> `3 min 40 s`, 0.4 -> `0.4 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Step:
    """One numbered step. `say` prints a line, `alive` repeats one while something slow runs, `run` is a command with both."""

    def __init__(self, number: int, total: int, name: str) -> None:
        self.name = name
        self._prefix = f"[{number}/{total}] {name} … "
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        with _print_lock:
            print(self._prefix + text, flush=True)

    def done(self, text: str) -> None:
        took = time.monotonic() - self.started
        self.say(text if took < 1 else f"{text}, {duration(took)}")

    @contextmanager
    def alive(self, what: str, every: float = SIGN_OF_LIFE) -> Iterator[None]:
        """Print `what` now, and again with the time that passed for as long as the block runs."""
        started, finished = time.monotonic(), threading.Event()
        self.say(what)

        def repeat() -> None:
            while not finished.wait(every):
                self.say(f"still {what}, {duration(time.monotonic() - started)}")

        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()

    def run(
        self, what: str, command: Sequence[str | Path], *, timeout: float, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> str:
        """Run a command, its output in a log file too. Raises SetupError with the output's end when it fails or takes too long."""
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"{self.name.replace(' ', '-')}.log"
        with self.alive(what), open(log, "w+") as output:
            output.write(f"# {' '.join(map(str, command))}\n")
            output.flush()
            code = _wait(command, output, timeout, env, cwd)
            output.seek(0)
            text = output.read().partition("\n")[2]
        if code == 0:
            return text
        problem = f"did not end within {duration(timeout)}" if code is None else f"failed with exit code {code}"
        end = "; ".join(line.strip() for line in text.strip().splitlines()[-4:])
        raise SetupError(f"{self.name}: {what} {problem}: {end} (all of it: {log})")


def _wait(command: Sequence[str | Path], output, timeout: float, env: Mapping[str, str] | None, cwd: Path | None) -> int | None:
    try:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        output.write(str(error))
        return 127
    _running.add(process)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _running.discard(process)
        _kill(process)


def _kill(process: subprocess.Popen) -> None:
    """End a command with its children: each runs in a session of its own, so that the group is exactly its own."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def kill_running() -> None:
    """End every command that still runs (set-up is interrupted)."""
    for process in list(_running):
        _kill(process)


def try_output(command: Sequence[str | Path], timeout: float, env: Mapping[str, str] | None = None) -> str | None:
    """Output of a quick command; None when it is missing, fails or takes longer than `timeout` seconds."""
    try:
        result = subprocess.run(
            list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, env=env, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None
