"""Descriptions of security groups, their rules and network interfaces: EC2 refuses characters that other services take, quotes among them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.bot_cluster import BotCluster
from components.network import Egress, Network
from tests.unit.fargate_case import HTTP_API, LOAD_BALANCER, run, task
from tests.unit.pulumi_mocks import Run, deploy

# EC2 API reference, CreateSecurityGroup (in a VPC) and IpRange.
ALLOWED = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def descriptions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "description" in value:
            yield value["description"]
        for part in value.values():
            yield from descriptions(part)
    elif isinstance(value, list):
        for part in value:
            yield from descriptions(part)


def declared() -> Iterator[Run]:
    yield deploy(lambda: BotCluster("main", {"vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}))
    yield run(task(port=8080, http_api=HTTP_API))
    yield run(task(port=8080, load_balancer=LOAD_BALANCER))
    for egress in Egress:
        yield deploy(lambda egress=egress: Network("net", {"zones": 2, "egress": egress}))


def test_ec2_takes_every_description():
    found = [
        (one.name, text)
        for made in declared()
        for one in made.resources
        if one.type.startswith(("aws:ec2/", "aws:vpc/"))
        for text in descriptions(one.inputs)
    ]
    assert len(found) >= 8
    assert [(name, text) for name, text in found if not ALLOWED.fullmatch(text)] == []


@pytest.mark.parametrize("text", ["the cluster's tasks", "a -> b", "größer", "", "x" * 256])
def test_what_ec2_refuses(text):
    assert not ALLOWED.fullmatch(text)
