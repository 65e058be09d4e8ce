"""What every block of a stack's configuration has in common."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PROJECT = "tradestack"
# The webhook's resource name, its DNS name, and its block in `tradestack:secrets`.
WEBHOOK = "webhook"
# The same of the data services (each store's task has it before its own name) and of Grafana.
DATA = "data"
GRAFANA = "grafana"
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
