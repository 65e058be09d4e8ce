"""What every block of a stack's configuration has in common."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Optional

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel, to_snake

from components.task import ARCHITECTURES, FARGATE_SIZES

PROJECT = "tradestack"
# The webhook's resource name, its DNS name, and its block in `tradestack:secrets`.
WEBHOOK = "webhook"
# The same of the data services (each store's task has it before its own name) and of Grafana.
DATA = "data"
GRAFANA = "grafana"
# The same of the services around the market, and the list of your own.
PURRSTREAM, EARNYEARN, BEANCLEANER, SERVICES = "purrstream", "earnyearn", "beancleaner", "services"
FINNHUB_REPLAY = "finnhubReplay"
# Blocks that have secrets of their own in `tradestack:secrets`, beside the bots and the services, which have them by their names.
SECRET_BLOCKS = (WEBHOOK, DATA, GRAFANA, PURRSTREAM, EARNYEARN, BEANCLEANER, FINNHUB_REPLAY)
# Keys whose value is a port of this machine.
PORT_KEYS = ("publishedPort", "logRouterPort")
Port = Annotated[int, Field(ge=1024, le=65535)]


class Section(BaseModel):
    """Keys are camelCase, as everywhere in Pulumi's configuration; an unknown key is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False, frozen=True, strict=True)


class HostKind(str, Enum):
    """Where a stack runs."""

    DOCKER = "docker"
    FARGATE = "fargate"


def ports(value: Any) -> Iterator[Any]:
    """Every port of this machine that a configuration names, however deep; as it stands there, checked or not."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key not in PORT_KEYS:
                yield from ports(one)
            elif one is not None:
                yield one
    elif isinstance(value, list):
        for one in value:
            yield from ports(one)


def block_of(settings: BaseModel, name: str) -> Any:
    """The block of a stack's settings by its key; None where there is none."""
    return getattr(settings, to_snake(name), None)


def in_configuration_keys(mistake: str) -> str:
    """A component's sentence with configuration's camelCase in place of the arguments' snake_case."""
    return re.sub(r"\b[a-z]+(_[a-z]+)+\b", lambda name: to_camel(name[0]), mistake)


def size_mistakes(cpu: Optional[int], memory: Optional[int], architecture: Optional[str]) -> list[str]:
    """What Fargate doesn't have; None is the component's default, 256 and 512, and of the architecture the host's."""
    mistakes = [] if architecture in (None, *ARCHITECTURES) else [f"architecture={architecture!r}: use {' or '.join(ARCHITECTURES)}"]
    cpu, memory = cpu or 256, memory or 512
    if cpu not in FARGATE_SIZES:
        mistakes.append(f"cpu={cpu}: use one of {', '.join(map(str, FARGATE_SIZES))}")
    elif memory not in FARGATE_SIZES[cpu]:
        mistakes.append(f"memory={memory}: with cpu {cpu} use one of {', '.join(map(str, FARGATE_SIZES[cpu]))} (MiB)")
    return mistakes


def typed_secret(stack: str, path: str) -> str:
    """How a person gives a secret that nobody can make up."""
    return f"run `pulumi config set --secret --path '{path}' --stack {stack}` and paste it"
