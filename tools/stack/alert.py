"""`make alert`: send a signed test alert to a stack's webhook, and show the orders that came of it.

It is a real alert: with a live account it trades real money, so that it asks for `--live` there.
"""

import argparse
import json
import time
from typing import Any

import requests

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from slanger.generator.alerts import new_alert
from slanger.generator.options import BadOptions
from slanger.generator.placeholders import sample

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.status import engine_client

OUTCOME_DEADLINE = 60  # seconds
OUTCOMES = ("ordered", "passed", "refused")
# Enough to see each route at work; `--set KEY=VALUE` changes it.
EXAMPLES: dict[str, dict[str, str]] = {
    "market": {"qty": "1"},
    "notional": {"notional": "10"},
    "limit": {"qty": "1", "limit_price": "1%"},
    "stop_limit": {"qty": "1", "stop_price": "1%", "wiggle": "2"},
    "bracket": {"qty": "1", "take_profit": "1%", "stop_loss": "1%"},
    "trailing": {"qty": "1", "trail_percent": "0.5"},
    "reverse": {"qty": "1"},
    "aristocrats": {"notional": "10"},
}


def webhook(stack: str) -> tuple[dict[str, Any], str]:
    """(the webhook's outputs, its signing key). Raises StackError when the stack has none."""
    known = outputs(stack)
    if not known.get("webhook"):
        raise StackError(f"stack {stack!r} has no webhook up: add tradestack:webhook to Pulumi.{stack}.yaml and bring the stack up")
    key = (known["credentials"].get("webhook") or {}).get("signingKey")
    if not key:
        raise StackError(f"the signing key of stack {stack!r} is in a secret of your own (secretArn): sign with `python -m slanger alerts`")
    return known["webhook"], key


def fired(route: str, url: str, account: str, signing_key: str, action: str, symbol: str, options: dict[str, str]) -> tuple[str, dict]:
    """(URL, body) of a signed alert as TradingView would send it now. Raises StackError that names every option that is wrong."""
    chosen = {"name": "make-alert", "route": route, "account": account, "url": url, "action": action, "expires": "1d", "symbols": symbol}
    try:
        made = new_alert({**chosen, **options}, signing_key, time.time())
    except BadOptions as error:
        raise StackError(str(error)) from None
    # Its own id: two test alerts within a second are two alerts.
    return made["url"], {**sample(made["text"], time.time(), action=action, price=options.get("test_price")), "id": str(time.time_ns())}


def send(url: str, body: dict[str, Any]) -> str:
    """POST it; returns the alert's id. Raises StackError with the webhook's own sentence."""
    try:
        answer = requests.post(url, json=body, timeout=10)
    except requests.RequestException as error:
        raise StackError(f"the webhook does not answer at {url} ({type(error).__name__}): `make status` shows its state") from None
    if answer.status_code != 202:
        raise StackError(f"the webhook answers {answer.status_code}: {answer.text.strip()}")
    return answer.json()["id"]


def outcome(worker: Any, key: str, since: float) -> dict[str, Any]:
    """The worker's log line about the alert, once it is there. Raises StackError after OUTCOME_DEADLINE."""
    deadline = time.monotonic() + OUTCOME_DEADLINE
    while time.monotonic() < deadline:
        for line in worker.logs(since=int(since)).decode().splitlines():
            said = json.loads(line) if line.startswith("{") else {}
            if said.get("key") == key and said.get("message") in OUTCOMES:
                return said
        time.sleep(0.3)
    raise StackError(
        f"no outcome within {OUTCOME_DEADLINE} s: the worker may be waiting for the broker, see `make logs BOT=webhook-worker`"
    )


def look(worker: Any, *what: str) -> Any:
    """What the broker says, asked by the worker's own command. Raises StackError."""
    code, output = worker.exec_run(["python3", "-m", "slanger", "look", *what])
    if code != 0:
        raise StackError(output.decode().strip())
    return json.loads(output)


def described(order: dict[str, Any]) -> list[str]:
    """An order and its legs, a line each."""
    size = f"{order['qty']} ×" if order.get("qty") else f"${order['notional']} of"
    prices = [
        f"{key.replace('_', ' ')} {order[key]}" for key in ("limit_price", "stop_price", "trail_percent", "trail_price") if order.get(key)
    ]
    filled = f", filled {order['filled_qty']} at {order['filled_avg_price']}" if order.get("filled_avg_price") else ""
    line = f"{order['side']} {size} {order['symbol']}, {order['type']} {order['time_in_force']} {' '.join(prices)}".rstrip()
    legs = [f"  leg: {one}" for leg in order.get("legs") or [] for one in described(leg)]
    return [f"{line}: {order['status']}{filled}", *legs]


def command() -> None:
    parser = argparse.ArgumentParser(prog="make alert", description=__doc__)
    parser.add_argument("--stack", default=LOCAL)
    parser.add_argument("--route", default="market", choices=EXAMPLES)
    parser.add_argument("--symbol", default=None, help="default AAPL, for aristocrats KO")
    parser.add_argument("--action", default="buy", choices=("buy", "sell"))
    parser.add_argument("--set", default="", metavar="KEY=VALUE", help="options of the alert, e.g. `qty=2 stop_loss=2%%`")
    parser.add_argument("--live", action="store_true", help="send it although it trades real money")
    options = parser.parse_args()
    hook, signing_key = webhook(options.stack)
    if hook["mode"] == "live" and not options.live:
        raise StackError(f"stack {options.stack!r} trades real money: LIVE=1 sends the alert all the same")
    symbol = options.symbol or ("KO" if options.route == "aristocrats" else "AAPL")
    settings = {**EXAMPLES[options.route], **dict(one.partition("=")[::2] for one in options.set.split())}
    worker = None
    if options.stack == LOCAL:
        worker = container(engine_client(LOCAL), hook["workerService"])
        if worker is None or worker.status != "running":
            raise StackError("the webhook's worker is not running: `make up` brings it up")
        settings.setdefault("test_price", look(worker, "price", symbol))  # TradingView would send one
    url, body = fired(options.route, hook["url"], hook["account"], signing_key, options.action, symbol, settings)
    since = time.time()
    key = send(url, body)
    print(f"accepted as {key}", flush=True)
    if worker is None:
        print(f"what came of it: `make logs STACK={options.stack} BOT=webhook-worker`")
        return
    came = outcome(worker, key, since)
    if came["message"] == "refused":
        raise StackError(f"not traded: {came['reason']}; `make dead-letters` shows what is kept")
    if came["message"] == "passed":
        print(f"passed: {came['reason']}")
    for order in look(worker, "orders", key):
        print("\n".join(described(order)))


if __name__ == "__main__":
    main(command)
