"""Ingress: how requests from the internet reach a task, as plain data. Without one, only the host's own tasks do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import pulumi


@dataclass(frozen=True, kw_only=True)
class HttpApi:
    """An API Gateway HTTP API in front of the task: HTTPS without a domain, no hourly price."""

    paths: tuple[str, ...]
    """POST requests to these paths are passed on; everything else is answered 404 before it costs the task anything."""
    source_ip_header: str
    """Header that the API overwrites with the caller's address, so that no caller can forge it."""
    requests_per_second: int = 100
    """More in the long run are answered 429: a flood of requests costs a bounded amount."""
    burst: int = 1000
    """This many may come at once: every alert of a chart fires when its bar closes."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """An Application Load Balancer in front of the task: HTTPS on port 443 with a certificate of your own."""

    paths: tuple[str, ...]
    """POST requests to these paths are passed on; everything else is answered 404."""
    certificate_arn: pulumi.Input[str]
    """ACM certificate."""
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Subnets with a route to the internet, in two zones or more."""
    source_ips: tuple[str, ...]
    """Addresses or CIDRs that may connect."""
    health_path: str
    """GET answers 200 when a task can take requests."""
    trust_store_arn: Optional[pulumi.Input[str]] = None
    """Mutual TLS: clients without a certificate of this trust store are turned away."""
    protect: bool = False
    """Refuse to delete it."""
