"""What every block of a stack's configuration has in common."""

from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

PROJECT = "tradestack"
# The webhook's resource name, its DNS name, and its block in `tradestack:secrets`.
WEBHOOK = "webhook"
Port = Annotated[int, Field(ge=1024, le=65535)]


class Section(BaseModel):
    """Keys are camelCase, as everywhere in Pulumi's configuration; an unknown key is a mistake, not ignored."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False, frozen=True, strict=True)


class HostKind(str, Enum):
    """Where a stack runs."""

    DOCKER = "docker"
    FARGATE = "fargate"
