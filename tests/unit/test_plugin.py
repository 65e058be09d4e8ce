"""The library as a Pulumi plugin: what it tells other languages about its components, and how it takes what they send."""

import json
import os
import subprocess
import sys
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError
from pulumi.provider.experimental.component import ComponentInitError
from pulumi.runtime.proto import provider_pb2

import components
from components.plugin import COMPONENTS, TradestackProvider, input_mistakes, whole_numbers
from components.version import VERSION
from tests.remote_components import ROOT, bot, plugin

DOCKER = {"docker": {"network": "private"}}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The schema, asked of the plugin's own process, started as Pulumi starts a plugin's folder."""
    elsewhere = tmp_path_factory.mktemp("program")
    with plugin(sys.executable, str(ROOT / "components"), environment=ENVIRONMENT, cwd=elsewhere) as stub:
        assert stub.GetPluginInfo(provider_pb2.google_dot_protobuf_dot_empty__pb2.Empty(), timeout=60).version == VERSION
        return json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60).schema)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def described(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every component's inputs and outputs and every type's properties and values, by the place where they are."""
    found = {}
    for token, resource in schema["resources"].items():
        found |= {f"{token} input {key}": value for key, value in resource["inputProperties"].items()}
        found |= {f"{token} output {key}": value for key, value in resource["properties"].items()}
    for token, type_ in schema["types"].items():
        found |= {f"{token} {key}": value for key, value in type_.get("properties", {}).items()}
        found |= {f"{token} {one['name']}": one for one in type_.get("enum", [])}
    return found


def test_every_component_of_the_library_is_in_it(schema: dict[str, Any]) -> None:
    public = {name for name in components.__all__ if isinstance(getattr(components, name), type)}
    expected = {name for name in public if issubclass(getattr(components, name), pulumi.ComponentResource)}
    assert set(schema["resources"]) == {f"tradestack:index:{name}" for name in expected}
    assert (schema["name"], schema["version"]) == ("tradestack", VERSION)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_inputs_and_outputs_are_those_of_the_class(schema: dict[str, Any], component: type) -> None:
    args = getattr(components, f"{component.__name__}Args")
    resource = schema["resources"][f"tradestack:index:{component.__name__}"]
    assert set(resource["inputProperties"]) == {camel(key) for key in args.__annotations__}
    assert set(resource["requiredInputs"]) == {camel(key) for key in args.__required_keys__}
    assert set(resource["properties"]) == {camel(key) for key in component.__annotations__}
    assert resource["description"]


def test_the_host_is_described_like_its_python_types(schema: dict[str, Any]) -> None:
    for name in ("HostArgs", "DockerHostArgs", "FargateHostArgs"):
        type_ = schema["types"][f"tradestack:index:{name}"]
        args = getattr(components, name)
        assert set(type_["properties"]) == {camel(key) for key in args.__annotations__}
        assert set(type_.get("required", [])) == {camel(key) for key in args.__required_keys__}


def test_everything_has_a_description(schema: dict[str, Any]) -> None:
    assert [place for place, one in described(schema).items() if not one.get("description")] == []


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("FreqtradeVariant", {"plain", "plot", "freqai"}),
        ("Egress", {"public", "nat-instance", "nat-gateway"}),
        ("ContainerInsights", {"disabled", "enabled", "enhanced"}),
    ],
)
def test_choices_are_enums(schema: dict[str, Any], name: str, values: set[str]) -> None:
    assert {one["value"] for one in schema["types"][f"tradestack:index:{name}"]["enum"]} == values


def test_its_modules_hide_no_package_of_the_same_name() -> None:
    """Python puts the plugin's folder on the path, where `task` or `network` would win over an installed package of that name."""
    code = """if True:
        import importlib.util, runpy, sys
        from pathlib import Path
        folder = Path(sys.argv[1])
        sys.path.insert(0, str(folder))
        assert importlib.util.find_spec("task"), "as Python starts a folder"
        runpy.run_path(str(folder / "__main__.py"))["load_folder"](folder)
        import tradestack.task
        assert importlib.util.find_spec("task") is None
    """
    command = [sys.executable, "-c", code, str(ROOT / "components")]
    done = subprocess.run(command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_numbers_of_the_wire_become_whole_again() -> None:
    taken = whole_numbers({"cpu": 256.0, "stakeAmount": 0.05, "config": {"limits": [1.0, 1.5, True, "1.0"]}})
    assert json.dumps(taken) == '{"cpu": 256, "stakeAmount": 0.05, "config": {"limits": [1, 1.5, true, "1.0"]}}'


def test_misspelt_arguments_and_outputs_in_place_of_plain_values_are_named(schema: dict[str, Any]) -> None:
    properties = schema["resources"]["tradestack:index:FreqtradeBot"]["inputProperties"]
    host = {"docker": {"network": pulumi.Output.from_input("private")}}
    assert input_mistakes(bot(host=host, exchangeUrl=pulumi.Output.from_input("http://replay:8000")), properties) == []
    mistakes = input_mistakes(bot(host=host, dryrun=False, strategy=pulumi.Output.from_input("BreakoutStrategy")), properties)
    assert len(mistakes) == 2
    assert mistakes[0].startswith("dryrun: no such argument; use one of ") and "dryRun" in mistakes[0]
    assert mistakes[1].startswith("strategy: is an output")


@pytest.mark.parametrize(
    ("kind", "inputs", "sentence"),
    [
        ("Bot", {}, "tradestack:index:Bot: no such component; there are AlpacaPaper, Beancleaner, Board, "),
        ("FreqtradeBot", bot(host=DOCKER, dryRun="no", dryrun=False), "dryrun: no such argument; use one of "),
        ("FreqtradeBot", bot(host=DOCKER, strategy=None), "Missing required input 'strategy' on 'FreqtradeBot'"),
        ("FreqtradeBot", bot(host=DOCKER, variant="huge"), "Invalid value huge of type <class 'str'> for enum 'FreqtradeVariant'"),
        ("FreqtradeBot", bot(host=DOCKER, maxOpenTrades=0.0), "bot 'sample': max_open_trades=0: use 1 or more"),
        ("FreqtradeBot", bot(host=DOCKER, imageContext="/nowhere"), "/nowhere"),
    ],
)
def test_what_is_refused_comes_back_as_one_sentence(kind: str, inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputPropertiesError) as error:
        TradestackProvider(COMPONENTS, "tradestack", version=VERSION).construct("sample", f"tradestack:index:{kind}", inputs)
    assert sentence in error.value.message and "\n" not in error.value.message
    # Beside a property the engine prints its value, and for a path that it doesn't find all values.
    assert error.value.errors == [] and "hush" not in error.value.message


def test_a_mistake_of_the_library_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.freqtrade_bot.argument_mistakes", lambda args: 1 / 0)
    with pytest.raises(ComponentInitError, match="division by zero"):
        TradestackProvider(COMPONENTS, "tradestack", version=VERSION).construct("sample", "tradestack:index:FreqtradeBot", bot(host=DOCKER))
