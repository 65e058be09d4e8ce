"""`make alerts`: the page that makes alerts for a stack's webhook, on this machine only; it ends with Ctrl-C."""

import argparse

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from slanger.generator.page import DEFAULT_PORT, serve

from tools.stack.alert import webhook
from tools.stack.engine import LOCAL, main


def command() -> int:
    parser = argparse.ArgumentParser(prog="make alerts", description=__doc__)
    parser.add_argument("--stack", default=LOCAL)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    options = parser.parse_args()
    hook, signing_key = webhook(options.stack)
    return serve(options.port, signing_key, {"url": hook["url"], "account": hook["account"]})


if __name__ == "__main__":
    main(command)
