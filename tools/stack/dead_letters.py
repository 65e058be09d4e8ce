"""`make dead-letters`: what could not be traded, and why; `ARGS="replay ID"` tries again, `ARGS="drop ID"` forgets one."""

import argparse
import sys

from tools.stack.bots import container
from tools.stack.engine import LOCAL, StackError, main, outputs
from tools.stack.status import engine_client


def command() -> int:
    parser = argparse.ArgumentParser(prog="make dead-letters", description=__doc__)
    parser.add_argument("arguments", nargs="*", default=["list"])
    arguments = parser.parse_args().arguments or ["list"]
    hook = outputs(LOCAL).get("webhook")
    worker = container(engine_client(LOCAL), hook["workerService"]) if hook else None
    if worker is None:
        raise StackError("the webhook's worker is not up: run `make up`")
    code, output = worker.exec_run(["python3", "-m", "slanger", "dead-letters", *arguments])
    sys.stdout.write(output.decode())
    return code


if __name__ == "__main__":
    main(command)
