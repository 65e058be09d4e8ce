"""`make status`: one row a bot: state, pairs, trades, profit, where its API and its logs are; before them one row a service."""

import argparse
import json
from dataclasses import asdict
from typing import Any

import docker

from tools.stack.bots import BotStatus, container, container_state, docker_status
from tools.stack.engine import LOCAL, StackError, main, outputs, stack_environment
from tools.stack.services import ServiceStatus, everything, service_statuses

HEADINGS = ("BOT", "STATE", "PAIRS", "OPEN", "CLOSED", "PROFIT", "API", "LOGS")
SERVICE_HEADINGS = ("SERVICE", "STATE", "URL", "LOGS")


def statuses(stack: str, known: dict[str, Any] | None = None) -> list[BotStatus]:
    """Status of every bot of the stack, in the order of its configuration; `known` are its outputs, when the caller has read them already."""
    known = outputs(stack) if known is None else known
    if not everything(known):
        raise StackError(f"stack {stack!r} has nothing up: run `{'make up' if stack == LOCAL else f'pulumi up --stack {stack}'}`")
    bots = known.get("bots", [])
    if known["host"] == "docker":
        engine = engine_client(stack)
        return [docker_status(engine, bot, known["credentials"][bot["name"]]) for bot in bots]
    from tools.stack.ecs import ecs_status  # boto3 is slow to load and the local stack needs none of it

    return [ecs_status(bot) for bot in bots]


def other_statuses(stack: str, known: dict[str, Any]) -> list[ServiceStatus]:
    """State of everything that the stack runs beside its bots."""
    if known["host"] == "docker":
        engine = engine_client(stack)

        def state(service: str) -> str:
            found = container(engine, service)
            return container_state(found) if found else "gone"

        return service_statuses(stack, known, state)
    from tools.stack.ecs import ecs_state

    return service_statuses(stack, known, ecs_state)


def engine_client(stack: str) -> docker.DockerClient:
    """This machine's Docker engine. Raises StackError when it doesn't answer."""
    try:
        # A busy engine takes minutes to remove a large image.
        engine = docker.from_env(environment=stack_environment(stack), timeout=300)
        engine.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise StackError(f"the Docker engine does not answer ({error}): start it, or run `make up`") from None
    return engine


def table(rows: list[BotStatus]) -> str:
    """The bots as aligned text; `-` where nothing could be read."""

    def shown(value: Any) -> str:
        return "-" if value is None else str(value)

    lines = [HEADINGS]
    for row in rows:
        profit = "-" if row.profit is None else f"{row.profit:+.8f} {row.currency}"
        lines.append((row.bot, row.state, shown(row.pairs), shown(row.open_trades), shown(row.closed_trades), profit, row.api, row.logs))
    return aligned(lines)


def aligned(lines: list[tuple[str, ...]]) -> str:
    """Lines of cells as text in columns."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def show(stack: str, form: str) -> None:
    """Print the statuses as tables or as JSON."""
    known = outputs(stack)
    bots = statuses(stack, known)
    services = other_statuses(stack, known)
    if form == "json":
        print(json.dumps({"bots": [row.as_dict() for row in bots], "services": [asdict(row) for row in services]}, indent=2))
        return
    if services:
        print(aligned([SERVICE_HEADINGS, *((row.service, row.state, row.url, row.logs) for row in services)]) + "\n")
    if bots:
        print(table(bots))


def command() -> None:
    parser = argparse.ArgumentParser(prog="make status", description=__doc__)
    parser.add_argument("--stack", default=LOCAL)
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options = parser.parse_args()
    show(options.stack, options.format)


if __name__ == "__main__":
    main(command)
