"""EC2 instances in a plan (the NAT instance): the machine, its disk and its public address."""

from collections.abc import Mapping, Sequence

from tools.cost.items import Item
from tools.cost.plan import Planned, first, flag, number

GROUP = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE = "aws:ec2/instance:Instance"
EIP = "aws:ec2/eip:Eip"


def instance_items(machines: Sequence[Planned], resources: Sequence[Planned], owner_of: Mapping[str, Planned]) -> list[Item]:
    """Items of every instance that will run."""
    items: list[Item] = []
    templates = {one.urn: one for one in machines if one.type == TEMPLATE}
    for machine in machines:
        if machine.type == TEMPLATE:
            continue  # costs nothing until a group launches from it
        owner = owner_of[machine.urn].urn
        count, given = 1, machine.inputs
        if machine.type == GROUP:
            count = int(number(given.get("desiredCapacity"), number(given.get("minSize"), 1)))
            template = _template(machine, templates, owner_of)
            given = template.inputs if template else {}
        addresses = _addresses(
            machine.type == GROUP, given, count, sum(1 for one in resources if one.type == EIP and owner_of[one.urn].urn == owner)
        )
        type_ = str(given.get("instanceType"))
        items.append(Item(owner=owner, column="other", label=f"EC2 instance {type_}", price=f"ec2_{type_}_hour", quantity=count))
        size = _disk(machine.type == GROUP, given)
        items.append(
            Item(
                owner=owner,
                column="storage",
                label="instance's disk",
                price="ebs_gp3_gb_month",
                quantity=count * (size or 1),
                assumption=None if size else "nat_disk_gb",
            )
        )
        if addresses:
            items.append(Item(owner=owner, column="address", label="public IPv4 address", price="public_ipv4_hour", quantity=addresses))
    return items


def _template(group: Planned, templates: Mapping[str, Planned], owner_of: Mapping[str, Planned]) -> Planned | None:
    linked = [templates[urn] for urns in group.uses.values() for urn in urns if urn in templates]
    beside = [one for urn, one in templates.items() if owner_of[urn].urn == owner_of[group.urn].urn]
    return next(iter(linked or beside), None)


def _addresses(from_template: bool, given: Mapping, count: int, elastic: int) -> int:
    """Addresses beside the elastic ones, which are items of their own. Without either the subnet's setting decides: counted as one each."""
    wanted = flag((first(given.get("networkInterfaces")) if from_template else given).get("associatePublicIpAddress"))
    if wanted is None:
        return max(0, count - elastic)
    return count if wanted and not elastic else 0


def _disk(from_template: bool, given: Mapping) -> float | None:
    """GB of the root disk; None when the plan leaves it to the machine image."""
    block = first(first(given.get("blockDeviceMappings")).get("ebs")) if from_template else first(given.get("rootBlockDevice"))
    size = number(block.get("volumeSize"), 0)
    return size or None
