"""What trading an alert needs, in one place."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from botkit.alpaca_clock import MarketTime

from slanger.execute.account import LiveAccount
from slanger.execute.assets import Assets
from slanger.execute.broker import Broker
from slanger.execute.gate import Gate
from slanger.execute.limit_settings import Defaults, ServerLimits
from slanger.execute.reconcile import Reconciler
from slanger.execute.stopping import Stop


@dataclass(frozen=True, kw_only=True)
class Desk:
    broker: Broker
    account: LiveAccount
    reconciler: Reconciler
    market: MarketTime
    assets: Assets
    aristocrats: Callable[[], Awaitable[frozenset[str] | None]]
    """None: the list can't be read."""
    gate: Gate
    stop: Stop
    limits: ServerLimits
    defaults: Defaults
    max_delay: int
    """Seconds after which an alert isn't traded any more."""
