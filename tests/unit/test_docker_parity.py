"""Every TaskSpec field on the docker host: honoured in the container's inputs, or refused with a sentence. The Fargate twin is test_fargate_parity.py."""

import dataclasses
from typing import Any

import pytest

from components.hosts import run_task
from components.ingress import HttpApi, LoadBalancer
from components.task import HealthCheck, Image, Permission, Scaling, SecretSource, TaskSpec, UnsupportedByHost, Volume
from tests.unit.pulumi_mocks import Run, deploy, is_secret, parent, revealed

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/image:Image"
BASE: dict[str, Any] = {"name": "bot", "component": "FreqtradeBot", "image": Image(reference="example.org/bot:1")}
HOST = {"docker": {"network": "private"}}


def run(host: Any = None, **changes: Any) -> Run:
    spec = TaskSpec(**{**BASE, **changes})
    return deploy(lambda: run_task(spec, host or HOST, parent()).service)


def container(**changes: Any) -> dict[str, Any]:
    inputs = dict(run(**changes).one(CONTAINER).inputs)
    inputs["envs"] = revealed(inputs["envs"])
    return inputs


def label(inputs: dict[str, Any], key: str) -> str:
    return {one["label"]: one["value"] for one in inputs["labels"]}[key]


# field -> (changes to the spec, what the container must then look like)
HONOURED: dict[str, tuple[dict[str, Any], Any]] = {
    "name": ({"name": "sample"}, lambda c: c["networksAdvanced"] == [{"name": "private", "aliases": ["sample"]}]),
    "component": ({"component": "Thing"}, lambda c: label(c, "tradestack.component") == "Thing"),
    "image": ({}, lambda c: c["image"] == "example.org/bot:1"),
    "command": ({"command": ("trade", "-v")}, lambda c: c["command"] == ["trade", "-v"]),
    "environment": ({"environment": {"B": "2", "A": "1"}}, lambda c: c["envs"] == ["A=1", "B=2"]),
    "secrets": ({"secrets": {"KEY": SecretSource(value="hush")}}, lambda c: c["envs"] == ["KEY=hush"]),
    "volumes": (
        {"volumes": (Volume(name="data", mount_path="/data", existing="mine"),)},
        lambda c: c["volumes"] == [{"volumeName": "mine", "containerPath": "/data"}],
    ),
    "port": ({"port": 8080}, lambda c: "ports" not in c and c["networksAdvanced"][0]["aliases"] == ["bot"]),
    "published_port": (
        {"port": 8080, "published_port": 18080},
        lambda c: c["ports"] == [{"internal": 8080, "external": 18080, "ip": "127.0.0.1", "protocol": "tcp"}],
    ),
    "cpu": ({"cpu": 512, "memory": 1024}, lambda c: float(c["cpus"]) == 0.5),
    "memory": ({"memory": 1024}, lambda c: (c["memory"], c["memorySwap"]) == (1024, 1024)),
    "user": ({"user": "12:34"}, lambda c: c["user"] == "12:34"),
    "read_only_root": ({"read_only_root": False}, lambda c: c["readOnly"] is False),
    "health": (
        {"health": HealthCheck(command=("probe", "-x"), interval=7, timeout=23, retries=4, start_period=250)},
        lambda c: (
            c["healthcheck"] == {"tests": ["CMD", "probe", "-x"], "interval": "7s", "timeout": "23s", "startPeriod": "250s", "retries": 4}
            and (c["wait"], c["waitTimeout"]) == (True, 250 + 4 * (7 + 23))
        ),
    ),
    "stop_timeout": ({"stop_timeout": 33}, lambda c: (c["stopTimeout"], c["destroyGraceSeconds"]) == (33, 33)),
    "clean_exit_codes": ({"clean_exit_codes": (0, 7)}, lambda c: label(c, "tradestack.clean-exit-codes") == "0,7"),
    # There is only ever one container of a name, and the old one is deleted first: tests/local shows it on the engine.
    "single_writer": ({"single_writer": True}, lambda c: c["restart"] == "unless-stopped"),
    "spot": ({"spot": False}, lambda c: c["image"] == "example.org/bot:1"),
    "execute_command": ({"execute_command": True}, lambda c: c["image"] == "example.org/bot:1"),
    "tags": ({"tags": {"team": "quant"}}, lambda c: label(c, "team") == "quant"),
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ephemeral_storage": ({"ephemeral_storage": 30}, "ephemeral_storage=30"),
    "secrets": ({"secrets": {"KEY": SecretSource(arn="arn:aws:secretsmanager:x")}}, "secrets[KEY]"),
    "published_port": ({"port": 80, "published_port": 18080, "desired_count": 2}, "published_port=18080"),
    "http_api": ({"port": 80, "http_api": HttpApi(paths=("/a",), source_ip_header="x")}, "http_api='given'"),
    "load_balancer": (
        {
            "port": 80,
            "load_balancer": LoadBalancer(
                paths=("/a",), certificate_arn="arn", public_subnet_ids=["a", "b"], source_ips=("192.0.2.1",), health_path="/"
            ),
        },
        "load_balancer='given'",
    ),
    "permissions": ({"permissions": (Permission(actions=("sqs:SendMessage",), resources=("arn",)),)}, "permissions="),
    "scaling": ({"scaling": Scaling(max_count=2)}, "scaling="),
}
ELSEWHERE = {"architecture", "desired_count"}  # tests of their own below


def test_every_field_has_a_row() -> None:
    fields = {field.name for field in dataclasses.fields(TaskSpec)}
    assert fields == set(HONOURED) | set(REFUSED) | ELSEWHERE


@pytest.mark.parametrize("field", sorted(HONOURED))
def test_honoured(field: str) -> None:
    changes, expected = HONOURED[field]
    inputs = container(**changes)
    assert expected(inputs), inputs


@pytest.mark.parametrize("field", sorted(REFUSED))
def test_refused_with_a_sentence_before_anything_is_created(field: str) -> None:
    changes, expected = REFUSED[field]
    run_ = None
    with pytest.raises(UnsupportedByHost, match="docker host can't honour") as error:
        run_ = run(**changes)
    assert expected in str(error.value) and run_ is None


def test_architecture_is_the_platform_of_the_build(tmp_path: Any) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}\n")
    built = run(image=Image(context=str(tmp_path), base="x"), architecture="arm64").one(IMAGE)
    assert built.inputs["build"]["platform"] == "linux/arm64"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_desired_count_is_the_number_of_containers_under_one_name(count: int) -> None:
    containers = run(desired_count=count).all(CONTAINER)
    assert len(containers) == count
    assert {one.inputs["networksAdvanced"][0]["aliases"][0] for one in containers} == ({"bot"} if count else set())


def test_container_is_hardened() -> None:
    inputs = container()
    assert inputs["readOnly"] is True
    assert inputs["user"] == "1000:1000"
    assert inputs["capabilities"] == {"drops": ["ALL"]}
    assert inputs["securityOpts"] == ["no-new-privileges:true"]
    assert inputs["logOpts"] == {"max-size": "10m", "max-file": "3"}


def test_secrets_are_secret_inputs() -> None:
    recorded = run(environment={"OPEN": "1"}, secrets={"KEY": SecretSource(value="hush")}).one(CONTAINER)
    assert is_secret(recorded.inputs["envs"]), "marked by the host even when the program forgot to"


def test_created_volume_carries_labels_and_nothing_is_shared() -> None:
    volumes = run(volumes=(Volume(name="data", mount_path="/data"),)).all("docker:index/volume:Volume")
    assert [one.name for one in volumes] == ["bot-data"]
    assert "name" not in volumes[0].inputs, "the physical name is Pulumi's to choose: two stacks never meet on one volume by accident"


ROUTED = {"docker": {"network": "private", "fluentd_address": "127.0.0.1:24224"}}


def test_logs_go_to_the_router_without_blocking() -> None:
    inputs = run(host=ROUTED).one(CONTAINER).inputs
    options = inputs["logOpts"]
    assert inputs["logDriver"] == "fluentd"
    assert (options["fluentd-address"], options["tag"]) == ("127.0.0.1:24224", "bot")
    assert options["fluentd-async"] == "true", "a container starts without its router"
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "4m"), "and writes on when the router takes nothing"
    assert options["fluentd-request-ack"] == "true", "a killed router loses no line that it hasn't read"
    assert int(options["fluentd-buffer-limit"]) <= 10_000, "the daemon's memory is bounded; the unit is lines"
    retries = int(options["fluentd-max-retries"])
    assert retries >= 10_000, "while the router starts, each line is tried thousands of times a second"
    assert retries <= 50_000, "from its 92nd connection on the driver no longer pauses between them"
    assert options["fluentd-sub-second-precision"] == "true"


def test_docker_logs_shows_the_lines_all_the_same_and_rotated() -> None:
    options = run(host=ROUTED).one(CONTAINER).inputs["logOpts"]
    assert {key: options[key] for key in ("cache-disabled", "cache-max-size", "cache-max-file")} == {
        "cache-disabled": "false",
        "cache-max-size": "10m",
        "cache-max-file": "3",
    }


@pytest.mark.parametrize(
    ("changes", "bot"),
    [({"component": "FreqtradeBot"}, "bot"), ({"component": "WebhookService"}, None), ({"component": "X", "tags": {"bot": "y"}}, "y")],
)
def test_the_router_learns_stack_service_and_bot(changes: dict[str, Any], bot: str | None) -> None:
    inputs = run(host=ROUTED, **changes).one(CONTAINER).inputs
    known = {one["label"]: one["value"] for one in inputs["labels"]}
    assert (known["tradestack.stack"], known["tradestack.task"], known.get("tradestack.bot")) == ("test", "bot", bot)
    assert set(inputs["logOpts"]["labels"].split(",")) == {"tradestack.stack", "tradestack.task", "tradestack.bot"}


def test_volumes_carry_no_label_of_the_logs() -> None:
    volume = run(host=ROUTED, volumes=(Volume(name="data", mount_path="/data"),)).one("docker:index/volume:Volume")
    keys = {one["label"] for one in volume.inputs["labels"]}
    assert "tradestack.bot" not in keys, "a changed label replaces the volume, and what is on it is gone"


@pytest.mark.parametrize("host", [{}, {"docker": {"network": "n"}, "fargate": {}}, {"kubernetes": {}}])
def test_exactly_one_known_host(host: Any) -> None:
    with pytest.raises(ValueError, match="exactly one of docker and fargate"):
        run_task(TaskSpec(**BASE), host, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "Bad_Name"}, "name='Bad_Name'"),
        ({"cpu": 300}, "cpu=300"),
        ({"cpu": 256, "memory": 4096}, "memory=4096: with cpu=256 use one of 512, 1024, 2048"),
        ({"user": "0:0"}, "user='0:0'"),
        ({"user": "root"}, "user='root'"),
        ({"stop_timeout": 121}, "stop_timeout=121"),
        ({"single_writer": True, "desired_count": 2}, "desired_count=2"),
        ({"published_port": 1}, "published_port=1: set port too"),
        ({"port": 70000}, "port=70000"),
        ({"scaling": Scaling(max_count=2), "single_writer": True}, "scaling.max_count=2"),
        ({"scaling": Scaling(max_count=2), "desired_count": 3}, "scaling.max_count=2: use desired_count or more"),
        ({"scaling": Scaling(max_count=2, cpu_percent=95)}, "scaling.cpu_percent=95: use 10 to 90"),
        ({"http_api": HttpApi(paths=("/a",), source_ip_header="x")}, "port=None: an ingress leads to it"),
        ({"image": Image()}, "exactly one of context"),
        ({"environment": {"A": "1"}, "secrets": {"A": SecretSource(value="x")}}, "secrets='A'"),
        ({"secrets": {"A": SecretSource()}}, "exactly one of value and arn"),
        ({"volumes": (Volume(name="v", mount_path="data"),)}, "volumes.mount_path='data'"),
        ({"health": HealthCheck(command=(), interval=1)}, "health.interval=1"),
        ({"ephemeral_storage": 10}, "ephemeral_storage=10"),
        ({"architecture": "mips"}, "architecture='mips'"),
    ],
)
def test_impossible_specs_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError) as error:
        run_task(TaskSpec(**{**BASE, **changes}), HOST, None)
    assert expected in str(error.value)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ValueError) as error:
        run_task(TaskSpec(**{**BASE, "cpu": 1, "user": "0:0", "port": 0}), HOST, None)
    assert all(text in str(error.value) for text in ("cpu=1", "user='0:0'", "port=0"))


def test_a_laptop_that_starts_everything_at_once_is_given_time() -> None:
    hasty = container(health=HealthCheck(command=("probe",), interval=10, timeout=5, retries=3, start_period=30))
    assert (hasty["healthcheck"]["timeout"], hasty["healthcheck"]["startPeriod"], hasty["waitTimeout"]) == ("15s", "180s", 180 + 3 * 25)
