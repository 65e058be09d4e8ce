"""Pulumi's own analyzer reads Network and BotCluster: they can be used from other languages."""

import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from components.bot_cluster import BotCluster, BotClusterArgs
from components.network import Network, NetworkArgs


@pytest.fixture(scope="module")
def schema():
    return Analyzer("tradestack").analyze([Network, BotCluster])


@pytest.mark.parametrize(("component", "args"), [(Network, NetworkArgs), (BotCluster, BotClusterArgs)])
def test_inputs_and_outputs_are_read_and_described(schema, component, args):
    definition = schema["component_definitions"][component.__name__]
    assert set(definition.inputs_mapping.values()) == set(args.__annotations__)
    assert set(definition.outputs_mapping.values()) == set(component.__annotations__)
    required = {definition.inputs_mapping[key] for key, value in definition.inputs.items() if not value.optional}
    assert required == set(args.__required_keys__)
    undescribed = [key for key, value in {**definition.inputs, **definition.outputs}.items() if not value.description]
    assert undescribed == []


def test_choices_are_enums_with_described_values(schema):
    for name in ("Egress", "ContainerInsights"):
        values = schema["type_definitions"][name].enum
        assert values and all(value.description for value in values)
