"""`python -m slanger dead-letters`: look at the alerts that were not traded, with the reason; trade them after all, or drop them."""

import argparse
import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from botkit.settings import EXIT_CONFIG, BadSettings

from slanger.execute.consumer import BATCH, QueueErrors
from slanger.execute.dead import ATTRIBUTES
from slanger.execute.decode import REPLAYED, Undecodable, decode
from slanger.execute.settings import NAMES
from slanger.message import StoredAlert, group_of
from slanger.queue_client import open_client
from slanger.settings import QueueSettings, read_queue, reader_of

# Nobody else sees them for so long, unless this command gives them back before.
HIDDEN_SECONDS = 60
QUEUE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Letter:
    id: str
    receipt: str
    body: str
    buried_at: float
    """Unix seconds."""
    reason: str
    name: str
    symbol: str
    key: str


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    if given.command in ("replay", "drop") and given.all == bool(given.ids):
        print(f"{given.command}: give the ids of the dead letters, or --all")
        return 2
    reader = reader_of(os.environ, NAMES)
    queue = read_queue(reader)
    try:
        reader.finish()
        return asyncio.run(_run(given, queue))
    except BadSettings as refused:
        print(refused)
        return EXIT_CONFIG
    except QueueErrors as problem:
        print(f"the queue can't be reached: {problem}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m slanger dead-letters", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="one line each, oldest first")
    commands.add_parser("show", help="everything about them").add_argument(
        "ids", nargs="+", metavar="ID", help="as listed, or the alert's key"
    )
    for name, text in (("replay", "put them back to be traded; what is ordered already is not ordered again"), ("drop", "delete them")):
        command = commands.add_parser(name, help=text)
        command.add_argument("ids", nargs="*", metavar="ID")
        command.add_argument("--all", action="store_true")
    return parser


async def _run(given: argparse.Namespace, queue: QueueSettings) -> int:
    async with open_client(queue, QUEUE_SECONDS) as sqs, _all_letters(sqs, queue) as letters:
        if given.command == "list":
            return _list(letters)
        chosen, unknown = _choose(letters, None if getattr(given, "all", False) else given.ids)
        if unknown:
            print(f"no dead letter {', '.join(unknown)}: see dead-letters list")
            return 1
        failed = 0
        for letter in chosen:
            if given.command == "show":
                print(json.dumps(_shown(letter), indent=2))
            elif given.command == "drop":
                await _delete(sqs, queue, letter)
                print(f"dropped {letter.id[:8]} {letter.name} {letter.symbol}")
            else:
                failed += not await _replay(sqs, queue, letter)
        return 1 if failed else 0


@asynccontextmanager
async def _all_letters(sqs: Any, queue: QueueSettings) -> AsyncIterator[list[Letter]]:
    """Oldest first. Afterwards those that are still there are visible again."""
    letters: dict[str, Letter] = {}
    try:
        while messages := await _receive(sqs, queue):
            letters.update((letter.id, letter) for letter in map(_letter_of, messages))
        yield sorted(letters.values(), key=lambda letter: letter.buried_at)
    finally:
        left = list(letters.values())
        for start in range(0, len(left), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                for number, letter in enumerate(left[start : start + BATCH])
            ]
            # Those that were deleted fail, each for itself.
            await sqs.change_message_visibility_batch(QueueUrl=queue.dead_letter_url, Entries=entries)


async def _receive(sqs: Any, queue: QueueSettings) -> list[dict[str, Any]]:
    answer = await sqs.receive_message(
        QueueUrl=queue.dead_letter_url,
        MaxNumberOfMessages=BATCH,
        # Waiting asks every server of the queue, not a sample.
        WaitTimeSeconds=1,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageSystemAttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    return answer.get("Messages", [])


def _letter_of(message: dict[str, Any]) -> Letter:
    told = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items() if name in ATTRIBUTES}
    return Letter(
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        buried_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        # The queue itself moves what was received too often: the worker ended each time before there was an outcome.
        reason=told.get("reason", "received too often without an outcome"),
        name=told.get("name", ""),
        symbol=told.get("symbol", ""),
        key=told.get("key", ""),
    )


def _list(letters: list[Letter]) -> int:
    for letter in letters:
        age = round(time.time() - letter.buried_at)
        print(f"{letter.id[:8]}  {age:>7} s  {letter.name or '-':<16}  {letter.symbol or '-':<9}  {letter.key or '-'}  {letter.reason}")
    print(f"{len(letters)} dead letters")
    return 0


def _choose(letters: list[Letter], ids: list[str] | None) -> tuple[list[Letter], list[str]]:
    """The letters meant by the ids (None: all), and the ids that mean none or more than one."""
    if ids is None:
        return letters, []
    found = {wanted: [letter for letter in letters if letter.id.startswith(wanted) or letter.key == wanted] for wanted in ids}
    chosen = {letter.id for matches in found.values() for letter in matches}
    return [letter for letter in letters if letter.id in chosen], [wanted for wanted, matches in found.items() if len(matches) != 1]


def _shown(letter: Letter) -> dict[str, Any]:
    try:
        message = json.loads(letter.body)
    except (ValueError, RecursionError):
        message = letter.body
    return {"id": letter.id, "reason": letter.reason, "name": letter.name, "symbol": letter.symbol, "key": letter.key, "message": message}


async def _replay(sqs: Any, queue: QueueSettings, letter: Letter) -> bool:
    """Same key, so the same client_order_id; its age counts from now."""
    try:
        message = decode(letter.body, queue.account)
    except Undecodable as bad:
        print(f"not replayed {letter.id[:8]}: {bad}; drop it")
        return False
    symbol = message.symbol if isinstance(message, StoredAlert) else None
    await sqs.send_message(
        QueueUrl=queue.url,
        MessageBody=message.model_copy(update={"received_at": time.time()}).model_dump_json(),
        MessageGroupId=group_of(queue.account, symbol),
        MessageDeduplicationId=uuid.uuid4().hex,
        MessageAttributes={REPLAYED: {"DataType": "String", "StringValue": letter.id}},
    )
    await _delete(sqs, queue, letter)
    print(f"replayed {letter.id[:8]} {letter.name} {letter.symbol}")
    return True


async def _delete(sqs: Any, queue: QueueSettings, letter: Letter) -> None:
    await sqs.delete_message(QueueUrl=queue.dead_letter_url, ReceiptHandle=letter.receipt)
