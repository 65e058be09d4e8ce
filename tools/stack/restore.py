"""`make restore BOT=… FROM=…`: put a local bot's trades back to a backup. What was there before is backed up first."""

import argparse
import time
from typing import Any

import requests

from tools.stack.backups import bot_container, launcher
from tools.stack.bots import BotApi
from tools.stack.engine import LOCAL, StackError, main, outputs

DEADLINE = 300  # seconds for stop, restore and start, on a quarter of a CPU


def wait_for_api(api: BotApi, bot: Any, deadline: float) -> None:
    """Wait until the bot answers. Raises StackError with its last log lines when it doesn't in time."""
    while True:
        try:
            api.get("count")
            return
        except requests.RequestException:
            if time.monotonic() > deadline:
                raise StackError(f"the bot does not answer after the restore; its last lines:\n{bot.logs(tail=10).decode()}") from None
            time.sleep(1)


def restore(name: str, backup: str) -> int:
    """Ask for the backup, restart the bot, wait until it answers. Returns how many trades it then has."""
    bot = bot_container(name)
    if backup not in launcher(bot, "backups").splitlines():
        available = ", ".join(launcher(bot, "backups").splitlines()) or "none"
        raise StackError(f"FROM={backup!r}: bot {name!r} has no such backup; there are {available}")
    known = outputs(LOCAL)
    block = next(one for one in known["bots"] if one["name"] == name)
    launcher(bot, "restore", backup)
    bot.restart(timeout=120)
    api = BotApi(block["apiUrl"], known["credentials"][name])
    wait_for_api(api, bot, time.monotonic() + DEADLINE)
    return len(api.all_trades())


def command() -> None:
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("--bot", required=True)
    parser.add_argument("--from", dest="backup", required=True)
    options = parser.parse_args()
    trades = restore(options.bot, options.backup)
    print(f"bot {options.bot} runs again from {options.backup}: {trades} trades; what was there before is a backup too (`make backup BOT={options.bot}`)")


if __name__ == "__main__":
    main(command)
