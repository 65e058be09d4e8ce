"""The components as a Pulumi plugin: other languages use them through the schema that Pulumi derives from their annotations."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Optional

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyError
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.component import ComponentInitError, ComponentProvider
from pulumi.provider.experimental.host import components_from_module

from .version import VERSION

COMPONENTS = components_from_module(sys.modules[__package__])


class TradestackProvider(ComponentProvider):
    """Constructs the components; arguments that they refuse come back as one sentence."""

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: Optional[pulumi.ResourceOptions] = None
    ) -> ConstructResult:
        known = json.loads(self.schema)["resources"].get(resource_type)
        if known is None:
            raise refusal(f"{resource_type}: no such component; there are {', '.join(sorted(one.__name__ for one in COMPONENTS))}")
        mistakes = input_mistakes(inputs, known["inputProperties"])
        if mistakes:
            raise refusal("; ".join(mistakes))
        try:
            return super().construct(name, resource_type, whole_numbers(inputs), options)
        except InputPropertyError as error:
            raise refusal(error.reason) from error
        except ComponentInitError as error:
            if isinstance(error.inner, (ValueError, OSError)):
                raise refusal(str(error.inner)) from error
            raise  # a mistake of the library: with its traceback


def input_mistakes(inputs: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What no language's compiler has seen: misspelt arguments, and outputs where the schema has plain values."""
    mistakes = [f"{key}: no such argument; use one of {', '.join(sorted(properties))}" for key in sorted(set(inputs) - set(properties))]
    for key in sorted(set(inputs) & set(properties)):
        if properties[key].get("plain") and isinstance(inputs[key], pulumi.Output):
            mistakes.append(f"{key}: is an output or a secret as a whole; give a value that is known before anything is created")
    return mistakes


def refusal(sentence: str) -> InputPropertiesError:
    """An error that the engine shows as `sentence`. It names no property: beside a property the engine prints the value, secret or not."""
    return InputPropertiesError(sentence, errors=[])


def whole_numbers(value: Any) -> Any:
    """`value` with every whole float as an int: between processes Pulumi has one kind of number, and a port is no 8080.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return value


def run() -> None:
    """Serve the components until the engine ends this process; the engine's address is on the command line."""
    main(TradestackProvider(COMPONENTS, "tradestack", version=VERSION), [])
