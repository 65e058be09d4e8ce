"""The logs of the local stack: a line of each container is in Loki, by service and text, within 10 s of being written."""

import functools
import json
import time
from typing import Any

import docker
import pytest

from tests.local.conftest import Checkout
from tests.local.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.engine]

# Asked from inside Loki's container: it is on the private network only.
QUERY = """
import json, sys, urllib.parse, urllib.request
query = urllib.parse.urlencode({"query": sys.argv[1], "limit": "10"})
asked = urllib.request.Request("http://127.0.0.1:3100/loki/api/v1/query_range?" + query, headers={"X-Scope-OrgID": "tradestack"})
print(json.dumps(json.load(urllib.request.urlopen(asked, timeout=10))["data"]["result"]))
"""


def routed(engine: docker.DockerClient, stack: Checkout) -> list[Any]:
    """Containers of the stack whose lines go to the log router."""
    names = [name for kind, name in stack.owned() if kind == "container"]
    containers = [engine.containers.get(name) for name in names]
    return [one for one in containers if one.attrs["HostConfig"]["LogConfig"]["Type"] == "fluentd"]


def found(loki: Any, query: str) -> list[dict[str, Any]]:
    done = loki.exec_run(["python3", "-c", QUERY, query])
    assert done.exit_code == 0, done.output.decode()
    return json.loads(done.output)


def test_the_last_line_of_every_container_is_in_loki(local_stack: Checkout, engine: docker.DockerClient) -> None:
    containers = routed(engine, local_stack)
    names = [name for kind, name in local_stack.owned() if kind == "container"]
    loki = engine.containers.get(next(name for name in names if "-loki" in name))
    assert {"sample"} <= {one.labels["tradestack.task"] for one in containers}
    for container in containers:
        task = container.labels["tradestack.task"]
        lines = container.logs(tail=1).decode(errors="replace").splitlines()
        if not lines:
            continue
        line = json.loads(lines[0])
        assert {"time", "level", "service", "message"} <= set(line), f"{task}: {lines[0]}"
        text = json.dumps(lines[0][:200], ensure_ascii=False)
        started = time.monotonic()
        query = f'{{service="{task}"}} |= {text}'
        streams = wait_for(f"{task}'s last line", functools.partial(found, loki, query), deadline=10)
        assert time.monotonic() - started < 10
        bot = container.labels.get("tradestack.bot")
        assert {stream["stream"].get("bot") for stream in streams} == {bot}
