"""`tradestack:services`: services of your own, each with an image folder; what of the stack each is told, it says itself (`needs`)."""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, Union

import pulumi
from pydantic import Field, StringConstraints
from pydantic.alias_generators import to_camel, to_snake

import settings_data
import settings_webhook
from components.image_folders import image_folder
from components.strategy_service import argument_mistakes
from components.task import ENV_PATTERN, NAME_PATTERN
from settings_market import MARKET_TASKS
from settings_section import (
    DATA,
    PROJECT,
    PURRSTREAM,
    SERVICES,
    WEBHOOK,
    Port,
    Section,
    block_of,
    in_configuration_keys,
    size_mistakes,
    typed_secret,
)

if TYPE_CHECKING:
    from settings import Settings

Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN.pattern}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9]*$")]
PLACEHOLDER = "placeholder-in-the-place-of-a-secret"


class Need(str, Enum):
    """What of the stack a service uses; it is told nothing else."""

    BARS = "bars"
    """Bars, trades and news: Redis, purrstream's URL, the account's name."""
    ORDERS = "orders"
    """Signed orders: the webhook's URL, its signing key, the account's name."""
    METRICS = "metrics"
    """InfluxDB, to write to."""


# Need -> block of the stack that it comes from.
SOURCES = {Need.BARS: PURRSTREAM, Need.ORDERS: WEBHOOK, Need.METRICS: DATA}

TAKEN_NAMES = {*settings_webhook.RESERVED_NAMES, *settings_data.RESERVED_NAMES, *MARKET_TASKS.values(), "exchange-replay", WEBHOOK, DATA}


class ServiceSettings(Section):
    """One block of `tradestack:services`. Names and meaning as in StrategyServiceArgs, but for image, needs and secrets."""

    name: Name
    image: Optional[str] = None
    """Folder in `images/`. Default: the service's name."""
    image_context: Optional[str] = None
    """A folder anywhere else, in place of image."""
    needs: list[Annotated[Need, Field(strict=False)]] = []
    environment: dict[str, Union[str, int, float]] = {}
    secrets: list[SecretName] = []
    """Keys under `tradestack:secrets.NAME`, camelCase; the variable of `apiKey` is PREFIX_API_KEY."""
    published_port: Optional[Port] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    architecture: Optional[str] = None
    spot: Optional[bool] = None

    @property
    def context(self) -> str:
        """The image's folder. Raises FileNotFoundError when there is none."""
        if self.image_context is None:
            return image_folder(self.image or self.name)
        if not Path(self.image_context, "Dockerfile").is_file():
            raise FileNotFoundError(f"{self.image_context}: no Dockerfile there")
        return self.image_context

    def arguments(self, settings: "Settings", parts: Mapping[str, Any]) -> dict[str, Any]:
        """StrategyServiceArgs but for host; `parts` are the components that the stack has, by the name of their block."""
        given = self.model_dump(exclude={"name", "image", "image_context", "needs", "secrets", "environment"}, exclude_none=True)
        own = settings.secrets.get(self.name, {})
        hidden = {to_snake(key): pulumi.Output.secret(own[key]) for key in self.secrets}
        account = (settings.webhook or settings.purrstream).account if {Need.BARS, Need.ORDERS} & set(self.needs) else None
        if Need.BARS in self.needs:
            given |= {"account": account, "purrstream_url": parts[PURRSTREAM].url}
            hidden["redis_url"] = parts[DATA].redis_url
        if Need.ORDERS in self.needs:
            given |= {"account": account, "webhook_url": parts[WEBHOOK].private_url}
            hidden.setdefault("signing_key", pulumi.Output.secret(settings.secrets.get(WEBHOOK, {}).get("signingKey", "")))
        if Need.METRICS in self.needs:
            hidden["influx_url"] = parts[DATA].influx_write_url
        environment = {name: str(value) for name, value in self.environment.items()}
        return {**given, "image_context": self.context, "environment": environment, "secrets": hidden}


def service_mistakes(settings: "Settings", stack: str) -> list[str]:
    """What is wrong with these blocks beyond types; messages name configuration keys."""
    return [one for index, service in enumerate(settings.services) for one in _mistakes(settings, stack, index, service)]


def _mistakes(settings: "Settings", stack: str, index: int, service: ServiceSettings) -> list[str]:
    path = f"{PROJECT}:{SERVICES}[{index}] ({service.name})"
    mistakes = [f"{path}: {one}" for one in size_mistakes(service.cpu, service.memory, service.architecture)]
    mistakes += [
        f"{path}: environment: {name!r}: use letters, digits and underscores, not starting with a digit"
        for name in service.environment
        if not ENV_PATTERN.fullmatch(name)
    ]
    if service.name in TAKEN_NAMES:
        mistakes.append(f"{path}: name={service.name!r}: a task of the stack itself has this name; choose another")
    if service.image and service.image_context:
        mistakes.append(f"{path}: image={service.image!r}: there is an imageContext too; keep one of them")
    for need in service.needs:
        if block_of(settings, SOURCES[need]) is None:
            mistakes.append(f"{path}: needs={need.value!r}: there is no {PROJECT}:{SOURCES[need]}; add it, or leave {need.value} out")
    if settings.host.value == "fargate" and service.published_port:
        mistakes.append(f"{path}: publishedPort={service.published_port}: Fargate publishes nothing; leave it out and use a tunnel")
    return mistakes + _secret_mistakes(settings, stack, path, service) + _component_mistakes(settings, path, service)


def _secret_mistakes(settings: "Settings", stack: str, path: str, service: ServiceSettings) -> list[str]:
    given, where = settings.secrets.get(service.name, {}), f"{PROJECT}:secrets.{service.name}"
    mistakes = [f"{where}.{key}: is missing; {typed_secret(stack, f'{where}.{key}')}" for key in service.secrets if not given.get(key)]
    mistakes += [
        f"{where}.{key}: no service is told of it; add it to {path}.secrets, or remove it" for key in set(given) - set(service.secrets)
    ]
    arn = settings.webhook is not None and settings.webhook.secret_arn is not None
    if Need.ORDERS in service.needs and arn and "signingKey" not in service.secrets:
        mistakes.append(
            f"{path}: needs='orders': the webhook's key is in its secretArn; name signingKey in secrets and set {where}.signingKey to it"
        )
    return mistakes


def _component_mistakes(settings: "Settings", path: str, service: ServiceSettings) -> list[str]:
    """What StrategyService itself would refuse, before anything is created; what other resources give is filled in."""
    try:
        args: dict[str, Any] = {"image_context": service.context}
    except OSError as error:
        return [f"{path}: {'imageContext' if service.image_context else 'image'}: {error}"]
    args |= {"environment": service.environment, "secrets": dict.fromkeys(map(to_snake, service.secrets), PLACEHOLDER)}
    if Need.ORDERS in service.needs:
        args |= {"account": "account", "webhook_url": PLACEHOLDER}
        args["secrets"]["signing_key"] = PLACEHOLDER
    if Need.BARS in service.needs:
        args |= {"account": "account", "purrstream_url": PLACEHOLDER}
        args["secrets"]["redis_url"] = PLACEHOLDER
    if Need.METRICS in service.needs:
        args["secrets"]["influx_url"] = PLACEHOLDER
    return [f"{path}: {in_configuration_keys(one)}" for one in argument_mistakes(args)]


def service_secret_keys(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Service -> keys of its secrets, from a configuration (`tradestack:…` keys) as it stands, checked or not."""
    services = [one for one in values.get(f"{PROJECT}:{SERVICES}") or [] if isinstance(one, dict) and one.get("name")]
    return {str(one["name"]): [to_camel(str(key)) for key in one.get("secrets") or []] for one in services}
