"""What all open pages get pushed: the newest snapshot of each topic, and events. A page that reads too slowly is cut off."""

import asyncio
import json
from typing import Any

WAITING = 100
CLIENTS = 200


class Client:
    """One page. `texts` ends with None when it is cut off."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str | None] = asyncio.Queue(WAITING + 1)

    def put(self, text: str) -> bool:
        """Whether it kept up."""
        if self.texts.qsize() >= WAITING:
            return False
        self.texts.put_nowait(text)
        return True


class Hub:
    """`watched` is set while a page is open: nobody is asked anything for no one."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._snapshots: dict[str, str] = {}
        self.watched = asyncio.Event()

    def join(self) -> Client | None:
        """None when there are too many."""
        if len(self._clients) >= CLIENTS:
            return None
        client = Client()
        for text in self._snapshots.values():
            client.put(text)
        self._clients.add(client)
        self.watched.set()
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        if not self._clients:
            self.watched.clear()

    def snapshot(self, topic: str, data: Any) -> None:
        """The state of a topic, which whoever comes later gets too; sent when it is another than before."""
        text = _text(topic, data)
        if self._snapshots.get(topic) != text:
            self._snapshots[topic] = text
            self._send(text)

    def remember(self, topic: str, data: Any) -> None:
        """The state of a topic for whoever comes later; the others know it from events."""
        self._snapshots[topic] = _text(topic, data)

    def event(self, topic: str, data: Any) -> None:
        """Something that happened, for those who are there."""
        self._send(_text(topic, data))

    def _send(self, text: str) -> None:
        for client in list(self._clients):
            if not client.put(text):
                self.leave(client)
                client.texts.put_nowait(None)


def _text(topic: str, data: Any) -> str:
    return json.dumps({"topic": topic, "data": data}, separators=(",", ":"), allow_nan=False)
