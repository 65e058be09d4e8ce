"""The cost of the real program: its plan comes from the real engine, without a state, an account or a secret."""

import copy
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cost_plans import Plan, bot, cluster
from tools.cost import prices
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.preview import config_of, preview
from tools.cost.resources import Bill, bill
from tools.stack.trial import PLACEHOLDER, placeholder_config

PRICES = prices.load()


def tracked(bots: int, egress: str, zones: int = 1) -> dict[str, Any]:
    """The tracked dev stack with this many of its first bot, and this way out."""
    config = copy.deepcopy(config_of("dev")["config"])
    config["tradestack:network"] = {"egress": egress, "zones": zones}
    config["tradestack:cluster"] = {"logRetentionDays": 7}
    config["tradestack:bots"] = [{**config["tradestack:bots"][0], "name": f"bot-{index}"} for index in range(bots)]
    return {"config": config}


def planned(config: dict[str, Any]) -> Bill:
    return bill(from_preview(preview("dev", config, os.environ)))


@pytest.mark.engine
def test_the_tracked_dev_stack_is_priced_whole_and_its_bot_costs_at_most_three_dollars() -> None:
    report = estimate(planned(config_of("dev")), PRICES, "dev")
    assert report["notPriced"] == {}
    assert [row["component"] for row in report["rows"]] == ["FreqtradeBot"] * report["bots"]
    for row in report["rows"]:
        assert row["vcpu"] + row["memory"] + row["storage"] <= 3.00


@pytest.mark.engine
def test_ten_bots_behind_a_nat_instance_cost_at_most_four_dollars_each() -> None:
    report = estimate(planned(tracked(10, "nat-instance")), PRICES, "dev")
    assert (report["bots"], report["notPriced"]) == (10, {})
    assert {round(row["address"], 2) for row in report["rows"]} == {0}
    assert report["egress"]["configured"] == report["egress"]["cheapest"] == "nat-instance"
    assert report["perBot"] <= 4.00


@pytest.mark.engine
def test_the_gateways_of_the_vpc_component_are_seen() -> None:
    report = estimate(planned(tracked(1, "nat-gateway", zones=2)), PRICES, "dev")
    assert report["notPriced"] == {}
    assert report["egress"]["configured"] == "nat-gateway"
    assert {one["what"]: round(one["usd"], 2) for one in report["fixed"]}["NAT gateway"] == 32.40


@pytest.mark.engine
def test_the_plans_that_the_fast_tests_write_by_hand_are_like_the_real_one() -> None:
    plan = Plan()
    cluster(plan, retention=7)
    bot(plan, "bot-0")
    by_hand = bill(from_preview(plan.json()))
    real = planned(tracked(1, "public"))

    def lines(of: Bill) -> list[tuple]:
        return sorted((of.owners[item.owner].name, item.column, item.price, item.quantity, str(item.assumption)) for item in of.items)

    assert lines(real) == lines(by_hand)
    assert real.by_use == by_hand.by_use


@pytest.mark.engine
def test_a_mistake_in_the_configuration_is_what_the_program_says() -> None:
    config = tracked(1, "public")
    config["config"]["tradestack:bots"][0]["strategy"] = "NoSuchStrategy"
    with pytest.raises(prices.CostError, match="NoSuchStrategy"):
        planned(config)


def test_secrets_are_placeholders_and_the_given_configuration_stays_as_it_was() -> None:
    config = tracked(3, "public")
    config["encryptionsalt"] = "v1:salt"
    config["config"]["tradestack:secrets"] = {
        "bot-0": {"apiPassword": {"secure": "v1:cipher"}},
        "gone": {"apiPassword": {"secure": "v1:other"}},
    }
    config["config"]["tradestack:cluster"]["alarmEmail"] = {"secure": "v1:mail"}
    config["config"]["tradestack:bots"][1]["dryRun"] = False
    config["config"]["tradestack:bots"][2]["secretArn"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mine"
    before = copy.deepcopy(config)
    made = placeholder_config(config)
    assert config == before
    assert "v1:" not in str(made)
    secrets = made["config"]["tradestack:secrets"]
    assert set(secrets) == {"bot-0", "bot-1"}
    assert set(secrets["bot-0"]) == {"apiUsername", "apiPassword", "jwtSecretKey", "wsToken"}
    assert set(secrets["bot-1"]) == set(secrets["bot-0"]) | {"exchangeKey", "exchangeSecret"}
    assert {value for own in secrets.values() for value in own.values()} == {PLACEHOLDER}
    assert made["config"]["tradestack:cluster"]["alarmEmail"] == PLACEHOLDER


def test_a_failing_or_missing_cli_is_one_sentence(tmp_path: Path) -> None:
    # The child's PATH decides what is found, so that nothing of this machine's is run.
    with pytest.raises(prices.CostError, match="pulumi is not on PATH"):
        preview("dev", tracked(1, "public"), {"PATH": str(tmp_path)})
    cli = tmp_path / "pulumi"
    cli.write_text(
        '#!/bin/sh\n[ "$1" = stack ] && exit 0\necho \'{"diagnostics": [{"severity": "error", "message": "broken thing"}]}\'\nexit 255\n'
    )
    cli.chmod(0o755)
    with pytest.raises(prices.CostError, match="pulumi preview failed:\nbroken thing"):
        preview("dev", tracked(1, "public"), {"PATH": str(tmp_path)})
