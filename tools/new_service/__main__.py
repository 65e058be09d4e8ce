"""`make new-service`: a strategy service of your own: image, settings and tests as images/example has them, and its block in Pulumi.local.yaml."""

import argparse
from pathlib import Path

import yaml

from settings_section import SERVICES
from tools.new_service import template
from tools.new_service.files import write_all
from tools.new_service.names import package_of, service_mistake
from tools.new_service.stack_file import with_block
from tools.stack.engine import LOCAL, ROOT, StackError, main

BLOCK = """\
- name: {name}
  needs: [bars, orders, metrics] # it is told of nothing else
  environment:
    {prefix}_SYMBOLS: AAPL,MSFT,TSLA
    {prefix}_NOTIONAL: 500 # USD of one order; the webhook's limits hold whatever stands here
    {prefix}_FRESH: 600 # seconds of the market's clock after which a signal is too old; it may run fast here
"""
NEXT = """\
images/{name}: the service; images/{name}/{package}/strategy.py decides what it orders
Pulumi.local.yaml: its block, the last of tradestack:services
next: `.venv/bin/python -m pytest images/{name} -m "not servers and not docker"` runs its quick tests,
`make up` starts it, `make market SPEED=60` lets the market's clock run, `make logs BOT={name}` shows what it does; the guide is docs/add-a-bot.md"""


def create(name: str, root: Path = ROOT) -> str:
    """What was made and what to do next. Raises StackError, and then nothing was made."""
    file = root / f"Pulumi.{LOCAL}.yaml"
    if found := service_mistake(name, (yaml.safe_load(file.read_text()) or {}).get("config") or {}, root):
        raise StackError(found)
    names = {"name": name, "package": package_of(name), "prefix": package_of(name).upper()}
    text = with_block(file.read_text(), SERVICES, BLOCK.format(**names))
    folder = root / "images" / template.TEMPLATE
    write_all(root / "images" / name, lambda path: template.write(folder, path, name, root), file, text)
    return NEXT.format(**names)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make new-service", description=__doc__)
    parser.add_argument("--name", default="")
    print(create(parser.parse_args().name))


if __name__ == "__main__":
    main(command)
