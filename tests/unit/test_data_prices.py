"""What keeps data is priced: S3 by an assumption, ElastiCache by the node, Timestream by the instance; without a price it is said so."""

import pytest

from components.task_cost import prices_of_30_days
from tests.unit.cost_plans import Plan, bot
from tools.cost import prices
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.resources import bill

GROUP, INSTANCE = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:timestreaminfluxdb/dbInstance:DbInstance"
PRICES = prices.load()


def report(plan: Plan) -> dict:
    return estimate(bill(from_preview(plan.json())), PRICES, "test")


def fixed(plan: Plan) -> dict[str, float]:
    return {one["what"]: one["usd"] for one in report(plan)["fixed"]}


def test_a_bucket_is_priced_by_what_it_is_assumed_to_hold_and_its_rules_cost_nothing() -> None:
    plan = Plan()
    owner = plan.add("tradestack:index:TimeseriesStack", "data")
    plan.add("aws:s3/bucket:Bucket", "data-loki-chunks", parent=owner)
    for kind in ("bucketPolicy", "bucketPublicAccessBlock", "bucketServerSideEncryptionConfiguration", "bucketLifecycleConfiguration"):
        plan.add(f"aws:s3/{kind}:{kind[0].upper()}{kind[1:]}", kind, parent=owner)
    assert fixed(plan) == pytest.approx({"bucket": 0.023, "bucket's requests": 0.1})
    assert report(plan)["notPriced"] == {} == report(plan)["byUse"]


@pytest.mark.parametrize(("nodes", "usd"), [(1, 9.216), (2, 18.432)])
def test_a_cache_is_priced_by_the_node(nodes: int, usd: float) -> None:
    plan = Plan()
    plan.add(GROUP, "data-redis", {"nodeType": "cache.t4g.micro", "numCacheClusters": nodes})
    plan.add("aws:elasticache/subnetGroup:SubnetGroup", "data-redis")
    assert fixed(plan) == {"cache node cache.t4g.micro": pytest.approx(usd)}


@pytest.mark.parametrize(("deployment", "usd"), [("SINGLE_AZ", 86.4), ("WITH_MULTIAZ_STANDBY", 172.8)])
def test_an_influxdb_is_priced_by_the_instance_and_its_storage_is_named(deployment: str, usd: float) -> None:
    plan = Plan()
    plan.add(INSTANCE, "data-influxdb", {"dbInstanceType": "db.influx.medium", "allocatedStorage": 20, "deploymentType": deployment})
    assert fixed(plan) == {"InfluxDB db.influx.medium": pytest.approx(usd)}
    assert list(report(plan)["notPriced"]) == ["InfluxDB storage (GB)"]


def test_a_size_without_a_price_is_reported_and_never_zero() -> None:
    plan = Plan()
    bot(plan, "sample")
    plan.add(GROUP, "data-redis", {"nodeType": "cache.r7g.large", "numCacheClusters": 1})
    assert report(plan)["notPriced"] == {"cache node cache.r7g.large": 1}


def test_the_library_knows_the_same_prices() -> None:
    known = prices_of_30_days()
    assert known["elasticache_cache.t4g.micro_hour"] == pytest.approx(9.216)
    assert known["s3_gb_month"] == 0.023
