"""`python -m slanger ROLE`: the two services and the commands of one image. Each imports only what it needs."""

import importlib
import sys

ROLES = {
    "accept": ("slanger.accept.serve", "HTTP: store alerts durably, answer 202"),
    "execute": ("slanger.execute.serve", "worker: trade what is stored"),
    "alerts": ("slanger.generator.command", "make a signed alert to paste into TradingView"),
    "dead-letters": ("slanger.execute.dead_letters", "look at the alerts that failed, and replay them"),
    "look": ("slanger.execute.look", "the broker's orders of one alert, or a symbol's last price"),
    "switch": ("slanger.execute.switch", "stop and resume trading"),
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in ROLES:
        given = f"{arguments[0]!r} is not a command" if arguments else "no command"
        print(f"{given}: use python -m slanger with one of", *(f"  {name:<14}{what}" for name, (_, what) in ROLES.items()), sep="\n")
        return 2
    return importlib.import_module(ROLES[arguments[0]][0]).main(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
