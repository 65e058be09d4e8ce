"""Command line of set-up: `python -m tools.setup up|test|test-fast|preview|stop-engine|clean`."""

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from . import base_images, browser, clean, cli, disk, engine, home, plugins, progress, reach, scratch, servers
from .paths import CACHE, STATE
from .progress import SetupError, Step

# What each goal needs. Engine and base images run beside CLI and plugins: a cold Go build and a cold debootstrap take minutes each.
GOALS = {
    "up": ("disk", "pulumi", "plugins", "docker", "base images", "home"),
    "test": ("disk", "pulumi", "plugins", "docker", "base images", "browser", "home"),
    "preview": ("disk", "pulumi", "plugins", "home"),
    "test-fast": ("home",),
}
LOCK_LIMIT = 3600.0


def set_up(goal: str, extra_images: list[str]) -> None:
    """Run a goal's steps. Raises SetupError."""
    names = GOALS[goal]
    number = {name: index for index, name in enumerate(names, 1)}
    result: dict[str, object] = {}

    def step(name: str) -> Step:
        return Step(number[name], len(names), name)

    def pulumi_and_plugins() -> None:
        result["cli"] = cli.choose(step("pulumi"))
        plugins.choose(step("plugins"), result["cli"])

    def engine_and_images() -> None:
        result["host"] = engine.choose(step("docker"))
        base_images.choose(step("base images"), result["host"], extra_images)
        if "browser" in number:
            browser.choose(step("browser"))  # after the others: apt serves one at a time

    if "disk" in number:
        disk.check(step("disk"), disk_needs("docker" in number))
    lanes: list[Callable[[], None]] = []
    if "pulumi" in number:
        lanes.append(pulumi_and_plugins)
    if "docker" in number:
        lanes.append(engine_and_images)
    # Not as a context manager: that would wait for the other lane when one fails.
    pool = ThreadPoolExecutor(max_workers=2)
    futures = [pool.submit(lane) for lane in lanes]
    for future in wait(futures, return_when=FIRST_EXCEPTION).done:
        future.result()
    pool.shutdown()
    last = step("home")
    home.write(result["cli"] if lanes else cli.existing(), result.get("host"))
    (STATE / f"ready-{goal}").touch()
    last.done(f"{STATE}")


def disk_needs(with_docker: bool) -> dict[Path, float]:
    """Path -> GiB: what a first run writes at most, a little once this checkout has been set up and no server is to be built anew."""
    before = any((STATE / f"ready-{goal}").exists() for goal in (("up", "test") if with_docker else GOALS))
    if before and not (with_docker and reach.remembered(base_images.REGISTRY) and not servers.all_built()):
        return {CACHE: 0.5}
    return {CACHE: 6.0, engine.layout().data_root: 3.0} if with_docker else {CACHE: 4.0}


def lock() -> int:
    """One set-up at a time: two checkouts share the cache and the engine. Raises SetupError when another one takes too long."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = os.open(CACHE / "setup.lock", os.O_CREAT | os.O_RDWR, 0o600)
    deadline, told = time.monotonic() + LOCK_LIMIT, 0.0
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SetupError(f"another set-up holds {CACHE / 'setup.lock'} for too long: end it and try again") from None
            if time.monotonic() - told > progress.SIGN_OF_LIFE:
                print("waiting for another set-up on this machine", flush=True)
                told = time.monotonic()
            time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.setup", description="Set up what the local stack and the tests need.")
    parser.add_argument("goal", choices=[*GOALS, "stop-engine", "clean"])
    parser.add_argument("--retry", action="store_true", help="ask servers again that could not be reached during the last day")
    more = "one more base image, e.g. freqtradeorg/freqtrade:2026.9_plot"
    parser.add_argument("--base-image", action="append", default=[], metavar="NAME", help=more)
    parser.add_argument("--cache", action="store_true", help="clean: empty the shared cache too")
    parser.add_argument("--force", action="store_true", help="clean: even while containers of tradestack exist")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        held = lock()
        if arguments.goal == "stop-engine":
            print(engine.stop(engine.layout()))
        elif arguments.goal == "clean":
            print("\n".join(clean.clean(arguments.cache, arguments.force)))
        else:
            scratch.sweep()
            if arguments.retry:
                reach.forget()
            set_up(arguments.goal, arguments.base_image)
        os.close(held)
        return 0
    except SetupError as error:
        print(error, file=sys.stderr, flush=True)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        code = 130
    progress.kill_running()
    sys.stdout.flush()
    os._exit(code)  # The other lane's thread may wait for a server; nothing of it has to be finished.


if __name__ == "__main__":
    sys.exit(main())
