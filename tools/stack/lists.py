"""`make list`: the lists of symbols that beancleaner keeps; ADD, REMOVE and SET change one of them at once."""

import argparse
import sys

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.status import engine_client


def change_of(name: str, add: str, remove: str, replace: str | None) -> list[str]:
    """Words for beancleaner's own command; none to only show the lists. Raises StackError."""
    asked = {"add": add, "remove": remove, "set": replace}
    given = {action: symbols for action, symbols in asked.items() if symbols or (action == "set" and symbols is not None)}
    if not given and not name:
        return []
    if len(given) != 1 or not name:
        raise StackError('give NAME and one of ADD, REMOVE and SET, such as `make list NAME=dividend_aristocrats ADD="KO PG"`')
    ((action, symbols),) = given.items()
    return [action, name, *(symbols or "").replace(",", " ").split()]


def command() -> int:
    parser = argparse.ArgumentParser(prog="make list", description=__doc__)
    parser.add_argument("--name", default="", help="the list to change")
    parser.add_argument("--add", default="", metavar="SYMBOLS")
    parser.add_argument("--remove", default="", metavar="SYMBOLS")
    parser.add_argument("--set", default=None, metavar="SYMBOLS", help="all its symbols; empty text is an empty list, which keeps nothing")
    options = parser.parse_args()
    words = change_of(options.name, options.add, options.remove, options.set)
    known = outputs(LOCAL).get("beancleaner")
    cleaner = container(engine_client(LOCAL), known["service"]) if known else None
    if cleaner is None or cleaner.status != "running":
        raise StackError("beancleaner is not running: `make up` brings it up; it needs tradestack:beancleaner in Pulumi.local.yaml")
    code, output = cleaner.exec_run(["python3", "-m", "beancleaner", "lists", *words])
    sys.stdout.write(output.decode())
    return code


if __name__ == "__main__":
    main(command)
