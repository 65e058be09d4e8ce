"""The components from other languages: remote components, the plugin's own process and the real engine."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.util import camel_case

from components import BotCluster
from components.plugin import COMPONENTS
from tests.pulumi_engine import TIMEOUT, Project, pulumi_project  # noqa: F401
from tests.remote_components import bot, call, plugin_script, program

pytestmark = pytest.mark.engine

DOCKER = {"docker": {"network": "private"}}
CONTAINER = "docker:index/container:Container"


@pytest.fixture
def remote_project(pulumi_project: Callable[..., Project], tmp_path: Path) -> Callable[..., Project]:  # noqa: F811
    """Like pulumi_project, with the checkout's plugin on PATH."""
    path = os.pathsep.join([str(plugin_script(tmp_path / "bin")), os.environ["PATH"]])

    def start(*statements: str, **options: Any) -> Project:
        return pulumi_project(program(*statements), environment={"PATH": path}, **options)

    return start


def test_the_cli_reads_the_schema(tmp_path: Path) -> None:
    """What `pulumi package add` begins with."""
    executable = plugin_script(tmp_path / "bin") / "pulumi-resource-tradestack"
    environment = {**os.environ, "PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_SKIP_UPDATE_CHECK": "1"}
    done = subprocess.run(
        ["pulumi", "package", "get-schema", str(executable)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["resources"]) == {f"tradestack:index:{one.__name__}" for one in COMPONENTS}


def test_a_bot_on_docker(remote_project: Callable[..., Project]) -> None:
    host = "host={'docker': {'network': cluster.network}}"
    project = remote_project(
        "cluster = " + call("LocalCluster", "local", {}, outputs=("network",)),
        "bot = " + call("FreqtradeBot", "sample", bot(publishedPort=18080), host, outputs=("apiUrl",)),
        "pulumi.export('api', bot.apiUrl)",
    )
    result = project.preview()
    assert result.ops("sample") == result.ops("sample-container") == {"create"}
    assert {step.type for step in result.steps} >= {"tradestack:index:FreqtradeBot", "tradestack:index:LocalCluster", CONTAINER}
    # A port that came over the wire is a whole number.
    assert '"http://127.0.0.1:18080"' in result.output
    assert "hush" not in result.output


def test_a_webhook_service_on_docker(remote_project: Callable[..., Project]) -> None:
    """Limits and queue are objects in objects, with keys as other languages write them."""
    hook = {
        "account": "paper",
        "limits": {"account": {"orderNotional": 1000, "notionalPerDay": 5000, "ordersPerDay": 50, "lossPerDay": 200}, "allowShort": True},
        "secrets": {"signing_key": "hush" * 8, "broker_key": "hush-k", "broker_secret": "hush-b"},
        "queue": {"url": "http://queue:9324/0/a.fifo", "deadLetterUrl": "http://queue:9324/0/d.fifo", "endpoint": "http://queue:9324"},
        "authentication": ["signature"],
        "image": "example.org/slanger:1",
        "publishedPort": 18090,
    }
    project = remote_project(
        "hook = " + call("WebhookService", "hook", hook, f"host={DOCKER!r}", outputs=("url",)), "pulumi.export('url', hook.url)"
    )
    result = project.preview()
    assert result.ops("hook-container") == result.ops("hook-worker-container") == {"create"}
    assert '"http://127.0.0.1:18090"' in result.output and "hush" not in result.output

    hook["limits"]["account"].pop("lossPerDay")
    project.program(program(call("WebhookService", "hook", hook, f"host={DOCKER!r}")))
    assert "limits.account.loss_per_day: is missing" in project.preview(fails=True).errors[0]


def test_network_cluster_and_bot_on_fargate(remote_project: Callable[..., Project]) -> None:
    # Every output of BotCluster is an argument of the host by the same name.
    outputs = tuple(camel_case(name) for name in BotCluster.__annotations__)
    host = "{" + ", ".join(f"{name!r}: cluster.{name}" for name in outputs) + "}"
    network = "vpcId=network.vpcId, subnetIds=network.taskSubnetIds, assignPublicIp=network.assignPublicIp"
    project = remote_project(
        "network = "
        + call("Network", "network", {"zones": 2, "egress": "nat-instance"}, outputs=("vpcId", "taskSubnetIds", "assignPublicIp")),
        "cluster = " + call("BotCluster", "cluster", {"zones": 2, "containerInsights": "enabled"}, network, outputs=outputs),
        call("FreqtradeBot", "sample", bot(), f"host={{'fargate': {host}}}"),
        config={"aws:region": "eu-west-1"},
    )
    result = project.preview()
    made = {step.type for step in result.steps}
    assert {"awsx:ec2:Vpc", "aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"} <= made
    assert "hush" not in result.output


REFUSED = [
    ("FreqtradeBot", bot(host=DOCKER, pairs=["ETH/USD"], maxOpenTrades=0),
     "bot 'sample': pairs='ETH/USD': use BASE/BTC, the stake currency behind the slash; max_open_trades=0: use 1 or more"),
    ("FreqtradeBot", bot(host={}), "host=[]: give exactly one of docker and fargate, e.g. host=cluster.host"),
    ("FreqtradeBot", bot(host=DOCKER, memory="much"), "Invalid value 'much' of type <class 'str'> for integer property memory"),
    ("Network", {"zones": 9, "egress": "public"}, "network 'sample': zones=9: use 1 to 6"),
]  # fmt: skip


def test_what_a_component_refuses_is_one_sentence_without_secrets(remote_project: Callable[..., Project]) -> None:
    project = remote_project()
    for kind, inputs, sentence in REFUSED:
        project.program(program(call(kind, "sample", inputs)))
        result = project.preview(fails=True)
        shown = result.errors[0]
        assert shown.startswith(f"tradestack:index:{kind} resource 'sample' has a problem: ") and sentence in shown, shown
        assert "\n" not in shown, "a traceback or more than one sentence"
        assert "hush" not in result.output
        made = {step.type for step in result.steps if not step.type.startswith("pulumi:")}
        assert made <= {f"tradestack:index:{kind}"}, f"{inputs}: half created: {made}"  # a component by itself is only a name
