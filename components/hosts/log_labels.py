"""What a task's log lines are found by in Loki, the same on both hosts: few values, so that Loki keeps few streams."""

import pulumi

from ..task import TaskSpec

LOKI_TENANT = "tradestack"
# Components whose tasks are bots. Others say so with a tag `bot`.
BOTS = frozenset({"FreqtradeBot"})


def log_labels(spec: TaskSpec) -> dict[str, str]:
    """`stack`, `service` (the task's name) and, for a bot, `bot`."""
    bot = spec.tags.get("bot") or (spec.name if spec.component in BOTS else None)
    return {"stack": pulumi.get_stack(), "service": spec.name, **({"bot": bot} if bot else {})}
