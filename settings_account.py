"""The broker account that the services around the market use: the webhook's, with its credentials, or one of their own where there is no webhook."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Optional

import pulumi
from pydantic import Field
from pydantic.alias_generators import to_camel

from components.webhook_args import WebhookMode
from settings_section import PROJECT, WEBHOOK, Section, typed_secret
from settings_webhook import Broker

if TYPE_CHECKING:
    from settings import Settings

CREDENTIALS = ("broker_key", "broker_secret")
KEYS = tuple(map(to_camel, CREDENTIALS))
# For what is checked of a component while the account is the webhook's, whose block checks it, or is missing.
STAND_IN_ACCOUNT = "account"


class AccountSettings(Section):
    """What a block says of its account, in a stack without a webhook; beside a webhook it is the webhook's."""

    account: Optional[str] = None
    mode: Optional[Annotated[WebhookMode, Field(strict=False)]] = None
    live_account: Optional[str] = None

    def access(self, settings: "Settings", name: str) -> dict[str, Any]:
        """account, mode, live_account and secrets (broker_key, broker_secret) as the components have them."""
        source = self if settings.webhook is None else settings.webhook
        own = settings.secrets.get(name, {})
        keys = own if own.get(KEYS[0]) else settings.secrets.get(WEBHOOK, {})
        told = {"account": source.account, "mode": (source.mode or WebhookMode.PAPER).value, "live_account": source.live_account}
        secrets = {key: pulumi.Output.secret(keys[to_camel(key)]) for key in CREDENTIALS}
        return {**{key: value for key, value in told.items() if value is not None}, "secrets": secrets}


def account_mistakes(settings: "Settings", stack: str, name: str) -> list[str]:
    """What is wrong with the account and the credentials of the block `name`."""
    block, webhook, given = getattr(settings, name), settings.webhook, settings.secrets.get(name, {})
    path, secrets = f"{PROJECT}:{name}", f"{PROJECT}:secrets.{name}"
    mistakes = [f"{secrets}.{key}: unknown key; use {', '.join(KEYS)}" for key in sorted(set(given) - set(KEYS))]
    if webhook is None and not block.account:
        mistakes.append(f"{path}.account: is missing; there is no {PROJECT}:{WEBHOOK} whose account it would use: name it, e.g. paper")
    if webhook is None and (block.mode == WebhookMode.LIVE) != (block.live_account is not None):
        mistakes.append(
            f"{path}: mode and liveAccount: real money needs both, mode=live and liveAccount=<number of the account>; play money neither"
        )
    for key in ("account", "mode", "live_account") if webhook is not None else ():
        if getattr(block, key) is not None:
            mistakes.append(f"{path}.{to_camel(key)}: is the webhook's ({PROJECT}:{WEBHOOK}.{to_camel(key)}); leave it out")
    if webhook is not None and webhook.broker == Broker.ALPACA_PAPER and given:
        mistakes.append(f"{secrets}: the stack's own paper broker knows one key, the webhook's; remove it")
    elif needs_own_credentials(webhook and webhook.secret_arn, webhook is not None) or set(given) & set(KEYS):
        mistakes += [f"{secrets}.{key}: is missing; {_source(stack, settings, f'{secrets}.{key}')}" for key in KEYS if not given.get(key)]
    return mistakes


def needs_own_credentials(secret_arn: Any, has_webhook: bool) -> bool:
    """Whether there are none of the webhook's that the program can read."""
    return not has_webhook or bool(secret_arn)


def account_placeholders(webhook: Any, tracked: Mapping[str, Any], text: str) -> dict[str, str]:
    """Credentials of a block for a preview without the real ones: those that it needs, and those that its stack has set. `webhook` and `tracked` are
    the webhook's block and the block's secrets as they stand in the configuration."""
    has = isinstance(webhook, Mapping)
    needed = needs_own_credentials(has and webhook.get("secretArn"), has) or bool(tracked)
    return dict.fromkeys(KEYS, text) if needed else {}


def _source(stack: str, settings: "Settings", path: str) -> str:
    why = "the webhook's is in its secretArn, which the program can't read, so " if settings.webhook is not None else ""
    return f"{why}it comes from Alpaca's website: {typed_secret(stack, path)}"
