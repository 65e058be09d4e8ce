"""TimeseriesStack on Docker: each store a single writer on a volume of its own, logs through the router, nothing published unasked."""

import pytest

from tests.unit.pulumi_mocks import is_secret
from tests.unit.timeseries_case import CONTAINER, DOCKER, HISTORY, SECRETS, container, environment, run

TASKS = ("data-influxdb", "data-log-router", "data-loki", "data-redis")


def test_its_tasks_and_their_names() -> None:
    declared = run(DOCKER)
    assert sorted(one.name.removesuffix("-container") for one in declared.all(CONTAINER)) == sorted(TASKS)
    assert sorted(declared.result["services"]) == sorted(declared.result["logs"]) == sorted(TASKS)
    assert declared.result["services"]["data-redis"] == "data-redis-container"
    assert [container(declared, task)["networksAdvanced"][0]["aliases"] for task in TASKS] == [[task] for task in TASKS]


def test_each_store_has_a_volume_of_its_own_and_the_routers_is_no_store() -> None:
    declared = run(DOCKER)
    assert sorted(volume.name for volume in declared.all("docker:index/volume:Volume")) == sorted(f"{task}-data" for task in TASKS)
    mounts = {task: [volume["containerPath"] for volume in container(declared, task)["volumes"]] for task in TASKS}
    assert mounts == {
        "data-influxdb": ["/var/lib/influxdb"],
        "data-log-router": ["/var/lib/otelcol"],
        "data-loki": ["/loki"],
        "data-redis": ["/data"],
    }
    assert sorted(declared.result["volumes"]) == ["data-influxdb", "data-loki", "data-redis"]


@pytest.mark.parametrize("task", [*TASKS, "data-history"])
def test_each_container_is_read_only_without_rights_bounded_and_watched(task: str) -> None:
    given = container(run(DOCKER, **HISTORY), task)
    assert given["readOnly"] is True and given["user"] == "1000:1000"
    assert given["capabilities"] == {"drops": ["ALL"]} and given["securityOpts"] == ["no-new-privileges:true"]
    assert given["memory"] == given["memorySwap"] > 0 and given["healthcheck"]["tests"][0] == "CMD"
    assert given["stopTimeout"] >= 30


def test_only_the_router_is_published_and_only_to_this_machine() -> None:
    declared = run(DOCKER, log_router_port=18224)
    published = {one.name: one.inputs["ports"] for one in declared.all(CONTAINER) if one.inputs.get("ports")}
    assert published == {"data-log-router-container": [{"internal": 24224, "external": 18224, "ip": "127.0.0.1", "protocol": "tcp"}]}
    opened = run(DOCKER, influxdb={"image": "i", "published_port": 18086})
    assert container(opened, "data-influxdb")["ports"] == [{"internal": 8086, "external": 18086, "ip": "127.0.0.1", "protocol": "tcp"}]


def test_everybody_logs_into_loki_but_the_router_and_loki() -> None:
    declared = run(DOCKER, host={"docker": {"network": "private", "fluentd_address": "10.0.0.1:24224"}}, log_router_port=18224)
    drivers = {task: container(declared, task)["logDriver"] for task in TASKS}
    assert drivers == {"data-influxdb": "fluentd", "data-redis": "fluentd", "data-loki": "json-file", "data-log-router": "json-file"}
    assert container(declared, "data-redis")["logOpts"]["fluentd-address"] == "127.0.0.1:18224"
    assert declared.result["host"] == {"docker": {"network": "private", "fluentd_address": "127.0.0.1:18224"}}
    assert run(DOCKER).result["host"]["docker"]["fluentd_address"] == "127.0.0.1:24224"


def test_each_store_is_told_its_own_secrets_and_no_other() -> None:
    declared = run(DOCKER, **HISTORY)
    told = {
        task: {key: value for key, value in environment(declared, task).items() if "hush" in value} for task in (*TASKS, "data-history")
    }
    assert told == {
        "data-redis": {"REDIS_PASSWORD": "hush-redis-0123456789"},
        "data-influxdb": {
            "INFLUXDB_ADMIN_PASSWORD": "hush-admin-0123456789",
            "INFLUXDB_WRITE_PASSWORD": "hush/write-0123456789",
            "INFLUXDB_READ_PASSWORD": "hush-read-0123456789",
        },
        "data-history": {"HISTORY_PASSWORD": "hush-history-0123456789"},
        "data-loki": {},
        "data-log-router": {},
    }
    for task in ("data-redis", "data-influxdb", "data-history", "data-log-router"):
        assert is_secret(container(declared, task)["envs"]), f"{task}: in plain text in the state"


def test_retention_and_size_are_configuration() -> None:
    declared = run(
        DOCKER,
        redis={"image": "r", "memory": 2048, "cpu": 1024},
        influxdb={"image": "i", "retention_days": 730},
        loki={"image": "l", "retention_days": 7},
        history={"image": "h", "retention_days": 90},
        secrets=HISTORY["secrets"],
    )
    assert environment(declared, "data-redis")["REDIS_MAX_MEMORY_MB"] == "1024"
    assert environment(declared, "data-redis")["CONTAINER_MEMORY_MIB"] == "2048"
    assert environment(declared, "data-influxdb")["INFLUXDB_RETENTION_DAYS"] == "730"
    assert environment(declared, "data-loki") == {"LOKI_RETENTION_DAYS": "7", "CONTAINER_MEMORY_MIB": "1024"}
    assert environment(declared, "data-history")["HISTORY_RETENTION_DAYS"] == "90"
    assert container(declared, "data-redis")["cpus"] == "1.0"
    defaults = run(DOCKER, **HISTORY)
    assert [environment(defaults, f"data-{store}")[f"{store.upper()}_RETENTION_DAYS"] for store in ("influxdb", "loki", "history")] == [
        "365",
        "30",
        "3650",
    ]


def test_the_urls_have_quoted_credentials_and_are_secret_where_they_have_some() -> None:
    result = run(DOCKER, **HISTORY).result
    assert result["redis_url"] == "redis://:hush-redis-0123456789@data-redis:6379/0"
    assert (
        result["influx_write_url"] == "http://writer:hush%2Fwrite-0123456789@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns"
    )
    assert result["influx_read_url"] == "http://reader:hush-read-0123456789@data-influxdb:8086/query?db=tradestack"
    assert (result["influx_url"], result["influx_database"]) == ("http://data-influxdb:8086", "tradestack")
    assert (result["loki_url"], result["history_url"]) == (
        "http://data-loki:3100",
        "http://admin:hush-history-0123456789@data-history:9000",
    )
    assert run(DOCKER).result["history_url"] == ""


@pytest.mark.parametrize("history", [HISTORY, {}])
def test_outputs_with_credentials_are_secrets(history: dict) -> None:
    import pulumi

    from components.timeseries_stack import TimeseriesStack
    from tests.unit.pulumi_mocks import deploy

    def program() -> dict[str, pulumi.Output[bool]]:
        made = TimeseriesStack("data", {**DOCKER, **history})
        return {key: pulumi.Output.from_input(getattr(made, key).is_secret()) for key in TimeseriesStack.__annotations__}

    secret = {key for key, value in deploy(program).result.items() if value}
    assert secret == {"redis_url", "influx_write_url", "influx_read_url", "loki_url", "history_url"}


def test_stores_of_your_own_are_not_run() -> None:
    urls = {
        "redis_url": "rediss://me:hush@redis.example.org:6380/2",
        "influx_write_url": "https://hush@influx.example.org/api/v2/write?bucket=bots&org=me&precision=ns",
        "influx_read_url": "https://me:hush@influx.example.org/query?db=bots",
        "loki_url": "https://me:hush@loki.example.org/base",
        "history_url": "https://me:hush@bars.example.org",
    }
    external = {store: {"kind": "external"} for store in ("redis", "influxdb", "loki", "history")}
    declared = run(DOCKER, secrets=urls, **external)
    assert [one.name for one in declared.all(CONTAINER)] == ["data-log-router-container"]
    assert environment(declared, "data-log-router") == {"LOG_ROUTER_LOKI_URL": urls["loki_url"], "CONTAINER_MEMORY_MIB": "512"}
    assert {key: declared.result[key] for key in urls} == urls
    assert (declared.result["influx_url"], declared.result["influx_database"]) == ("https://influx.example.org", "bots")
    assert declared.result["volumes"] == {}


def test_marketstore_is_what_you_say_it_is() -> None:
    store = {"engine": "marketstore", "image": "docker.io/alpacamarkets/marketstore:v4.1.6", "port": 5993}
    declared = run(DOCKER, history=store)
    given = container(declared, "data-history")
    assert given["image"] == store["image"] and [volume["containerPath"] for volume in given["volumes"]] == ["/data"]
    assert declared.result["history_url"] == "http://data-history:5993"
    assert environment(declared, "data-history") == {}


def test_what_it_costs_is_what_its_tasks_cost() -> None:
    declared = run(DOCKER)
    # Spot: 0.012144 a vCPU-hour and 0.0013335 a GB-hour; 1.25 vCPU and 3 GB in all, for 720 hours.
    assert declared.result["monthly_cost"] == pytest.approx(720 * (1.25 * 0.012144 + 3 * 0.0013335))
    assert SECRETS["redis_password"] not in str(declared.result["services"])


def test_volumes_may_be_yours() -> None:
    declared = run(DOCKER, redis={"image": "r", "volume": "mine"})
    assert container(declared, "data-redis")["volumes"] == [{"volumeName": "mine", "containerPath": "/data"}]
    assert declared.result["volumes"]["data-redis"] == "mine"
