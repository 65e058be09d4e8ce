"""A running alpaca-paper."""

import requests
from processes import IMAGES, Process, wait_for

from tools.stack.ports import free_port

KEYS = {"APCA-API-KEY-ID": "paper-key", "APCA-API-SECRET-KEY": "paper-secret"}


class Paper:
    """A running alpaca-paper: its trading API with the right keys, and its test API."""

    def __init__(self, folder, **settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self._folder, self._settings = folder, settings
        self.shared_worker, self.connects = None, 0
        """The worker that several tests share, and how often its stream had come on before this test."""
        self.start()

    def start(self):
        (self._folder / "broker").mkdir(exist_ok=True)
        self.process = Process(
            self._folder / "broker.log",
            "alpaca_paper",
            folder=IMAGES / "alpaca-paper",
            **{
                "ALPACA_PAPER_KEY": KEYS["APCA-API-KEY-ID"],
                "ALPACA_PAPER_SECRET": KEYS["APCA-API-SECRET-KEY"],
                "ALPACA_PAPER_PORT": str(self.port),
                "ALPACA_PAPER_DATA": str(self._folder / "broker"),
                "ALPACA_PAPER_PRICES": "fixed",
                "ALPACA_PAPER_REQUESTS_PER_MINUTE": "100000",
                **self._settings,
            },
        )
        wait_for(self.answers, 60, self._folder)

    def answers(self):
        assert self.process.popen.poll() is None, self.process.text
        try:
            return self.session.get(f"{self.url}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    def ask(self, method, path, body=None):
        answer = self.session.request(method, self.url + path, json=body, headers=KEYS, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def buy(self, symbol, qty):
        """Somebody else's order."""
        self.order(symbol, "buy", qty)

    def order(self, symbol, side, qty, **more):
        body = {"symbol": symbol, "side": side, "type": "market", "qty": qty, "time_in_force": "day", **more}
        return self.ask("POST", "/v2/orders", body)

    def orders(self, **values):
        """Every order and leg, oldest first, that has these values."""
        return [order for order in self.ask("GET", "/_paper/orders") if values.items() <= order.items()]

    def of(self, key):
        """The orders of one alert."""
        return [order for order in self.orders() if f"-{key}-" in order["client_order_id"]]

    def position(self, symbol):
        return {one["symbol"]: float(one["qty"]) for one in self.ask("GET", "/v2/positions")}.get(symbol.replace("/", ""), 0)

    def at(self, time, speed=1):
        """Moves the broker's clock (`2026-12-09T15:50`, New York in winter), which runs on at so many seconds a second."""
        self.ask("POST", "/_paper/clock", {"time": f"{time}-05:00", "speed": speed})

    def now(self):
        """`2026-12-09T15:50:00` of New York."""
        return self.ask("GET", "/v2/clock")["timestamp"][:19]

    def fault(self, **fault):
        self.ask("POST", "/_paper/faults", fault)

    def no_faults(self):
        self.ask("DELETE", "/_paper/faults")

    def calls(self):
        """How many calls the trading and the data API have counted in this minute, and the minute; asking for the first counts itself."""
        answers = [self.session.get(self.url + path, headers=KEYS, timeout=30) for path in ("/v2/clock", "/v2/stocks/SPY/trades/latest")]
        used = [int(one.headers["X-Ratelimit-Limit"]) - int(one.headers["X-Ratelimit-Remaining"]) for one in answers]
        return *used, answers[1].headers["X-Ratelimit-Reset"]
