"""One stack transformation that tags every AWS resource with project, stack, component and bot."""

from typing import Optional

import pulumi

# Components whose name is the name of a bot or service that people pay for and look for in a bill.
_STACK_LEVEL = frozenset({"Network", "BotCluster", "LocalCluster"})

# The one type used here whose tags are a list; each says whether the instances get it too.
_TAGS_ARE_A_LIST = "aws:autoscaling/group:Group"


def tag_resources(project: str, stack: str) -> None:
    """Register the transformation; call it before the first resource. Tags that a resource sets itself win."""

    def add_tags(args: pulumi.ResourceTransformationArgs) -> Optional[pulumi.ResourceTransformationResult]:
        if not args.type_.startswith(("aws:", "awsx:")) or "tags" not in args.props:
            return None
        tags = {"project": project, "stack": stack}
        component = _component(args.opts.parent)
        if component is not None:
            kind = type(component).__name__
            tags["component"] = kind
            if kind not in _STACK_LEVEL:
                tags["bot"] = component._name
        merged = _merged_list if args.type_ == _TAGS_ARE_A_LIST else _merged
        return pulumi.ResourceTransformationResult({**args.props, "tags": merged(tags, args.props["tags"])}, args.opts)

    pulumi.runtime.register_stack_transformation(add_tags)


def _component(resource: Optional[pulumi.Resource]) -> Optional[pulumi.Resource]:
    """The nearest component of this library."""
    if isinstance(resource, pulumi.ComponentResource) and resource._type.startswith("tradestack:"):
        return resource
    return None


def _merged(tags: dict[str, str], own: object) -> object:
    if own is None:
        return tags
    if isinstance(own, pulumi.Output):
        return own.apply(lambda known: {**tags, **known})
    return {**tags, **own}


def _merged_list(tags: dict[str, str], own: object) -> list[object]:
    given = list(own or [])  # type: ignore[call-overload]
    return [{"key": key, "value": value, "propagate_at_launch": True} for key, value in tags.items()] + given
