"""`make backup BOT=…`: back a local bot's trades up now, and list its backups."""

import argparse
from typing import Any

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.status import engine_client

LAUNCHER = ("python3", "/freqtrade/bot/launch.py")


def bot_container(name: str) -> Any:
    """The running container of a local bot. Raises StackError naming the bots that there are."""
    bots = {bot["name"]: bot for bot in outputs(LOCAL).get("bots", [])}
    if name not in bots:
        said = f"BOT={name!r}: no such bot in the local stack" if name else "BOT is missing: name a bot"
        raise StackError(f"{said}; there are {', '.join(bots) or 'none'}")
    found = container(engine_client(LOCAL), bots[name]["service"])
    if found is None or found.status != "running":
        raise StackError(f"bot {name!r} is not running: `make up` brings it up; on its volume only the running bot can read the trades")
    return found


def launcher(bot: Any, *command: str) -> str:
    """Run one of the launcher's commands in the bot's container; returns what it printed. Raises StackError with its message."""
    code, output = bot.exec_run([*LAUNCHER, *command], demux=True)
    printed, errors = ((part or b"").decode() for part in output)
    if code != 0:
        raise StackError(f"{' '.join(command)}: {(errors or printed).strip()}")
    return printed.strip()


def command() -> None:
    parser = argparse.ArgumentParser(prog="make backup", description=__doc__)
    parser.add_argument("--bot", required=True)
    bot = bot_container(parser.parse_args().bot)
    made = launcher(bot, "backup").splitlines()[-1]
    for name in launcher(bot, "backups").splitlines():
        print(f"{name}{'  (now)' if name == made else ''}")


if __name__ == "__main__":
    main(command)
