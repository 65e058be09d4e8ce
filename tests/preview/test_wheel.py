"""The wheel in another program: installed in a fresh environment, previewed by the real engine, on hosts given as plain ids."""

import json
import os
import subprocess
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from components.hosts.images import content_files, content_tag
from components.image_folders import shared_folders
from components.version import VERSION
from tests import wheel as wheels
from tests.pulumi_engine import ROOT, Project, pulumi_project  # noqa: F401
from tests.remote_components import bot, call, plugin, program

pytestmark = pytest.mark.engine

DOCKER = {"docker": {"network": "their-network"}}
FARGATE = {
    "fargate": {
        "cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/theirs",
        "region": "eu-west-1",
        "vpc_id": "vpc-0123456789abcdef0",
        "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "task_security_group_id": "sg-0123456789abcdef0",
        "namespace_id": "ns-abcdefghijklmnop",
        "namespace_name": "their.internal",
        "file_system_id": "fs-0123456789abcdef0",
        "file_system_arn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0",
        "log_group_name": "/their/logs",
        "log_group_arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/their/logs",
        "repository_url": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/theirs",
        "repository_arn": "arn:aws:ecr:eu-west-1:123456789012:repository/theirs",
    }
}

# The program itself proves what it imports.
PROGRAM = """
    import importlib.util, sys
    import pulumi
    import tradestack
    from tradestack import FreqtradeBot

    assert tradestack.__file__.startswith(sys.prefix), tradestack.__file__
    assert importlib.util.find_spec("components") is None, "the checkout is importable"

    bot = FreqtradeBot("theirs", {{
        "host": {host!r},
        "strategy": "BreakoutStrategy",
        "pairs": [{pair!r}],
        "stake_currency": "USDT",
        "stake_amount": 50,
        "max_open_trades": 2,
        "secrets": {{key: pulumi.Output.secret("hush") for key in ("api_username", "api_password", "jwt_secret_key", "ws_token")}},
    }})
    pulumi.export("api", bot.api_url)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.install(wheel, tmp_path_factory.mktemp("their-environment") / "venv")


@pytest.fixture
def their_project(pulumi_project: Callable[..., Project], binaries: Path) -> Callable[..., Project]:  # noqa: F811
    def start(text: str, **options: Any) -> Project:
        return pulumi_project(text, name="theirs", environment=wheels.environment(binaries), config={"aws:region": "eu-west-1"}, **options)

    return start


def test_it_holds_the_library_and_the_images_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT / "components") for path in (ROOT / "components").rglob("*.py")}
    library = {path.as_posix() for path in modules if "venv" not in path.parts} | {
        "py.typed",
        "PulumiPlugin.yaml",
        "requirements.txt",
        "prices.toml",
    }
    assert {f"tradestack/{name}" for name in library} == {name for name in names if not name.startswith("tradestack/images/")}
    folders = {path.parent for path in (ROOT / "images").glob("*/Dockerfile")}
    folders |= {ROOT / "images" / name for folder in folders for name in shared_folders(str(folder))}
    needed = {f"tradestack/images/{folder.name}/{name.as_posix()}" for folder in folders for name in content_files(folder)}
    images = {name for name in names if name.startswith("tradestack/images/")}
    assert needed <= images
    assert {name for name in images - needed if not name.endswith("README.md")} == set()


def test_its_images_are_the_same_images(binaries: Path) -> None:
    """The same tag: what the wheel's users run is byte for byte what the checkout runs."""
    installed = wheels.packages(binaries.parent) / "tradestack" / "images"
    folders = sorted(path.parent.name for path in (ROOT / "images").glob("*/Dockerfile"))
    assert folders
    for name in folders:
        shared = shared_folders(str(ROOT / "images" / name))
        theirs = content_tag(str(installed / name), {}, None, shared)
        assert theirs == content_tag(str(ROOT / "images" / name), {}, None, shared), name


def test_it_says_what_it_needs(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"tradestack-{VERSION}.dist-info/METADATA").decode()
    needs = {line.removeprefix("Requires-Dist: ").split("<")[0] for line in metadata.splitlines() if line.startswith("Requires-Dist")}
    assert needs == {"pulumi", "pulumi-aws", "pulumi-awsx", "pulumi-docker"}


def test_a_bot_on_their_docker_network(their_project: Callable[..., Project], binaries: Path) -> None:
    result = their_project(PROGRAM.format(host=DOCKER, pair="ETH/USDT")).preview()
    assert result.ops("theirs-container") == result.ops("theirs-user-data") == {"create"}
    assert str(wheels.packages(binaries.parent) / "tradestack" / "images" / "freqtrade" / "Dockerfile") in result.output
    assert "their-network" in result.output and "hush" not in result.output


def test_a_bot_on_their_fargate_cluster(their_project: Callable[..., Project]) -> None:
    result = their_project(PROGRAM.format(host=FARGATE, pair="ETH/USDT")).preview()
    made = {step.type for step in result.steps}
    assert {"aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition", "aws:efs/accessPoint:AccessPoint"} <= made
    # Their own network and cluster: none is made.
    assert not made & {"awsx:ec2:Vpc", "aws:ec2/vpc:Vpc", "aws:ecs/cluster:Cluster", "aws:efs/fileSystem:FileSystem"}
    assert FARGATE["fargate"]["subnet_ids"][1] in result.output and "hush" not in result.output


@pytest.mark.parametrize(
    ("host", "pair", "sentence"),
    [
        (DOCKER, "ETH/USD", "bot 'theirs': pairs='ETH/USD': use BASE/USDT, the stake currency behind the slash"),
        ({}, "ETH/USDT", "host=[]: give exactly one of docker and fargate, e.g. host=cluster.host"),
        ({"fargate": {"cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/theirs"}}, "ETH/USDT", "host.fargate"),
    ],
)
def test_bad_arguments_fail_with_their_sentence(their_project: Callable[..., Project], host: dict, pair: str, sentence: str) -> None:
    result = their_project(PROGRAM.format(host=host, pair=pair)).preview(fails=True)
    assert [message for message in result.errors if sentence in message and "\n" not in message], result.output
    assert "Traceback" not in result.output
    assert {step.type for step in result.steps} <= {"pulumi:pulumi:Stack", "tradestack:index:FreqtradeBot"}


def test_it_brings_the_plugin_for_other_languages(their_project: Callable[..., Project], binaries: Path) -> None:
    assert os.access(binaries / "pulumi-resource-tradestack", os.X_OK)
    project = their_project(program(call("FreqtradeBot", "sample", bot(host=DOCKER)), "pulumi.export('done', True)"))
    result = project.preview()
    assert result.ops("sample-container") == {"create"}
    assert str(wheels.packages(binaries.parent) / "tradestack" / "images" / "freqtrade") in result.output
    assert str(binaries / "pulumi-resource-tradestack") in result.output, "another plugin was used"


def test_its_folder_is_a_plugin_too(binaries: Path, tmp_path: Path) -> None:
    """`pulumi package add <site-packages>/tradestack`."""
    folder = wheels.packages(binaries.parent) / "tradestack"
    environment = {**os.environ, "PYTHONPATH": ""}
    with plugin(str(binaries / "python"), str(folder), environment=environment, cwd=tmp_path) as stub:
        assert json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60).schema)["version"] == VERSION


def test_the_guard_notices_the_checkout(binaries: Path, tmp_path: Path) -> None:
    """What the program asserts can fail: with the checkout on the path it does."""
    guard = textwrap.dedent(PROGRAM.partition("bot = FreqtradeBot")[0])
    for path, expected in (("", 0), (str(ROOT), 1)):
        environment = {**os.environ, "PYTHONPATH": path}
        command = [str(binaries / "python"), "-c", guard]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == expected, done.stderr
