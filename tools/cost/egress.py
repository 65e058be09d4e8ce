"""Which way out to the internet is cheapest for this many tasks: an address each, a NAT instance, or a NAT gateway."""

from collections.abc import Mapping
from typing import Any

from tools.cost.prices import Prices
from tools.cost.resources import Bill

MOST_TASKS = 1000
"""Up to here it is looked for where another way becomes cheapest."""


def costs(tasks: int, prices: Prices, instances: int = 1, gateways: int = 1, disk_gb: float | None = None) -> dict[str, float]:
    """USD for 30 days of each way, for `tasks` tasks. Traffic to the internet itself costs the same on all three and is left out."""
    address = prices.month("public_ipv4_hour")
    disk = prices.month("ebs_gp3_gb_month") * (prices.assumed("nat_disk_gb") if disk_gb is None else disk_gb)
    traffic = prices.assumed("traffic_in_gb") + prices.assumed("traffic_out_gb")
    return {
        "public": tasks * address,
        "nat-instance": instances * (prices.month("ec2_t4g.nano_hour") + disk + address),
        "nat-gateway": gateways * (prices.month("nat_gateway_hour") + address) + tasks * traffic * prices.month("nat_gateway_gb"),
    }


def cheapest(of: Mapping[str, float]) -> str:
    return min(of, key=lambda way: of[way])


def compare(bill: Bill, prices: Prices) -> dict[str, Any]:
    """The stack's own way and the three costs for its number of tasks; `changes`: from how many tasks on which way is cheapest."""
    tasks = sum(task.count for task in bill.tasks)
    machines = [item for item in bill.items if item.price.startswith("ec2_")]
    gateways = [item for item in bill.items if item.price == "nat_gateway_hour"]
    disks = [item for item in bill.items if item.label == "instance's disk" and item.assumption is None]
    instances = int(sum(item.quantity for item in machines))
    setup = {"instances": instances or 1, "gateways": len(gateways) or 1,
             "disk_gb": sum(item.quantity for item in disks) / instances if disks and instances else None}  # fmt: skip
    configured = (
        "nat-gateway" if gateways else "nat-instance" if machines else "public" if any(t.public_address for t in bill.tasks) else "none"
    )
    ways = costs(tasks, prices, **setup)
    changes, before = [], None
    for count in range(1, MOST_TASKS + 1):
        best = cheapest(costs(count, prices, **setup))
        if best != before:
            changes.append({"from": count, "egress": best})
        before = best
    return {"configured": configured, "tasks": tasks, "usd": ways, "cheapest": cheapest(ways) if tasks else configured, "changes": changes}
