"""`make kill` and `make resume`: a webhook's kill switch, from anywhere that reaches it, by a signed request.

The worker stops trading, cancels every open order and, with CLOSE=1, closes every position. The broker keeps the switch: a restart trades nothing.
"""

import argparse
import json
import time

import requests

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from slanger.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_request

from tools.stack.alert import webhook
from tools.stack.engine import LOCAL, StackError, main

PATH = "/control"


def command() -> None:
    parser = argparse.ArgumentParser(prog="make kill", description=__doc__)
    parser.add_argument("action", choices=("kill", "resume"))
    parser.add_argument("--stack", default=LOCAL)
    parser.add_argument("--close", action="store_true", help="kill: close every position too")
    options = parser.parse_args()
    if options.close and options.action == "resume":
        raise StackError("CLOSE=1 goes with `make kill`: leave it out")
    hook, signing_key = webhook(options.stack)
    body = json.dumps({"action": options.action, "close": options.close}).encode()
    timestamp = str(int(time.time()))
    headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign_request(signing_key, PATH, timestamp, body)}
    try:
        answer = requests.post(hook["url"] + PATH, data=body, headers={**headers, "Content-Type": "application/json"}, timeout=10)
    except requests.RequestException as error:
        raise StackError(
            f"the webhook does not answer at {hook['url']} ({type(error).__name__}); in the worker's container "
            f"`python3 -m slanger switch {options.action}` does the same without it"
        ) from None
    if answer.status_code != 202:
        raise StackError(f"the webhook answers {answer.status_code}: {answer.text.strip()}")
    print(f"{options.action} is on its way as {answer.json()['id']}; `make logs BOT=webhook-worker` tells when it is done")


if __name__ == "__main__":
    main(command)
