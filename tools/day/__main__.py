"""`make day`: a whole trading day in the local stack, in minutes. The last line says what happened, and how many differences the books have.

The paper account begins anew; what it holds is asked about first.
"""

import argparse
from datetime import date

from tools.day.differences import differences, line
from tools.day.run import NEEDED, choose_day, live, not_running, open_stage, read
from tools.day.timetable import real_seconds
from tools.stack.engine import LOCAL, StackError, main

SPEED = 90
# alpaca-paper takes no faster clock.
SPEEDS = (1, 600)


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
    held = stage.broker.positions()
    if held and not options.reset:
        raise StackError(f"the paper account holds {', '.join(sorted(held))}; RESET=1 forgets it, its orders and its cash, and begins anew")
    try:
        day = choose_day(stage, options.date)
        print(f"{day.day}: about {real_seconds(day, options.speed) / 60 + 1:.0f} minutes", flush=True)
        seeded = live(stage, day, options.speed, lambda said: print(said, flush=True))
        seen = read(stage, day, seeded)
    finally:
        stage.broker.set_clock(time=None, hours=None)
    found = differences(seen)
    for one in found:
        print(f"difference: {one}")
    print(line(seen, found))
    return 1 if found else 0


if __name__ == "__main__":
    main(command)
