"""`make market`: the clock of the local stack's paper broker: how fast it runs, at which day, and with which hours; without options it is shown.

Only recorded prices and play money: a real broker's clock can't be set.
"""

import argparse
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import requests

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.status import engine_client

NEW_YORK = ZoneInfo("America/New_York")
OPENING = "09:30"
REAL = "real"
HOURS = ("always", "nyse")
# Seconds of the broker's clock in a real second: alpaca-paper takes no others.
SPEEDS = (1, 600)
PORT = "8000/tcp"
SECONDS = 15


def wanted(speed: str, day: str, hours: str) -> dict[str, Any]:
    """Body of POST /_paper/clock; "" leaves a thing as it is. Raises StackError that names every option that is wrong."""
    body: dict[str, Any] = {}
    mistakes = []
    if speed and re.fullmatch(r"[0-9]{1,3}", speed) and SPEEDS[0] <= int(speed) <= SPEEDS[1]:
        body["speed"] = int(speed)
    elif speed:
        mistakes.append(
            f"SPEED={speed}: use a whole number from {SPEEDS[0]} to {SPEEDS[1]}, seconds of the broker's clock in a real second"
        )
    if day == REAL:
        body["time"] = None
        if body.pop("speed", 1) != 1:
            mistakes.append(f"SPEED={speed}: DAY=real is the real time, which runs at speed 1; leave SPEED out")
    elif day:
        try:
            date, _, time = day.partition("T")
            at = datetime.strptime(f"{date} {time or OPENING}", "%Y-%m-%d %H:%M").replace(tzinfo=NEW_YORK)
            body["time"] = at.isoformat()
        except ValueError:
            mistakes.append(
                f"DAY={day}: use a day such as 2026-12-09 (from {OPENING}), 2026-12-09T15:00 (New York's time), or real for the real time"
            )
    if hours in HOURS:
        body["hours"] = hours
    elif hours:
        mistakes.append(f"HOURS={hours}: use {' or '.join(HOURS)}")
    if mistakes:
        raise StackError("; ".join(mistakes))
    return body


def broker_of(known: dict[str, Any], stack: str = LOCAL) -> tuple[str, dict[str, str]]:
    """(the paper broker's address on this machine, headers with its key); `known` are the stack's outputs. Raises StackError."""
    paper = known.get("alpacaPaper")
    if not paper:
        raise StackError(f"the {stack} stack has no paper broker up: add tradestack:alpacaPaper to Pulumi.local.yaml and run `make up`")
    running = container(engine_client(stack), paper["service"])
    bindings = running.attrs["HostConfig"]["PortBindings"] if running else None
    if not (bindings or {}).get(PORT):
        raise StackError("the paper broker is not reachable: set alpacaPaper.publishedPort in Pulumi.local.yaml and run `make up`")
    own = known["credentials"]["webhook"]
    headers = {"APCA-API-KEY-ID": own["brokerKey"], "APCA-API-SECRET-KEY": own["brokerSecret"]}
    return f"http://127.0.0.1:{bindings[PORT][0]['HostPort']}", headers


def ask(url: str, headers: dict[str, str], path: str, body: dict[str, Any] | None = None) -> Any:
    """GET, or POST with a body; the answer's JSON. Raises StackError with the broker's own sentence."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request("GET" if body is None else "POST", url + path, json=body, headers=headers, timeout=SECONDS)
    except requests.RequestException as error:
        raise StackError(f"the paper broker does not answer at {url} ({type(error).__name__}): `make status` shows its state") from None
    if answer.status_code == 404 and path.startswith("/_paper/"):
        raise StackError("the paper broker's clock can't be set: set alpacaPaper.testApi: true in Pulumi.local.yaml and run `make up`")
    if not answer.ok:
        raise StackError(f"the paper broker answers {answer.status_code}: {answer.text.strip()}")
    return answer.json()


def shown(clock: dict[str, Any], conditions: dict[str, Any]) -> str:
    """GET /v2/clock and /_paper/conditions as a line for people."""
    moment = at(clock["timestamp"])
    state = (
        f"open until {at(clock['next_close']):%a %H:%M}" if clock["is_open"] else f"closed until {at(clock['next_open']):%a %d %b %H:%M}"
    )
    hours = f", hours {conditions['hours']}" if conditions.get("hours") else ""
    return f"{moment:%a %Y-%m-%d %H:%M:%S} in New York, speed {conditions.get('speed', 1)}{hours}; the market is {state}"


def at(text: str) -> datetime:
    """An instant as New York's time; Alpaca writes nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text)).astimezone(NEW_YORK)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make market", description=__doc__)
    parser.add_argument("--speed", default="")
    parser.add_argument("--day", default="")
    parser.add_argument("--hours", default="")
    options = parser.parse_args()
    body = wanted(options.speed, options.day, options.hours)
    url, headers = broker_of(outputs(LOCAL))
    if body:
        ask(url, headers, "/_paper/clock", body)
    print(shown(ask(url, headers, "/v2/clock"), ask(url, headers, "/_paper/conditions")))


if __name__ == "__main__":
    main(command)
