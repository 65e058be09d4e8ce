"""LocalQueue: what it hands to the docker host, the URLs that follow from it, and what it refuses."""

import json
from typing import Any

import pytest

from components.local_queue import LocalQueue
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, revealed

CONTAINER = "docker:index/container:Container"
ARGS: dict[str, Any] = {"host": {"docker": {"network": "private"}}, "names": ["webhook"]}
OUTPUTS = ("endpoint", "queue_urls", "dead_letter_urls", "service", "logs", "volume_name")


def run(**changes: Any) -> Run:
    def program() -> dict[str, Any]:
        queue = LocalQueue("queue", {**ARGS, **changes})
        return {name: getattr(queue, name) for name in OUTPUTS}

    return deploy(program)


def refused(**changes: Any) -> str:
    with pytest.raises(ValueError) as error:
        run(**changes)
    assert error.value.declared.resources == []
    return str(error.value)


def test_what_the_server_is_told() -> None:
    (variable,) = revealed(run().one(CONTAINER).inputs["envs"])
    name, _, value = variable.partition("=")
    assert name == "QUEUE_QUEUES"
    assert json.loads(value) == [
        {
            "name": "webhook.fifo",
            "visibility_timeout": 60,
            "retention": 345_600,
            "dead_letter_queue": "webhook-dead-letters.fifo",
            "max_receives": 20,
        },
        {"name": "webhook-dead-letters.fifo", "visibility_timeout": 60, "retention": 1_209_600},
    ]


def test_urls_are_known_by_name() -> None:
    result = run(names=["webhook", "other"]).result
    assert result["endpoint"] == "http://queue:9324"
    assert result["queue_urls"] == {
        "webhook": "http://queue:9324/000000000000/webhook.fifo",
        "other": "http://queue:9324/000000000000/other.fifo",
    }
    assert result["dead_letter_urls"]["webhook"] == "http://queue:9324/000000000000/webhook-dead-letters.fifo"


def test_its_messages_are_on_a_volume() -> None:
    recorded = run()
    assert recorded.one("docker:index/volume:Volume").name == "queue-state"
    assert [one["containerPath"] for one in recorded.one(CONTAINER).inputs["volumes"]] == ["/state"]
    mine = run(volume="mine")
    assert mine.all("docker:index/volume:Volume") == [] and mine.result["volume_name"] == "mine"


def test_it_is_healthy_when_it_answers_and_private_unless_published() -> None:
    inputs = run().one(CONTAINER).inputs
    assert inputs["healthcheck"]["tests"] == ["CMD", "python3", "-m", "queue_server.health"] and inputs["wait"]
    assert "ports" not in inputs and inputs["readOnly"] and inputs["user"] == "1000:1000"
    assert run(published_port=19324).one(CONTAINER).inputs["ports"] == [
        {"internal": 9324, "external": 19324, "ip": "127.0.0.1", "protocol": "tcp"}
    ]


def test_on_aws_it_is_refused() -> None:
    said = refused(host={"fargate": fargate_case.HOST})
    assert said == "local queue 'queue': host.fargate: the local queue is for the docker host; on AWS use SQS queues in its place"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"names": []}, "names=[]: give at least one name"),
        ({"names": ["webhook.fifo"]}, "names='webhook.fifo': use 1 to 62 letters"),
        ({"names": ["a" * 63]}, "use 1 to 62 letters"),
        ({"names": ["a", "a"]}, "names=['a', 'a']: has a name twice"),
        ({"memory": 300}, "memory=300: with cpu=256 use one of 512"),
        ({"name": ["a"]}, "name: no such argument; did you mean names?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_created(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(**changes)
