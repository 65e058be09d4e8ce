"""A bot whose trades are in PostgreSQL: they survive kills and the server's restart, and one bot at most ever trades with them."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import docker
import pytest

from components.freqtrade_config import bot_config, replayed_exchange
from tests.local.conftest import ROOT
from tests.local.postgres_server import DATABASE, USER, Server, image_for
from tests.local.waiting import DEADLINE, wait_for
from tools.chaos.bots import compare, known
from tools.chaos.kill import kill_container
from tools.stack.bots import PATIENT, BotApi
from tools.stack.ports import free_port

pytestmark = pytest.mark.docker
CREDENTIALS = {"apiUsername": "trader", "apiPassword": secrets.token_urlsafe(24)}


class World:
    """A network with a replayed exchange and a PostgreSQL server, and bots on it. Everything has a name of its own and is removed."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self.engine, self.name = engine, f"tradestack-test-{secrets.token_hex(4)}"
        self.containers: list[Any] = []
        self.volumes: list[Any] = []
        self.network = engine.networks.create(self.name)
        self.exchange = f"{self.name}-exchange"
        for folder, official in (("freqtrade", "freqtradeorg/freqtrade:2026.9"), ("exchange-replay", "python:3.13-slim-bookworm")):
            engine.images.build(path=str(ROOT / "images" / folder), tag=f"{self.name}/{folder}", rm=True, forcerm=True,
                                buildargs={"BASE_IMAGE": image_for(official)})  # fmt: skip
        replay = {"name": self.exchange, "network": self.name, "environment": {"REPLAY_SPEED": "5"}}
        self.containers.append(engine.containers.run(f"{self.name}/exchange-replay", detach=True, **replay))
        self.server = Server(engine, self.name, f"{self.name}-postgres")
        self.containers.append(self.server.container)
        self.server.wait()

    def url(self, database: str = DATABASE, password: str | None = None) -> str:
        return f"postgresql://{USER}:{quote(password or self.server.password, safe='')}@{self.server.name}:5432/{database}"

    def bot(self, name: str, url: str, *, dry_run: bool = True, port: int | None = None, restart: str = "no", **variables: str) -> Any:
        """A bot's container, hardened as the docker host does it."""
        config = bot_config(
            strategy="BreakoutStrategy", pairs=["ETH/BTC", "LTC/BTC", "XLM/BTC", "ADA/BTC"], exchange="binance",
            exchange_settings=replayed_exchange(f"http://{self.exchange}:8000"), stake_currency="BTC", stake_amount=0.05, max_open_trades=4,
            dry_run=dry_run, dry_run_wallet=2, timeframe="1m", extra={},
        )  # fmt: skip
        given = {
            "BOT_NAME": name,
            "BOT_CONFIG_JSON": json.dumps(config),
            "FREQTRADE__API_SERVER__USERNAME": CREDENTIALS["apiUsername"],
            "FREQTRADE__API_SERVER__PASSWORD": CREDENTIALS["apiPassword"],
            "FREQTRADE__API_SERVER__JWT_SECRET_KEY": "j" + secrets.token_urlsafe(32),
            "FREQTRADE__API_SERVER__WS_TOKEN": "w" + secrets.token_urlsafe(24),
            "FREQTRADE__DB_URL": url,
        }
        self.volumes.append(self.engine.volumes.create(f"{self.name}-{name}-{len(self.volumes)}"))
        container = self.engine.containers.run(
            f"{self.name}/freqtrade", name=self.volumes[-1].name, network=self.name, environment={**given, **variables}, detach=True,
            read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"], mem_limit="512m", restart_policy={"Name": restart},
            ports={"8080/tcp": ("127.0.0.1", port)} if port else None, volumes={self.volumes[-1].name: {"bind": "/freqtrade/user_data"}},
        )  # fmt: skip
        self.containers.append(container)
        return container

    def remove(self) -> None:
        for container in self.containers:
            container.remove(force=True, v=True)
        for volume in self.volumes:
            volume.remove()
        self.network.remove()
        for folder in ("freqtrade", "exchange-replay"):
            self.engine.images.remove(f"{self.name}/{folder}")


@pytest.fixture(scope="module")
def world(engine: docker.DockerClient) -> Iterator[World]:
    made = World(engine)
    try:
        yield made
    finally:
        made.remove()


class Alpha:
    """The bot that trades, and its API."""

    def __init__(self, world: World) -> None:
        port = free_port()
        self.container = world.bot("alpha", world.url(), port=port, restart="unless-stopped")
        self.api = BotApi(f"http://127.0.0.1:{port}", CREDENTIALS, PATIENT)

    def trades(self) -> list[dict[str, Any]]:
        return self.api.all_trades()

    def restarts(self) -> int:
        self.container.reload()
        return self.container.attrs["RestartCount"]

    def after(self, restarts: int) -> list[dict[str, Any]]:
        """The trades, when the container was started again and freqtrade turns its loop."""
        wait_for("a restart", lambda: self.restarts() > restarts)
        wait_for("the bot", lambda: self.api.get("health")["last_process_ts"])
        return wait_for("its trades", self.trades)


@pytest.fixture(scope="module")
def alpha(world: World) -> Alpha:
    """A bot that has closed a trade."""
    bot = Alpha(world)
    wait_for("a closed trade", lambda: any(not trade["is_open"] for trade in bot.trades()), 900)
    return bot


@pytest.fixture
def database(world: World) -> Iterator[str]:
    """A fresh database on the same server."""
    name = f"db_{secrets.token_hex(4)}"
    world.server.sql(f"CREATE DATABASE {name}")
    yield name
    world.server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def logged(container: Any) -> str:
    return container.logs().decode()


def moment(container: Any, words: str) -> str:
    """Time of the first log line with these words, ISO 8601; '' when there is none."""
    lines = (json.loads(line) for line in logged(container).splitlines() if line.startswith("{"))
    return next((line["time"] for line in lines if words in line["message"]), "")


def ended(container: Any) -> int:
    """Exit code of a bot that ends by itself."""
    return container.wait(timeout=DEADLINE)["StatusCode"]


def test_trades_are_in_the_database(world: World, alpha: Alpha) -> None:
    def same() -> bool:
        stored = world.server.sql("SELECT id, pair, is_open FROM trades ORDER BY id")
        return stored == [[str(one["trade_id"]), one["pair"], "t" if one["is_open"] else "f"] for one in alpha.trades()]

    wait_for("the same trades in both", same)
    assert world.server.sql("SELECT mode, ended FROM tradestack_bot") == [["dryrun", "f"]]
    log = logged(alpha.container)
    assert "this bot makes and restores none" in log
    processes = json.dumps(alpha.container.top(ps_args="-eo pid,args"))
    inside = alpha.container.exec_run(["sh", "-c", "cat run/config.json"], workdir="/freqtrade/user_data").output.decode()
    for secret in (world.server.password, quote(world.server.password, safe="")):
        assert secret not in log and secret not in processes and secret not in inside


def test_killed_it_finds_its_trades_again(alpha: Alpha) -> None:
    before, restarts = known(alpha.trades()), alpha.restarts()
    kill_container(alpha.container)
    after = known(alpha.after(restarts))
    assert compare(before, after) == (0, 0)


def test_a_second_bot_never_trades(world: World, alpha: Alpha) -> None:
    restarts = alpha.restarts()
    second = world.bot("beta", world.url(), LOCK_TIMEOUT="5")
    assert ended(second) == 75
    log = logged(second)
    sentence = r"another bot \(alpha on \w+, since .*\) trades with the database .*; this one waited 5 s and will not trade"
    assert re.search(sentence, log), log
    assert "starting freqtrade" not in log and world.server.password not in log
    assert alpha.restarts() == restarts


def test_a_server_that_restarts_under_a_bot(world: World, alpha: Alpha) -> None:
    before, restarts = known(alpha.trades()), alpha.restarts()
    world.server.container.restart(timeout=20)
    world.server.wait()
    after = alpha.after(restarts)
    assert compare(before, known(after)) == (0, 0)
    still_open = [trade["pair"] for trade in after if trade["is_open"]]
    assert len(still_open) == len(set(still_open))
    newest = max(after, key=lambda trade: trade["trade_id"])["trade_id"]
    wait_for("a new trade", lambda: max(trade["trade_id"] for trade in alpha.trades()) > newest, 900)


def test_backups_are_the_servers(alpha: Alpha) -> None:
    for command in (["backup"], ["restore", "dryrun-20260101T000000.000000Z.sqlite"]):
        done = alpha.container.exec_run(["python3", "/freqtrade/bot/launch.py", *command])
        assert done.exit_code == 64 and b"backups of a database server are the server's own business" in done.output, done.output


def test_a_lock_taken_away_ends_the_bot_before_the_next_one_trades(world: World, database: str) -> None:
    first = world.bot("first", world.url(database))
    wait_for("the first bot", lambda: moment(first, "starting freqtrade"))
    second = world.bot("second", world.url(database), LOCK_TIMEOUT="600")
    wait_for("the second bot", lambda: moment(second, "waiting for the write lock"))
    killed = """SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    assert world.server.sql(killed, database) == [["t"]]
    assert ended(first) == 75
    assert "is lost" in logged(first) and "another bot" in logged(second)
    wait_for("the second bot trades", lambda: moment(second, "starting freqtrade"))
    assert moment(first, "is lost") < moment(second, "starting freqtrade")
    assert "first on " in logged(second) and "did not end by itself" in logged(second)
    second.stop(timeout=DEADLINE)  # killed before it has ended by itself, it could not record its end
    assert world.server.sql("SELECT ended FROM tradestack_bot", database) == [["t"]]


def test_a_bot_cut_off_from_its_server_ends_before_its_lock_is_free(world: World, database: str) -> None:
    first = world.bot("first", world.url(database))
    wait_for("the first bot", lambda: moment(first, "starting freqtrade"))
    second = world.bot("second", world.url(database), LOCK_TIMEOUT="600")
    wait_for("the second bot", lambda: moment(second, "waiting for the write lock"))
    world.network.disconnect(first)
    assert ended(first) == 75
    wait_for("the lock's next holder", lambda: moment(second, f"write lock on {world.server.name}"))
    assert moment(first, "is lost") < moment(second, f"write lock on {world.server.name}")
    second.kill()


def test_real_and_play_trades_never_mix(world: World, database: str) -> None:
    world.server.sql("CREATE TABLE trades (id integer); INSERT INTO trades VALUES (1)", database)
    unknown = world.bot("unknown", world.url(database))
    assert ended(unknown) == 78 and "does not say whether they are real" in logged(unknown)
    world.server.sql("INSERT INTO tradestack_bot (mode) VALUES ('live')", database)
    dry = world.bot("dry", world.url(database))
    assert ended(dry) == 78
    assert "belongs to a bot with dry_run=false and this one has dry_run=true" in logged(dry) and "starting freqtrade" not in logged(dry)


def test_a_wrong_password_is_said_and_not_shown(world: World) -> None:
    wrong = "not-it-" + secrets.token_urlsafe(12)
    bot = world.bot("stranger", world.url(password=wrong), LOCK_TIMEOUT="2")
    assert ended(bot) == 69
    log = logged(bot)
    assert "password authentication failed" in log and "this one waited 2 s and will not trade" in log
    assert wrong not in log and "Traceback" not in log
