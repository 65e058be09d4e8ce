"""The address layout of awsx.ec2.Vpc: which subnet of which zone gets which block.

`Legacy` (the default) puts a zone's private subnets first, then public, then isolated ones; `Auto` and `Exact` keep the order of the specs.
Follows the behaviour of pulumi-awsx 3 (awsx/ec2/subnetDistributor*.ts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any

ORDER = ("Public", "Private", "Isolated")
LEGACY_MASKS = {"Private": 19, "Public": 20, "Isolated": 24}


@dataclass(frozen=True)
class Subnet:
    name: str
    """Logical name of the resources."""
    tag: str
    """The Name tag at AWS."""
    type: str
    """Public, Private, Isolated or Unused."""
    zone: str
    cidr: IPv4Network
    tags: Any = None


def layout(name: str, args: Mapping[str, Any], zones: Sequence[str], cidr: IPv4Network) -> list[Subnet]:
    """Subnets of a VPC. Raises ValueError that says which of the component's inputs don't fit."""
    strategy, specs = args.get("subnetStrategy") or "Legacy", args.get("subnetSpecs")
    specs = [_normalized(spec, index) for index, spec in enumerate(specs)] if specs is not None else None
    if specs is not None and not specs:
        raise ValueError("subnetSpecs: an empty list; leave it out for one private and one public subnet in every zone")
    if strategy == "Legacy":
        blocks = _default_legacy(cidr, len(zones)) if specs is None else _legacy(cidr, len(zones), specs)
    elif specs and any(spec.get("cidrBlocks") for spec in specs):
        blocks = _explicit(specs, len(zones))
    else:
        blocks = _in_order(cidr, len(zones), specs, args.get("availabilityZoneCidrMask"))
    by_zone = args.get("subnetNameTagStrategy") == "AvailabilityZone"
    made = []
    for zone, block, spec in blocks:
        prefix = f"{name}-{spec.get('name') or spec['type'].lower()}"
        # us-east-1a -> 1a: what is left without the words of the region.
        suffix = "-".join(zones[zone].split("-")[2:]) if by_zone else str(zone + 1)
        made.append(Subnet(f"{prefix}-{zone + 1}", f"{prefix}-{suffix}", spec["type"], zones[zone], block, spec.get("tags")))
    _check(made, cidr, exact=strategy == "Exact")
    return made


Blocks = list[tuple[int, IPv4Network, Mapping[str, Any]]]
"""Zone index, block, spec."""


def _default_legacy(cidr: IPv4Network, zones: int) -> Blocks:
    bases = [_block(int(cidr.network_address), cidr.prefixlen + _bits(zones), zone) for zone in range(zones)]
    private = [_block(int(base.network_address), base.prefixlen + 1) for base in bases]
    public = [_block(int(block.broadcast_address) + 1, block.prefixlen + 1) for block in private]
    return [
        *((zone, block, {"type": "Private"}) for zone, block in enumerate(private)),
        *((zone, block, {"type": "Public"}) for zone, block in enumerate(public)),
    ]


def _legacy(cidr: IPv4Network, zones: int, specs: Sequence[Mapping[str, Any]]) -> Blocks:
    blocks: Blocks = []
    for zone in range(zones):
        base = _block(int(cidr.network_address), cidr.prefixlen + _bits(zones), zone)
        start, last = int(base.network_address), None
        for kind in ("Private", "Public", "Isolated"):
            of_kind = [spec for spec in specs if spec["type"] == kind]
            # Each type starts after the type before it; a single subnet may take the zone's whole block.
            start = int(last.broadcast_address) + 1 if last else start
            for index, spec in enumerate(of_kind):
                mask = spec.get("cidrMask") or max(base.prefixlen + (len(specs) > 1), LEGACY_MASKS[kind])
                block = _block(start, mask, index)
                if last and block.overlaps(last):
                    block = _after(last, mask)
                blocks.append((zone, block, spec))
                last = block
    return blocks


def _in_order(cidr: IPv4Network, zones: int, specs: Sequence[Mapping[str, Any]] | None, zone_mask: float | None) -> Blocks:
    mask = int(zone_mask) if zone_mask else cidr.prefixlen + _bits(zones)
    if specs is None:
        if mask > 26:
            raise ValueError(
                f"cidrBlock={str(cidr)!r} leaves a /{mask} for each zone; default subnets need /26: give subnetSpecs or a larger block"
            )
        specs = [{"type": "Private", "cidrMask": max(mask, 16) + 1}, {"type": "Public", "cidrMask": max(mask, 16) + 2}]
    masks = [spec.get("cidrMask") or mask + _bits(len(specs)) for spec in specs]
    if sum(2 ** (32 - m) for m in masks) > 2 ** (32 - mask):
        raise ValueError(
            f"subnetSpecs need {sum(2 ** (32 - m) for m in masks)} addresses in each zone, which has {2 ** (32 - mask)}: "
            "use larger cidrMask values, fewer zones or a larger cidrBlock"
        )
    blocks: Blocks = []
    for zone in range(zones):
        last = None
        for spec, m in zip(specs, masks):
            last = _after(last, m) if last else _block(int(_block(int(cidr.network_address), mask, zone).network_address), m)
            blocks.append((zone, last, spec))
    return blocks


def _explicit(specs: Sequence[Mapping[str, Any]], zones: int) -> Blocks:
    for index, spec in enumerate(specs):
        if len(spec.get("cidrBlocks") or ()) != zones:
            raise ValueError(f"subnetSpecs[{index}].cidrBlocks: give one block for each of the {zones} zones, in every spec")
    return [(zone, IPv4Network(spec["cidrBlocks"][zone]), spec) for zone in range(zones) for spec in specs]


def _normalized(spec: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    mask, size = spec.get("cidrMask"), spec.get("size")
    if size is not None:
        from_size = 33 - int(size).bit_length()
        if 2 ** (32 - from_size) != size or (mask is not None and int(mask) != from_size):
            raise ValueError(f"subnetSpecs[{index}].size={size:g}: use a power of two that agrees with cidrMask")
        mask = from_size
    return {**spec, "cidrMask": int(mask) if mask is not None else None}


def _check(subnets: Sequence[Subnet], cidr: IPv4Network, exact: bool) -> None:
    ordered = sorted(subnets, key=lambda subnet: subnet.cidr)
    for left, right in pairwise(ordered):
        if left.cidr.overlaps(right.cidr):
            raise ValueError(
                f"subnets {left.name} ({left.cidr}) and {right.name} ({right.cidr}) overlap: "
                "use a larger cidrBlock, smaller subnets or fewer zones"
            )
        if exact and int(left.cidr.broadcast_address) + 1 != int(right.cidr.network_address):
            raise ValueError(
                f"subnetStrategy Exact leaves no gap, but there is one between {left.cidr} and {right.cidr}: add an Unused spec"
            )
    ends = (ordered[0].cidr.network_address, ordered[-1].cidr.broadcast_address)
    if exact and ends != (cidr.network_address, cidr.broadcast_address):
        raise ValueError(
            f"subnetStrategy Exact covers the whole of {cidr}, but the subnets go from {ends[0]} to {ends[1]}: add an Unused spec"
        )


def _block(start: int, mask: int, index: int = 0) -> IPv4Network:
    if mask > 32:
        raise ValueError(f"a /{mask} block doesn't exist: use a larger cidrBlock, larger subnets or fewer zones")
    return IPv4Network((start + index * 2 ** (32 - mask), mask), strict=False)


def _after(last: IPv4Network, mask: int) -> IPv4Network:
    """The first block of this size behind the last one, aligned to its own size."""
    return _block(int(IPv4Network((int(last.broadcast_address), mask), strict=False).broadcast_address) + 1, mask)


def _bits(count: int) -> int:
    return (count - 1).bit_length()
