"""A bot seen from outside: its container's state, and what freqtrade's own REST API says."""

from dataclasses import asdict, dataclass
from typing import Any

import docker
import requests

TIMEOUT = (2, 10)  # seconds: connect, read
PATIENT = (10, 30)
"""For who must have the answer: a bot on a quarter of a CPU of a busy machine may need longer than a person looks at `make status`."""


@dataclass(frozen=True, kw_only=True)
class BotStatus:
    """One row of `make status`; None where it could not be read."""

    bot: str
    state: str
    pairs: int | None = None
    open_trades: int | None = None
    closed_trades: int | None = None
    profit: float | None = None
    currency: str | None = None
    api: str = ""
    logs: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for programs."""
        return asdict(self)


class BotApi:
    """Freqtrade's REST API of one bot. `url` without a path; raises requests.RequestException."""

    def __init__(self, url: str, credentials: dict[str, str], timeout: tuple[float, float] = TIMEOUT) -> None:
        self.url, self.timeout = url.rstrip("/"), timeout
        self.session = requests.Session()
        # Environment proxies never get to see a bot's credentials.
        self.session.trust_env = False
        self.session.auth = (credentials["apiUsername"], credentials["apiPassword"])

    def get(self, path: str, **parameters: Any) -> Any:
        """GET /api/v1/PATH, decoded."""
        answer = self.session.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=self.timeout)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        """POST /api/v1/PATH, decoded."""
        answer = self.session.post(f"{self.url}/api/v1/{path}", json=body, timeout=self.timeout)
        answer.raise_for_status()
        return answer.json()

    def all_trades(self) -> list[dict[str, Any]]:
        """Every trade, open and closed, with its orders, by id."""
        # The open ones first: one that closes meanwhile is then in both answers. The other way round it would be in neither.
        trades = {trade["trade_id"]: trade for trade in self.get("status")}
        read = 0
        while True:
            page = self.get("trades", limit=500, offset=read)
            trades |= {trade["trade_id"]: trade for trade in page["trades"]}
            read += len(page["trades"])
            if not page["trades"] or read >= page["total_trades"]:
                return [trades[trade_id] for trade_id in sorted(trades)]


def container(engine: docker.DockerClient, name: str) -> Any | None:
    """A container by the name that the stack's outputs give, or None when it is gone."""
    try:
        return engine.containers.get(name) if name else None
    except docker.errors.NotFound:
        return None


def container_state(container: Any) -> str:
    """`running`, `starting`, `unhealthy`, `stopped`, or `crashed (exit N)`. The spec's clean exit codes are no crash."""
    state = container.attrs["State"]
    if state["Status"] == "running":
        health = (state.get("Health") or {}).get("Status", "healthy")
        return {"healthy": "running", "starting": "starting"}.get(health, health)
    if state["Status"] == "restarting" or state["Status"] == "exited":
        clean = container.labels.get("tradestack.clean-exit-codes", "0").split(",")
        if str(state["ExitCode"]) in clean and not state.get("OOMKilled"):
            return "stopped"
        reason = ", out of memory" if state.get("OOMKilled") else ""
        return f"crashed (exit {state['ExitCode']}{reason})"
    return state["Status"]


def docker_status(engine: docker.DockerClient, bot: dict[str, Any], credentials: dict[str, str]) -> BotStatus:
    """Status of one bot on this machine. `bot` is its block of the stack's outputs."""
    found = container(engine, bot["service"])
    state = container_state(found) if found else "gone"
    base = {"bot": bot["name"], "pairs": len(bot["pairs"]), "api": bot["apiUrl"], "logs": f"make logs BOT={bot['name']}"}
    if state != "running" or "127.0.0.1" not in bot["apiUrl"]:
        return BotStatus(state=state, **base)
    try:
        return BotStatus(**{**base, **api_status(BotApi(bot["apiUrl"], credentials))})
    except requests.RequestException as error:
        return BotStatus(state=f"API silent ({type(error).__name__})", **base)


def api_status(api: BotApi) -> dict[str, Any]:
    """The fields of BotStatus that freqtrade itself reports."""
    shown, profit = api.get("show_config"), api.get("profit")
    return {
        "state": shown["state"] if shown["dry_run"] else f"{shown['state']} LIVE",
        "pairs": len(api.get("whitelist")["whitelist"]),
        "open_trades": profit["trade_count"] - profit["closed_trade_count"],
        "closed_trades": profit["closed_trade_count"],
        "profit": profit["profit_all_coin"],
        "currency": shown["stake_currency"],
    }
