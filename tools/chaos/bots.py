"""`make chaos-bots`: kill a local bot with SIGKILL, again and again, and compare its trades before and after through its own API.

The process is killed from outside the container, as the kernel's out-of-memory killer does it. (`docker kill` tells Docker that somebody
wants the container stopped, and Docker then leaves it stopped, whatever the restart policy.)
"""

import argparse
import os
import random
import time
from dataclasses import dataclass
from typing import Any

import requests

from tools.chaos.kill import kill_container
from tools.stack.backups import bot_container
from tools.stack.bots import PATIENT, BotApi
from tools.stack.engine import LOCAL, StackError, main, outputs

START_DEADLINE = 300  # seconds from a kill until the API must answer again
OPEN_DEADLINE = 900  # seconds until a trade must be open


@dataclass
class Tally:
    """What the kills did. Seconds are wall time."""

    kills: int = 0
    before: int = 0
    after: int = 0
    lost: int = 0
    doubled: int = 0
    longest: float = 0.0

    def line(self, seed: int) -> str:
        """The one line at the end."""
        return (
            f"kills={self.kills} trades_before={self.before} trades_after={self.after} lost={self.lost} doubled={self.doubled} "
            f"longest_without_bot={self.longest:.1f}s seed={seed}"
        )


def known(trades: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Trade id -> what must never change: pair, opening time and the ids of its filled orders."""
    return {
        trade["trade_id"]: {
            "pair": trade["pair"],
            "open": trade["open_timestamp"],
            "orders": [order["order_id"] for order in trade["orders"] if order["status"] == "closed"],
            "closed": not trade["is_open"],
        }
        for trade in trades
    }


def compare(before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]]) -> tuple[int, int]:
    """(lost, doubled): trades or filled orders that are gone or changed; orders or openings that are there twice."""
    lost = doubled = 0
    for trade_id, old in before.items():
        new = after.get(trade_id)
        if new is None or (new["pair"], new["open"]) != (old["pair"], old["open"]) or new["orders"][: len(old["orders"])] != old["orders"]:
            lost += 1
        elif old["closed"] and (not new["closed"] or new["orders"] != old["orders"]):
            doubled += 1  # a closed trade that trades again
    orders = [order for trade in after.values() for order in trade["orders"]]
    openings = [(trade["pair"], trade["open"]) for trade in after.values()]
    doubled += len(orders) - len(set(orders)) + len(openings) - len(set(openings))
    return lost, doubled


def wait_for_open_trade(api: BotApi) -> list[dict[str, Any]]:
    """All trades, once one of them is open. Raises StackError after OPEN_DEADLINE."""
    deadline = time.monotonic() + OPEN_DEADLINE
    while time.monotonic() < deadline:
        trades = api.all_trades()
        if any(trade["is_open"] for trade in trades):
            return trades
        time.sleep(1)
    raise StackError(f"no trade was open within {OPEN_DEADLINE} s; is the bot running? `make status`")


def wait_until_back(api: BotApi, bot: Any, restarts: int) -> list[dict[str, Any]]:
    """All trades, once Docker has restarted the container and freqtrade answers. Raises StackError after START_DEADLINE."""
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline:
        bot.reload()
        if bot.attrs["RestartCount"] > restarts:
            try:
                return api.all_trades()
            except requests.RequestException:
                pass
        time.sleep(0.2)
    raise StackError(f"the bot did not come back within {START_DEADLINE} s of being killed; its last lines:\n{bot.logs(tail=10).decode()}")


def chaos(name: str, kills: int, seed: int) -> Tally:
    """Kill the bot `kills` times, each time with a trade open and after a random pause; compare after each."""
    dice = random.Random(seed)
    bot = bot_container(name)
    stack = outputs(LOCAL)
    block = next(one for one in stack["bots"] if one["name"] == name)
    api = BotApi(block["apiUrl"], stack["credentials"][name], PATIENT)
    tally = Tally()
    for number in range(1, kills + 1):
        wait_for_open_trade(api)
        time.sleep(dice.uniform(0, 5))  # the moment is random; nothing is waited for
        before = known(api.all_trades())
        bot.reload()
        restarts, struck = bot.attrs["RestartCount"], time.monotonic()
        kill_container(bot)
        after = known(wait_until_back(api, bot, restarts))
        away = time.monotonic() - struck
        lost, doubled = compare(before, after)
        if number == 1:
            tally.before = len(before)
        tally.kills, tally.after = number, len(after)
        tally.lost, tally.doubled, tally.longest = tally.lost + lost, tally.doubled + doubled, max(tally.longest, away)
        print(
            f"kill {number}: {len(before)} trades before, {len(after)} after, lost {lost}, doubled {doubled}, away {away:.1f} s", flush=True
        )
    return tally


def command() -> int:
    parser = argparse.ArgumentParser(prog="make chaos-bots", description=__doc__)
    parser.add_argument("--bot", help="default: the first one")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    bots = outputs(LOCAL).get("bots", [])
    if not bots:
        raise StackError("the local stack has no bots up: run `make up`")
    print(f"seed {seed}", flush=True)
    tally = chaos(options.bot or bots[0]["name"], options.kills, seed)
    print(tally.line(seed))
    return 1 if tally.lost or tally.doubled else 0


if __name__ == "__main__":
    main(command)
