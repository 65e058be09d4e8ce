"""What a task costs: Fargate's prices of us-east-1 times its size, for 30 days. On Docker: what the same task would cost on AWS."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .task import TaskSpec

# The one price table of the project; `make cost` prices whole stacks by it.
PRICE_FILE = Path(__file__).with_name("prices.toml")
FREE_EPHEMERAL_GIB = 20
DEFAULT_ARCHITECTURE = "arm64"  # a fifth cheaper than amd64 for the same vCPU


def monthly_cost(spec: TaskSpec, public_address: bool = False) -> float:
    """USD for 30 days of `spec.desired_count` tasks: vCPU, memory, scratch space beyond what is free, a public IPv4 address each if they get one.

    Source of the prices: `prices.toml`. Not in it: what is used of volumes, logs, secrets and traffic (`make cost` estimates those).
    """
    platform = "fargate_arm" if (spec.architecture or DEFAULT_ARCHITECTURE) == "arm64" else "fargate_x86"
    capacity = "_spot" if spec.spot else ""
    amounts = {
        f"{platform}{capacity}_vcpu_hour": spec.cpu / 1024,
        f"{platform}{capacity}_gb_hour": spec.memory / 1024,
        "fargate_ephemeral_gb_hour": max(0, (spec.ephemeral_storage or 0) - FREE_EPHEMERAL_GIB),
        "public_ipv4_hour": 1 if public_address else 0,
    }
    prices = prices_of_30_days()
    return spec.desired_count * sum(amount * prices[name] for name, amount in amounts.items())


@cache
def prices_of_30_days() -> Mapping[str, float]:
    """Price name -> USD for one unit over the table's period of 30 days: an hour's price times its hours, any other as it is."""
    table = tomllib.loads(PRICE_FILE.read_text())
    return {name: entry["usd"] * (table["hours"] if name.endswith("_hour") else 1) for name, entry in table["prices"].items()}
