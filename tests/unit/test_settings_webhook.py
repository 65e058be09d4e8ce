"""The webhook's part of a stack's configuration: mistakes with their keys, two settings for real money, never a secret's value."""

import copy
from typing import Any

import pytest

from settings import ConfigurationError, parse

LIMITS = {"account": {"orderNotional": 500, "notionalPerDay": 5000, "ordersPerDay": 50, "lossPerDay": 200}}
SECRETS = {"signingKey": "hush" * 10, "brokerKey": "hush-key", "brokerSecret": "hush-secret"}
LOCAL: dict[str, Any] = {
    "host": "docker",
    "alpacaPaper": {},
    "webhook": {"broker": "alpaca-paper", "account": "paper", "publishedPort": 18082, "limits": LIMITS},
    "secrets": {"webhook": SECRETS},
}
AWS: dict[str, Any] = {
    "host": "fargate",
    "webhook": {"broker": "alpaca", "account": "paper", "limits": LIMITS, "ingress": "http-api"},
    "secrets": {"webhook": SECRETS},
}


def mistakes(base: dict[str, Any], change: Any) -> str:
    raw = copy.deepcopy(base)
    change(raw)
    with pytest.raises(ConfigurationError) as error:
        parse(raw, "dev")
    return str(error.value)


def webhook(**changes: Any) -> Any:
    return lambda raw: raw["webhook"].update(changes)


@pytest.mark.parametrize("base", [LOCAL, AWS])
def test_a_stack_may_have_a_webhook_and_no_bot(base: dict[str, Any]) -> None:
    settings = parse(copy.deepcopy(base), "dev")
    given = settings.webhook.arguments(settings)
    assert given["limits"]["account"] == {"order_notional": 500, "notional_per_day": 5000, "orders_per_day": 50, "loss_per_day": 200}
    assert set(given["secrets"]) == {"signing_key", "broker_key", "broker_secret"}
    assert given["mode"] == "paper", "play money unless somebody says otherwise"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        (LOCAL, lambda raw: raw.pop("webhook"), "tradestack:alpacaPaper: there is no tradestack:webhook"),
        (LOCAL, lambda raw: (raw.pop("webhook"), raw.pop("alpacaPaper"), raw.pop("secrets")), "tradestack:bots=[]: nothing would run"),
        (LOCAL, lambda raw: raw.pop("alpacaPaper"), "webhook.broker='alpaca-paper': there is none; add tradestack:alpacaPaper"),
        (LOCAL, webhook(broker="alpaca"), "tradestack:alpacaPaper: the webhook's broker is alpaca"),
        (LOCAL, webhook(broker="robinhood"), "tradestack:webhook.broker='robinhood'"),
        (LOCAL, lambda raw: raw["webhook"].pop("limits"), "tradestack:webhook.limits: is missing"),
        (LOCAL, lambda raw: raw["webhook"].pop("account"), "tradestack:webhook.account: is missing"),
        (LOCAL, webhook(account="My Account"), "tradestack:webhook.account='My Account'"),
        (
            LOCAL,
            webhook(limits={"account": {**LIMITS["account"], "lossPerDay": None}}),
            "tradestack:webhook.limits.account.lossPerDay: is missing; without it nothing bounds the account",
        ),
        (
            LOCAL,
            webhook(limits={"account": {**LIMITS["account"], "orderNotional": -5}}),
            "tradestack:webhook.limits.account.orderNotional=-5",
        ),
        (LOCAL, webhook(limits={**LIMITS, "alow": 1}), "tradestack:webhook.limits.alow=1: unknown key"),
        (LOCAL, webhook(defaults={"risk": 500}), "tradestack:webhook.defaults.risk=500"),
        (LOCAL, webhook(ingress="http-api"), "tradestack:webhook.ingress='http-api': Docker has none"),
        (LOCAL, webhook(authentication=["source-ip"]), "tradestack:webhook.authentication=source-ip: nobody trusted says"),
        (LOCAL, webhook(authentication=["password"]), "tradestack:webhook.authentication[0]='password'"),
        (LOCAL, webhook(replayWindow=0), "tradestack:webhook.replayWindow=0"),
        (LOCAL, webhook(mode="live", liveAccount="1"), "webhook.mode='live': the paper broker has no real money"),
        (LOCAL, webhook(secretArn="arn:x"), "webhook.secretArn: Docker can't read Secrets Manager"),
        (
            LOCAL,
            lambda raw: raw["secrets"]["webhook"].pop("brokerKey"),
            "secrets.webhook.brokerKey: is missing; run `make secrets STACK=dev`",
        ),
        (LOCAL, lambda raw: raw["secrets"]["webhook"].update(token="hush"), "tradestack:secrets.webhook.token: unknown key"),
        (LOCAL, lambda raw: raw["secrets"]["webhook"].update(signingKey="hush"), "secrets.signingKey: is shorter than 32 characters"),
        (LOCAL, lambda raw: raw["secrets"]["webhook"].update(previousSigningKey=""), "secrets.previousSigningKey: is shorter than 32"),
        (LOCAL, lambda raw: raw["secrets"]["webhook"].update(signingKey="hush " * 10), "secrets.signingKey: is shorter than 32"),
        (LOCAL, lambda raw: raw.update(exchangeReplay={"publishedPort": 18082}), "publishedPort=18082 is claimed 2 times"),
        (AWS, lambda raw: raw["secrets"]["webhook"].pop("brokerKey"), "brokerKey: is missing; it comes from Alpaca's website: run `pulumi"),
        (AWS, lambda raw: raw["secrets"]["webhook"].pop("signingKey"), "signingKey: is missing; run `make secrets STACK=dev`"),
        (AWS, webhook(publishedPort=18082), "publishedPort=18082: Fargate publishes nothing; use ingress"),
        (AWS, webhook(ingress="alb"), "tradestack:webhook.ingress='alb' and alb: the load balancer needs both"),
        (AWS, webhook(ingress="alb", alb={"certificateArn": "arn:x"}), "tradestack:network.zones=1: a load balancer needs two"),
        (AWS, webhook(mode="live"), "tradestack:webhook.mode and liveAccount: real money needs both"),
        (AWS, webhook(liveAccount="123"), "tradestack:webhook.mode and liveAccount: real money needs both"),
        (AWS, webhook(mode="live", liveAccount="123"), "tradestack:cluster.alarmEmail: is missing and the webhook trades real money"),
        (AWS, webhook(secretArn="arn:aws:secretsmanager:x"), "tradestack:secrets.webhook: the webhook has a secretArn too"),
    ],
)
def test_one_mistake(base: dict[str, Any], change: Any, expected: str) -> None:
    message = mistakes(base, change)
    assert expected in message
    assert "hush" not in message


def test_a_bot_can_not_have_the_name_of_a_task_of_the_webhook() -> None:
    bot = {
        "name": "webhook-worker",
        "strategy": "BreakoutStrategy",
        "pairs": ["ETH/USDT"],
        "stakeCurrency": "USDT",
        "stakeAmount": 50,
        "maxOpenTrades": 2,
    }
    assert "name='webhook-worker': the webhook's own task has this name" in mistakes(LOCAL, lambda raw: raw.update(bots=[bot]))


def test_real_money_needs_mode_account_number_and_somebody_who_hears_the_alarm() -> None:
    raw = copy.deepcopy(AWS)
    raw["webhook"].update(mode="live", liveAccount="123456789")
    raw["cluster"] = {"alarmEmail": "me@example.org"}
    assert parse(raw, "prod").webhook.mode == "live"
