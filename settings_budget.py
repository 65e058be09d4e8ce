"""Shares of the calls a minute that Alpaca counts for an account, whichever of the stack's services makes them."""

from typing import TYPE_CHECKING

from settings_section import BEANCLEANER, PROJECT, PURRSTREAM, WEBHOOK, block_of

if TYPE_CHECKING:
    from settings import Settings

# https://docs.alpaca.markets/docs/about-trading-api; it allows some accounts more.
PER_MINUTE = 200
# Of a service that says nothing of its own, where it is not the only one of its account. Orders come first; bars are mostly streamed.
SHARES = {WEBHOOK: 110, BEANCLEANER: 60, PURRSTREAM: 30}


def budget(settings: "Settings", name: str) -> dict[str, int]:
    """requests_per_minute of the block `name` (webhook, beancleaner, purrstream), as its component has it; empty where the image's default fits."""
    given = block_of(settings, name).requests_per_minute
    if given is not None:
        return {"requests_per_minute": given}
    together = next((group for group in _accounts(settings) if name in group), [])
    return {"requests_per_minute": SHARES[name]} if len(together) > 1 else {}


def budget_warnings(settings: "Settings") -> list[str]:
    """Accounts whose services may ask for more than Alpaca allows."""
    warnings = []
    for group in _accounts(settings):
        # One alone that says nothing keeps within what its image takes.
        shares = {name: budget(settings, name).get("requests_per_minute", 0) for name in group}
        if sum(shares.values()) > PER_MINUTE:
            told = " + ".join(f"{name} {share}" for name, share in shares.items())
            warnings.append(
                f"{PROJECT}:{group[0]}.requestsPerMinute: {told} = {sum(shares.values())} calls a minute of one account, and Alpaca allows {PER_MINUTE}: "
                f"beyond that it refuses orders too; give shares that fit, unless Alpaca allows your account more"
            )
    return warnings


def _accounts(settings: "Settings") -> list[list[str]]:
    """Services by the account of their key; none at the stack's own paper broker, which counts as it is told."""
    if settings.alpaca_paper is not None:
        return []
    found: dict[str, list[str]] = {}
    for name in SHARES:
        if block_of(settings, name) is not None:
            found.setdefault(_key(settings, name), []).append(name)
    return list(found.values())


def _key(settings: "Settings", name: str) -> str:
    if settings.webhook is not None and settings.webhook.secret_arn:
        # The webhook's can't be read, and the others' are of its account.
        return ""
    own = settings.secrets.get(name, {}).get("brokerKey")
    return own or settings.secrets.get(WEBHOOK, {}).get("brokerKey", "")
