"""Sends alerts as TradingView does: each signed, each several times, the alerts of a symbol one after the other."""

import json
import random
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import requests

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from botkit.signing import sign_alert
from slanger.message import alert_key_of

COPIES = 4  # TradingView sends an alert again up to three times
TIMEOUT = 3  # seconds that TradingView waits for an answer
SYMBOLS = ("AAPL", "MSFT", "SPY", "TSLA", "NVDA", "AMZN", "BTCUSD", "ETHUSD")
ROUTE = "/market"


@dataclass
class Sent:
    """What the senders saw; filled while they run."""

    accepted: dict[str, list[str]] = field(default_factory=dict)
    """Symbol as in the alert -> keys of accepted alerts, in the order of their first 2xx answer."""
    alerts: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """Status, or kind of failure -> how often."""
    lock: Lock = field(default_factory=Lock)

    def note(self, answer: str) -> None:
        with self.lock:
            self.answers[answer] = self.answers.get(answer, 0) + 1


def alert_body(signing_key: str, account: str, symbol: str, number: int) -> bytes:
    """A signed alert for one share or a hundredth of a coin; its number makes it another alert than the rest."""
    qty = "0.01" if symbol.endswith("USD") else "1"
    fixed = {"name": "chaos", "route": "market", "account": account, "expires": int(time.time()) + 86_400, "order": {"qty": qty}}
    body = {"alert": fixed, "signature": sign_alert(signing_key, fixed), "action": "buy", "ticker": symbol, "time": time.time()}
    return json.dumps({**body, "interval": "1", "id": str(number)}).encode()


def send_all(url: str, signing_key: str, account: str, alerts: int, seed: int, sent: Sent) -> None:
    """Send `alerts` different alerts, spread over SYMBOLS, and return when every copy is answered or given up."""
    with ThreadPoolExecutor(len(SYMBOLS)) as symbols, ThreadPoolExecutor(32) as copies:
        share = [alerts // len(SYMBOLS) + (index < alerts % len(SYMBOLS)) for index in range(len(SYMBOLS))]
        running = [
            symbols.submit(_send_symbol, url, signing_key, account, symbol, count, random.Random(f"{seed} {symbol}"), sent, copies)
            for symbol, count in zip(SYMBOLS, share, strict=True)
        ]
        for one in running:
            one.result()


def _send_symbol(
    url: str, signing_key: str, account: str, symbol: str, count: int, dice: random.Random, sent: Sent, copies: ThreadPoolExecutor
) -> None:
    for number in range(count):
        body = alert_body(signing_key, account, symbol, number)
        key = alert_key_of(account, ROUTE, body)
        with sent.lock:
            sent.alerts += 1
        later: list[Future[bool]] = []
        # The first copy that is answered 2xx decides the alert's place; resends are on their way meanwhile and after it.
        first = _post(url, body, sent)
        for _ in range(COPIES - 1):
            later.append(copies.submit(_post, url, body, sent, dice.uniform(0, 1)))
            if not first:
                first = later[-1].result()
        if first:
            with sent.lock:
                sent.accepted.setdefault(symbol, []).append(key)


def _post(url: str, body: bytes, sent: Sent, pause: float = 0) -> bool:
    """Whether this copy was answered 2xx."""
    time.sleep(pause)  # a resend comes at a random moment; nothing is waited for
    try:
        answer = requests.post(url + ROUTE, data=body, headers={"Content-Type": "application/json"}, timeout=TIMEOUT)
    except requests.RequestException as error:
        sent.note(type(error).__name__)
        return False
    sent.note(str(answer.status_code))
    return answer.ok
