"""`make logs BOT=…`: the log lines of a bot or a service, from Docker or from CloudWatch."""

import argparse
import time

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.services import everything
from tools.stack.status import engine_client


def command() -> None:
    parser = argparse.ArgumentParser(prog="make logs", description=__doc__)
    parser.add_argument("--stack", default=LOCAL)
    parser.add_argument("--bot", required=True, help="name of a bot or a service, e.g. webhook-worker")
    parser.add_argument("--minutes", type=float, default=15, help="how far back")
    parser.add_argument("--follow", action="store_true")
    options = parser.parse_args()
    known = outputs(options.stack)
    services = everything(known)
    if options.bot not in services:
        raise StackError(f"BOT={options.bot!r}: no such bot or service in stack {options.stack!r}; there are {', '.join(services)}")
    service = services[options.bot]
    since = time.time() - options.minutes * 60
    if known["host"] == "docker":
        found = container(engine_client(options.stack), service)
        if found is None:
            raise StackError(f"the container of {options.bot!r} is gone: run `make up`")
        for chunk in found.logs(stream=True, follow=options.follow, since=int(since)):
            print(chunk.decode(errors="replace"), end="", flush=True)
        return
    from tools.stack.ecs import log_lines

    for line in log_lines(service, since, options.follow):
        print(line, flush=True)


if __name__ == "__main__":
    main(command)
