"""Containers, networks and volumes through the real engine, the real SDK and the offline plugin, on the real Docker engine."""

import json
import socket
import time

import pytest

from tests.offline_docker.conftest import PREFIX, leftovers
from tools.offline import docker_start

pytestmark = [pytest.mark.docker, pytest.mark.engine]

SECRET = "hunter22-of-the-test"
FULL = """
import pulumi, pulumi_docker as docker
config = pulumi.Config()
network = docker.Network("%(prefix)s-net", labels=[docker.NetworkLabelArgs(label="team", value="test")])
volume = docker.Volume("%(prefix)s-vol", labels=[docker.VolumeLabelArgs(label="team", value="test")])
container = docker.Container("%(prefix)s-c",
    image="%(image)s", command=["sleep", "3600"],
    envs=["B=2", pulumi.Output.concat("PASSWORD=", config.require_secret("password")), *%(envs)s],
    user="1000:1000", read_only=True,
    capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]), security_opts=["no-new-privileges:true"],
    cpus="0.5", memory=%(memory)s, memory_swap=%(memory)s, restart="%(restart)s",
    stop_timeout=7, stop_signal="SIGINT", destroy_grace_seconds=1,
    init=True, hostname="box", working_dir="/tmp", hosts=[docker.ContainerHostArgs(host="peer", ip="10.9.8.7")], dns=["1.1.1.1"],
    healthcheck=docker.ContainerHealthcheckArgs(tests=["CMD", "true"], interval="1s", timeout="5s", start_period="1s", retries=3),
    wait=True, wait_timeout=60,
    networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name, aliases=["alias"])],
    ports=[docker.ContainerPortArgs(internal=8000, ip="127.0.0.1")],
    volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path="/data")],
    tmpfs={"/tmp": "size=1m"}, log_driver="json-file", log_opts={"max-size": "1m"},
    labels=[docker.ContainerLabelArgs(label="team", value="test")])
pulumi.export("container", container.name)
pulumi.export("network", network.name)
pulumi.export("volume", volume.name)
pulumi.export("port", container.ports[0].external)
"""


def full(image, memory=64, restart="unless-stopped", envs=()):
    return FULL % {"prefix": PREFIX, "image": image, "memory": memory, "restart": restart, "envs": json.dumps(list(envs))}


def simple(image, arguments="", name="c"):
    return f"""
import pulumi_docker as docker
docker.Container("{PREFIX}-{name}", image="{image}", {arguments})
"""


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


def test_a_container_gets_what_the_program_says_and_lives_through_changes(pulumi_project, client, image):
    project = pulumi_project(full(image), secrets={"password": SECRET})
    assert project.preview().changes == {"create": 4}
    assert not leftovers(client), "a preview created something"
    project.up()
    outputs = project.outputs()
    found = client.api.inspect_container(outputs["container"])
    config, host = found["Config"], found["HostConfig"]
    assert found["State"]["Health"]["Status"] == "healthy"
    assert (config["User"], config["Cmd"], config["Hostname"], config["WorkingDir"]) == ("1000:1000", ["sleep", "3600"], "box", "/tmp")
    assert {"B=2", f"PASSWORD={SECRET}"} <= set(config["Env"])
    assert (config["StopTimeout"], config["StopSignal"], config["Labels"]) == (7, "SIGINT", {"team": "test"})
    assert config["Healthcheck"] == {"Test": ["CMD", "true"], "Interval": 10**9, "Timeout": 5 * 10**9, "StartPeriod": 10**9, "Retries": 3}
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"], host["Init"]) == (True, ["ALL"], ["no-new-privileges:true"], True)
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (500_000_000, 64 << 20, 64 << 20)
    assert (host["RestartPolicy"]["Name"], host["ExtraHosts"], host["Dns"]) == ("unless-stopped", ["peer:10.9.8.7"], ["1.1.1.1"])
    assert (host["Tmpfs"], host["LogConfig"]) == ({"/tmp": "size=1m"}, {"Type": "json-file", "Config": {"max-size": "1m"}})
    assert host["Binds"] == [f"{outputs['volume']}:/data:rw"]
    networks = found["NetworkSettings"]["Networks"]
    assert list(networks) == [outputs["network"]] and "alias" in networks[outputs["network"]]["Aliases"]
    assert found["NetworkSettings"]["Ports"]["8000/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(int(outputs["port"]))}]

    assert SECRET not in json.dumps(project.state())
    assert SECRET not in project.preview().output
    assert project.preview().changes == {} and project.up().changes == {} and project.refresh().changes == {}

    project.program(full(image, memory=96, restart="always"))
    updated = project.up()
    assert updated.ops(f"{PREFIX}-c") == {"update"} and updated.changes == {"update": 1}
    same = client.api.inspect_container(found["Id"])
    assert (same["HostConfig"]["Memory"], same["HostConfig"]["MemorySwap"], same["HostConfig"]["RestartPolicy"]["Name"]) == (
        96 << 20,
        96 << 20,
        "always",
    )

    project.program(full(image, memory=96, restart="always", envs=["C=3"]))
    replaced = project.up()
    assert replaced.changes == {"replace": 1}
    ops = [step.op for step in replaced.steps if step.name == f"{PREFIX}-c"]
    assert ops.index("delete-replaced") < ops.index("create-replacement"), "two containers ran at once"
    assert not client.containers.list(all=True, filters={"id": found["Id"]})
    assert project.outputs()["volume"] == outputs["volume"] and project.preview().changes == {}

    project.destroy()
    assert not leftovers(client)


def test_refresh_sees_what_happened_outside(pulumi_project, client, image):
    name = f"{PREFIX}-drift"
    project = pulumi_project(simple(image, f'name="{name}", command=["sleep", "3600"], memory=64, memory_swap=64'))
    project.up()
    first = client.containers.get(name)

    first.update(mem_limit="96m", memswap_limit="96m", restart_policy={"Name": "always"})
    assert project.refresh().changes == {"update": 1}
    assert project.up().changes == {"update": 1}
    first.reload()
    assert (first.attrs["HostConfig"]["Memory"], first.attrs["HostConfig"]["RestartPolicy"]["Name"]) == (64 << 20, "no")
    assert project.preview().changes == {}

    first.kill()
    until(lambda: client.api.inspect_container(name)["State"]["Status"] == "exited")
    project.refresh()
    assert project.up().changes == {"replace": 1}
    second = client.containers.get(name)
    assert second.id != first.id and second.status == "running"

    second.remove(force=True)
    assert project.refresh().changes == {"delete": 1}
    assert project.up().changes == {"create": 1}
    assert client.containers.get(name).status == "running"


def test_a_port_in_use_is_named_and_nothing_is_left(pulumi_project, client, image):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = f"[docker.ContainerPortArgs(internal=8000, external={port}, ip='127.0.0.1')]"
        project = pulumi_project(simple(image, f'command=["sleep", "3600"], ports={ports}'))
        result = project.up(fails=True)
        assert f"host port {port} on 127.0.0.1 is already in use" in result.error and "choose another external port" in result.error
        assert not leftovers(client)
    assert project.up().changes == {"create": 1}


@pytest.mark.parametrize("restart", ["no", "always"])
def test_a_container_that_exits_at_once_is_an_error_with_its_last_lines(pulumi_project, client, image, restart):
    script = "echo no such strategy $TOKEN; exit 3"
    arguments = f'command=["sh", "-c", "{script}"], restart="{restart}", envs=[pulumi.Output.secret("TOKEN={SECRET}")]'
    project = pulumi_project("import pulumi\n" + simple(image, arguments).strip())
    result = project.up(fails=True)
    assert "exited at once with code 3" in result.error and "no such strategy [secret]" in result.error
    assert SECRET not in result.output and not leftovers(client)


WAITED = """wait=True, wait_timeout=120, tmpfs={"/tmp": "size=1m"}, restart="always",
    healthcheck=docker.ContainerHealthcheckArgs(tests=["CMD", "true"], interval="1s", timeout="5s", start_period="60s", retries=3)"""


def test_a_container_that_ends_because_another_is_not_there_yet_may_come_back(pulumi_project, client, image):
    """As freqtrade does while the exchange starts beside it."""
    volume = f'docker.Volume("{PREFIX}-tries", name="{PREFIX}-tries")'
    script = "[ -e /data/there ] || { echo > /data/there; exit 2; }; sleep 3600"
    mounted = f'volumes=[docker.ContainerVolumeArgs(volume_name="{PREFIX}-tries", container_path="/data")], '
    mounted += f"opts=pulumi.ResourceOptions(depends_on=[{volume}]), "
    project = pulumi_project("import pulumi\n" + simple(image, f'{mounted}command=["sh", "-c", "{script}"], {WAITED}').strip())
    assert project.up().changes == {"create": 3}
    (container,) = client.containers.list(filters={"name": f"^/{PREFIX}-c"})
    assert container.attrs["RestartCount"] == 1 and container.attrs["State"]["Health"]["Status"] == "healthy"


@pytest.mark.parametrize("code", [2, docker_start.EXIT_CONFIG])
def test_a_container_that_never_comes_is_an_error_before_its_time_is_over(pulumi_project, client, image, code):
    """Settings that are wrong stay so."""
    project = pulumi_project(simple(image, f'command=["sh", "-c", "exit {code}"], {WAITED}'))
    started = time.monotonic()
    result = project.up(fails=True)
    assert f"exited at once with code {code}" in result.error and time.monotonic() - started < 100


def test_a_container_that_may_end_keeps_its_exit_code(pulumi_project, client, image):
    project = pulumi_project(simple(image, 'command=["false"], must_run=False'))
    project.up()
    until(lambda: client.containers.get(next(iter(leftovers(client)))).status == "exited")
    project.refresh()
    assert project.resource(f"{PREFIX}-c")["outputs"]["exitCode"] == 1
    assert project.preview().changes == {}


def test_an_unhealthy_container_is_an_error_with_what_its_check_said(pulumi_project, client, image):
    health = 'docker.ContainerHealthcheckArgs(tests=["CMD-SHELL", "echo market closed; exit 1"], interval="1s", timeout="5s", retries=2)'
    project = pulumi_project(simple(image, f'command=["sleep", "3600"], wait=True, healthcheck={health}'))
    result = project.up(fails=True)
    assert "did not become healthy" in result.error and "market closed" in result.error and not leftovers(client)


def test_grace_seconds_let_a_container_end_by_itself(pulumi_project, client, image):
    script = "trap 'echo ended > /data/end; exit 0' TERM; while true; do sleep 0.1; done"
    program = f"""
import pulumi_docker as docker
volume = docker.Volume("{PREFIX}-grace", name="{PREFIX}-grace")
if %s:
    docker.Container("{PREFIX}-grace", image="{image}", command=["sh", "-c", \"\"\"{script}\"\"\"], destroy_grace_seconds=20,
        volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path="/data")])
"""
    project = pulumi_project(program % True)
    project.up()
    project.program(program % False)
    assert project.up().changes == {"delete": 1}
    output = client.containers.run(image, ["cat", "/data/end"], remove=True, volumes={f"{PREFIX}-grace": {"bind": "/data"}})
    assert output == b"ended\n"


def test_a_network_and_a_volume_in_use_are_not_removed(pulumi_project, client, image):
    project = pulumi_project(f"""
import pulumi_docker as docker
docker.Network("{PREFIX}-used", name="{PREFIX}-used")
docker.Volume("{PREFIX}-used", name="{PREFIX}-used")
""")
    project.up()
    user = client.containers.run(
        image,
        ["sleep", "3600"],
        name=f"{PREFIX}-user",
        detach=True,
        network=f"{PREFIX}-used",
        volumes={f"{PREFIX}-used": {"bind": "/data"}},
    )
    try:
        result = project.destroy("--continue-on-error", fails=True)
        for kind in ("network", "volume"):
            assert f"the Docker {kind} '{PREFIX}-used' is still used by {PREFIX}-user" in result.error
    finally:
        user.remove(force=True)
    project.destroy()
    assert not leftovers(client)


def test_names_that_are_taken_are_named(pulumi_project, client, image):
    taken = client.containers.create(image, ["true"], name=f"{PREFIX}-taken")
    network = client.networks.create(f"{PREFIX}-taken")
    try:
        project = pulumi_project(
            simple(image, f'name="{PREFIX}-taken", command=["sleep", "9"]')
            + f"""
docker.Network("{PREFIX}-n", name="{PREFIX}-taken")
"""
        )
        error = project.up("--continue-on-error", fails=True).error
        assert (
            f"a container named '{PREFIX}-taken' exists already" in error
            and f"a Docker network named '{PREFIX}-taken' exists already" in error
        )
    finally:
        taken.remove()
        network.remove()


def test_without_docker_one_sentence_names_the_socket(pulumi_project):
    project = pulumi_project(simple("any", ""), environment={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    result = project.up(fails=True)
    assert "Docker is not running: nothing answers at unix:///nowhere/docker.sock" in result.error and "DOCKER_HOST" in result.error
