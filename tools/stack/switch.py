"""`make kill` and `make resume`: a webhook's kill switch, from anywhere that reaches it, by a signed request.

The worker stops trading, cancels every open order and, with CLOSE=1, closes every position. The broker keeps the switch: a restart trades nothing.
"""

import argparse
import json
import time

import requests

from tools.stack import slanger_code  # isort: skip  # noqa: F401
from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_request

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
        no_answer = f"the webhook does not answer at {hook['url']} ({type(error).__name__})"
        if not hook["workerService"].startswith("arn:"):
            raise StackError(
                f"{no_answer}; `python3 -m slanger switch {options.action}` in the worker's container needs no webhook"
            ) from None
        from tools.stack.ecs import run_once  # boto3 is slow to load

        # A load balancer lets TradingView in and nobody else, and a private webhook nobody at all.
        task = run_once(hook["workerService"], ["switch", options.action, *(["--close"] if options.close else [])])
        print(f"{no_answer}; {options.action} runs as a task beside the worker: {task}; `make logs BOT=webhook-worker` shows its words")
        return
    if answer.status_code != 202:
        raise StackError(f"the webhook answers {answer.status_code}: {answer.text.strip()}")
    print(f"{options.action} is on its way as {answer.json()['id']}; `make logs BOT=webhook-worker` tells when it is done")


if __name__ == "__main__":
    main(command)
