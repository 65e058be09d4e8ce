"""`make day`: a whole trading day in the local stack, in minutes. The last line says what happened, and how many differences the books have.

The paper account begins anew; what you bought there yourself is asked about first.
"""

import argparse
from collections.abc import Iterable
from datetime import date

from tools.day.differences import CLEANER, differences, line, notes
from tools.day.records import Order
from tools.day.run import NEEDED, choose_day, keep, kept, live, not_running, open_stage, read
from tools.day.timetable import real_seconds
from tools.stack.engine import LOCAL, StackError, main
from tools.stack.market import SPEEDS
from tools.stack.orders import owner_of

SPEED = 90
# Whose orders nobody misses, beside beancleaner's: earnyearn's, and those of a day before.
OWNERS = ("earnyearn", "day")


def yours(held: Iterable[str], orders: Iterable[Order]) -> list[str]:
    """Symbols that are held and were not only traded by the stack's own services and by earlier days."""
    return sorted(set(held) & {order.symbol for order in orders if not _stacks_own(order.client_order_id)})


def _stacks_own(client_order_id: str) -> bool:
    return client_order_id.startswith(CLEANER) or owner_of(client_order_id) in OWNERS


def command() -> int:
    parser = argparse.ArgumentParser(prog="make day", description=__doc__)
    parser.add_argument("--date", type=date.fromisoformat, default=None, help="which trading day (default: the next one not lived through)")
    parser.add_argument("--speed", type=int, default=SPEED, help="broker seconds a real second until shortly before the close")
    parser.add_argument("--reset", action="store_true", help="forget what the paper account holds")
    options = parser.parse_args()
    if not SPEEDS[0] <= options.speed <= SPEEDS[1]:
        raise StackError(f"SPEED={options.speed}: use a whole number from {SPEEDS[0]} to {SPEEDS[1]}")
    stage = open_stage(LOCAL)
    if ill := not_running(stage.containers, NEEDED):
        raise StackError(f"not running: {', '.join(ill)}; `make status` says more, `make up` brings them up")
    if (bought := yours(stage.broker.positions(), stage.broker.orders())) and not options.reset:
        raise StackError(f"the paper account holds {', '.join(bought)}, which you bought; RESET=1 forgets all it holds, and begins anew")
    before = kept(stage)
    try:
        day = choose_day(stage, options.date)
        print(f"{day.day}: about {real_seconds(day, options.speed) / 60 + 1:.0f} minutes", flush=True)
        seeded = live(stage, day, options.speed, lambda said: print(said, flush=True))
        seen = read(stage, day, seeded)
    finally:
        stage.broker.set_clock(time=None, hours=None)
        if before is not None:
            keep(stage, before)  # your own list, which the day had replaced
    found = differences(seen)
    for one in found:
        print(f"difference: {one}")
    for one in notes(seen):
        print(f"note: {one}")
    print(line(seen, found))
    return 1 if found else 0


if __name__ == "__main__":
    main(command)
