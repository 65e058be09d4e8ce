"""Bad and unsupported properties are refused by name when they are checked, before anything is created."""

import os
import subprocess
import sys

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto import provider_pb2_grpc

from tests.offline_docker.conftest import PREFIX
from tests.pulumi_engine import ROOT

TOKENS = {name: f"docker:index/{name.lower()}:{name}" for name in ("Container", "Network", "Volume", "Image")}
BASE = {"Container": {"image": "i"}, "Image": {"imageName": "a:1"}}
CASES = [
    ("Container", {"nam": "a"}, "nam: no such property; did you mean 'name'"),
    ("Container", {"image": None}, "image: missing"),
    ("Container", {"ports": [{"internal": "eighty"}]}, "ports[0].internal"),
    ("Container", {"ports": [{"internl": 80}]}, "ports[0].internl"),
    ("Container", {"memory": "much"}, "memory"),
    ("Container", {"memory": 0.5}, "memory"),
    ("Container", {"envs": "A=b"}, "envs"),
    ("Container", {"healthcheck": {"interval": "30s"}}, "healthcheck.tests"),
    ("Container", {"healthcheck": {"tests": ["CMD", "a"], "interval": "30 seconds"}}, "healthcheck.interval"),
    ("Container", {"restart": "sometimes"}, "restart"),
    ("Container", {"cpus": "half"}, "cpus"),
    ("Container", {"ports": [{"internal": 80, "external": 70000}]}, "ports[0].external"),
    ("Container", {"uploads": [{"file": "/a"}]}, "uploads[0]"),
    ("Container", {"mounts": [{"type": "floppy", "target": "/a"}]}, "mounts[0].type"),
    ("Container", {"volumes": [{"volumeName": "v"}]}, "volumes[0].containerPath"),
    ("Container", {"wait": True, "start": False}, "wait"),
    ("Container", {"attach": True}, "attach"),
    ("Container", {"gpus": "all"}, "gpus"),
    ("Container", {"rm": True}, "rm"),
    ("Container", {"mounts": [{"type": "volume", "target": "/a", "volumeOptions": {"subpath": "b"}}]}, "mounts.volumeOptions.subpath"),
    ("Network", {"ingress": True}, "ingress"),
    ("Network", {"ipamConfigs": [{"subnt": "10.1.0.0/16"}]}, "ipamConfigs[0].subnt"),
    ("Volume", {"driverOpts": {"a": ["b"]}}, "driverOpts"),
    ("Volume", {"labels": [{"label": "a"}]}, "labels[0].value"),
    ("Image", {"build": {"context": "nowhere"}}, "build.context"),
    ("Image", {"build": {"context": "."}}, "build.dockerfile"),
    ("Image", {"build": {"contxt": "."}}, "build.contxt"),
    ("Image", {"build": {"builderVersion": "V3"}}, "build.builderVersion"),
    ("Image", {"buildOnPreview": True}, "buildOnPreview"),
]


@pytest.fixture(scope="module")
def plugin():
    """The plugin as the engine starts it, spoken to directly: no Pulumi engine, no Docker."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.offline.docker_plugin", "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT / "tests" / "offline_docker",
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), "the plugin printed no port"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(plugin, token, inputs):
    news = Struct()
    news.update(inputs)
    return plugin.Check(proto.CheckRequest(urn=f"urn:pulumi:test::trial::{token}::x", news=news, randomSeed=b"seed"), timeout=60)


@pytest.mark.parametrize("kind, inputs, name", CASES)
def test_a_mistake_is_named(plugin, kind, inputs, name):
    reasons = [failure.reason for failure in ask(plugin, TOKENS[kind], {**BASE.get(kind, {}), **inputs}).failures]
    assert any(name in reason for reason in reasons), reasons


@pytest.mark.parametrize("kind", ["Container", "Network", "Volume"])
def test_what_is_right_passes_and_gets_a_name(plugin, kind):
    answer = ask(plugin, TOKENS[kind], BASE.get(kind, {}))
    assert not answer.failures and answer.inputs["name"].startswith("x-")


def test_false_is_as_good_as_left_out(plugin):
    assert not ask(plugin, TOKENS["Container"], {"image": "i", "attach": False, "rm": False, "logs": False, "gpus": None}).failures


@pytest.mark.parametrize(
    "token, words",
    [
        ("docker:index/remoteImage:RemoteImage", "is not implemented by the offline docker plugin"),
        ("docker:index/containr:Containr", "no resource type"),
    ],
)
def test_other_resource_types_are_refused(plugin, token, words):
    with pytest.raises(grpc.RpcError) as refused:
        ask(plugin, token, {})
    assert words in refused.value.details()


@pytest.mark.docker
@pytest.mark.engine
def test_the_engine_shows_the_sentence_and_unknown_values_pass(pulumi_project):
    project = pulumi_project(f"""
import pulumi, pulumi_docker as docker
network = docker.Network("{PREFIX}-n")
docker.Container("{PREFIX}-c", image=network.scope, envs=[network.scope], networks_advanced=[{{"name": network.id}}], user=network.scope)
""")
    assert project.preview().changes == {"create": 3}
    for line, words in (
        (f'docker.Container("{PREFIX}-c", image="i", ports=[{{"internl": 80}}])', "ports[0].internl: no such property"),
        (f'docker.Network("{PREFIX}-n", opts=pulumi.ResourceOptions(provider=docker.Provider("p", cert_path="/c")))', "certPath"),
        (f'docker.RemoteImage("{PREFIX}-r", name="a:1")', "is not implemented by the offline docker plugin"),
    ):
        project.program(f"import pulumi, pulumi_docker as docker\n{line}\n")
        error = project.preview(fails=True).error
        assert words in error, error
