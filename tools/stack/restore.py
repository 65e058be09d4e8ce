"""`make restore BOT=… FROM=…`: put a local bot's trades back to a backup. What was there before is backed up first."""

import argparse
import time
from typing import Any

import docker

from tools.stack.backups import bot_container, launcher
from tools.stack.engine import StackError, main

HEALTH_CHECK = ["python3", "/freqtrade/bot/health.py"]
DEADLINE = 300  # seconds for stop, restore and start, on a quarter of a CPU


def healthy(bot: Any) -> bool:
    """Does the bot's health check pass? False while its container starts."""
    try:
        return bot.exec_run(HEALTH_CHECK).exit_code == 0
    except docker.errors.APIError:
        return False


def wait_until_healthy(bot: Any, deadline: float) -> None:
    """Wait until the image's own health check passes. Raises StackError with the bot's last log lines when it doesn't in time."""
    while not healthy(bot):
        if time.monotonic() > deadline:
            raise StackError(f"the bot does not answer after the restore; its last lines:\n{bot.logs(tail=10).decode()}")
        time.sleep(1)


def restore(name: str, backup: str) -> None:
    """Ask for the backup, restart the bot, wait until it answers."""
    bot = bot_container(name)
    available = launcher(bot, "backups").splitlines()
    if backup not in available:
        said = f"FROM={backup!r}: bot {name!r} has no such backup" if backup else "FROM is missing: name a backup"
        raise StackError(f"{said}; there are {', '.join(available) or 'none yet: `make backup` makes one'}")
    launcher(bot, "restore", backup)
    bot.restart(timeout=120)
    wait_until_healthy(bot, time.monotonic() + DEADLINE)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("--bot", required=True)
    parser.add_argument("--from", dest="backup", required=True)
    options = parser.parse_args()
    restore(options.bot, options.backup)
    print(
        f"bot {options.bot} runs again from {options.backup}; what was there before is a backup too (`make backup BOT={options.bot}` lists them)"
    )


if __name__ == "__main__":
    main(command)
