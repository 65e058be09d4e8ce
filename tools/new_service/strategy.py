"""`make new-strategy`: a Freqtrade strategy of your own, begun as a copy of one that trades, and the block of a bot that runs it."""

import argparse
import re
import socket
from pathlib import Path

import yaml

from components.freqtrade_config import known_strategies
from settings_section import ports
from tools.new_service.files import write_all
from tools.new_service.names import BOTS, mistake, package_of
from tools.new_service.stack_file import with_block
from tools.stack.engine import LOCAL, ROOT, StackError, main

FOLDER = Path("images/freqtrade/strategies")
TEMPLATE, TEMPLATE_CLASS = "breakout.py", "BreakoutStrategy"
# The first words of the template, which are about itself.
TEMPLATE_TITLE = "Sample strategy"
# Beside those that the local stack has from the beginning.
FIRST_PORT = 18_100
BLOCK = """\
- name: {name}
  strategy: {strategy}
  exchange: replay # the stack's own; any other name is an exchange as ccxt spells it
  pairs: [ETH/BTC, LTC/BTC, XLM/BTC, ADA/BTC]
  timeframe: 1m
  stakeCurrency: BTC
  stakeAmount: 0.05
  maxOpenTrades: 4
  publishedPort: {port}
"""
NEXT = """\
{file}: class {strategy}, to change as you like
Pulumi.local.yaml: the bot {name}, the last of tradestack:bots; its API will be at http://127.0.0.1:{port}
next: `make up` starts it (and the other bots of images/freqtrade anew), `make status` shows its trades, `make logs BOT={name}` its log;
the guide is docs/add-a-bot.md"""


def create(name: str, root: Path = ROOT) -> str:
    """What was made and what to do next. Raises StackError, and then nothing was made."""
    stack_file, folder = root / f"Pulumi.{LOCAL}.yaml", root / FOLDER
    config = (yaml.safe_load(stack_file.read_text()) or {}).get("config") or {}
    strategy, target = class_of(name), folder / f"{package_of(name)}.py"
    if found := mistake(name, config):
        raise StackError(found)
    if target.exists() or target.is_symlink():
        raise StackError(f"NAME={name}: {FOLDER / target.name} is there already; choose another name")
    if strategy in known_strategies(str(folder.parent)):
        raise StackError(f"NAME={name}: there is a class {strategy} in {FOLDER} already; choose another name")
    words = {"name": name, "strategy": strategy, "port": _free_port(config), "file": FOLDER / target.name}
    text = with_block(stack_file.read_text(), BOTS, BLOCK.format(**words))
    source = (folder / TEMPLATE).read_text().replace(TEMPLATE_CLASS, strategy).replace(TEMPLATE_TITLE, f"The strategy of the bot {name}")
    write_all(target, lambda path: path.write_text(source), stack_file, text)
    return NEXT.format(**words)


def class_of(name: str) -> str:
    """`my-trend` is MyTrendStrategy."""
    return "".join(part.capitalize() for part in re.split("-+", name)) + "Strategy"


def _free_port(config: dict) -> int:
    """The first that no block of the stack names and nobody uses on this machine now."""
    taken = set(ports(config))
    return next(port for port in range(FIRST_PORT, 2**16) if port not in taken and _nobody_has(port))


def _nobody_has(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def command() -> None:
    parser = argparse.ArgumentParser(prog="make new-strategy", description=__doc__)
    parser.add_argument("--name", default="")
    print(create(parser.parse_args().name))


if __name__ == "__main__":
    main(command)
