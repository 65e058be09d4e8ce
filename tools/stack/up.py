"""`make up`: bring the local stack up, wait until a bot has closed a trade, show the table."""

import argparse
import json
import socket
import sys
import time
from typing import Any

import yaml

from components.timeseries_tasks import LOG_ROUTER_PORT
from settings_section import DATA, ports
from tools.stack import local_config
from tools.stack.bots import container
from tools.stack.down import owned, remove_image
from tools.stack.engine import LOCAL, StackError, main, outputs, pulumi, with_config
from tools.stack.status import engine_client, show, statuses

# A trade on the replayed data takes minutes; a bot that closed none in this time is broken.
FIRST_TRADE_DEADLINE = 600  # seconds


def refuse_taken_ports(config: dict[str, Any], own: set[int]) -> None:
    """Raise StackError for a published port that another program holds; `own` are ports that the stack's containers publish already."""
    values = config.get("config") or {}
    data = values.get(f"tradestack:{DATA}")
    # The log router publishes a port whether one is named or not.
    router = [LOG_ROUTER_PORT] if isinstance(data, dict) and not data.get("logRouterPort") else []
    for port in [*ports(values), *router]:
        if not isinstance(port, int) or port in own:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StackError(f"publishedPort={port}: {error.strerror} on 127.0.0.1; stop what uses it, or give another port") from None


def published_ports() -> set[int]:
    """Ports of this machine that the stack's containers hold, also those of an update that failed half-way."""
    engine = engine_client(LOCAL)
    bindings = [one.attrs["HostConfig"]["PortBindings"] or {} for name in in_state("containers") if (one := container(engine, name))]
    return {int(binding["HostPort"]) for one in bindings for ports in one.values() for binding in ports}


def in_state(kind: str) -> set[str]:
    """Names of the containers or images that the stack's state knows of."""
    state = json.loads(pulumi(LOCAL, "stack", "export", "--stack", LOCAL))
    return {name for found, name in owned(state) if found == kind}


def wait_for_closed_trade(deadline: float) -> None:
    """Wait until a bot on the replay has closed a trade. Raises StackError when none has by `deadline` (time.monotonic())."""
    known = outputs(LOCAL)
    replayed = known.get("exchangeReplay") is not None and bool(known.get("bots"))
    said = ""
    while replayed:
        rows = statuses(LOCAL, known)
        if any(row.closed_trades for row in rows):
            return
        now = ", ".join(f"{row.bot}: {row.state}, {row.open_trades or 0} open" for row in rows)
        if now != said:
            print(f"      waiting for the first closed trade ({now})", flush=True)
            said = now
        if time.monotonic() > deadline:
            raise StackError(f"no bot has closed a trade within {FIRST_TRADE_DEADLINE} s ({now}); `make logs BOT=…` shows what they say")
        time.sleep(3)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument("--no-wait", action="store_true", help="don't wait for a closed trade")
    options = parser.parse_args()
    config = yaml.safe_load(local_config.write().read_text())
    before = in_state("images")
    refuse_taken_ports(config, published_ports())
    print("pulumi up --stack local", flush=True)
    # A bot that is being replaced is started again even when another part fails meanwhile; the command fails all the same.
    pulumi(LOCAL, "up", "--yes", "--skip-preview", "--suppress-outputs", "--continue-on-error", *with_config(LOCAL), show=True)
    for name in before - in_state("images"):
        remove_image(engine_client(LOCAL), name)  # Pulumi leaves the image of the version before behind
    if not options.no_wait:
        wait_for_closed_trade(time.monotonic() + FIRST_TRADE_DEADLINE)
    sys.stdout.flush()
    show(LOCAL, "table")
    if url := (outputs(LOCAL).get("webhook") or {}).get("url"):
        print(
            f"\nalerts go to {url}/ROUTE; `make alert` sends a signed one and shows its order, `make alerts` opens the page that makes them"
        )


if __name__ == "__main__":
    main(command)
