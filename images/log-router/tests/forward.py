"""Docker's side of the forward protocol (v1, message mode): one line, one acknowledgement, as its fluentd log driver does it."""

import socket
import struct
import time
from typing import Any

LABELS = {"tradestack.stack": "test", "container_id": "0123456789ab", "container_name": "/some", "source": "stdout"}


def packed(value: Any) -> bytes:
    """MessagePack of strings, bytes (as strings) and dicts; a float is a time (the protocol's EventTime)."""
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(packed(key) + packed(one) for key, one in value.items())
    if isinstance(value, float):
        return b"\xd7\x00" + struct.pack(">II", int(value), int(value % 1 * 1e9))
    text = value.encode() if isinstance(value, str) else value
    return b"\xdb" + struct.pack(">I", len(text)) + text


class Driver:
    """The log driver of one container: sends a line again until the router has said that it has it."""

    def __init__(self, port: int, service: str, bot: str | None = None, acknowledged: bool = True) -> None:
        self.port = port
        self.tag = service
        self.acknowledged = acknowledged
        self.labels = {**LABELS, "tradestack.task": service, **({"tradestack.bot": bot} if bot else {})}
        self.connection: socket.socket | None = None
        self.sent = 0

    def send(self, line: str | bytes, at: float | None = None, deadline: float = 60, **more: str) -> None:
        """`at`: Docker's time of it, Unix seconds; now by default. Raises AssertionError when the router doesn't take it in time."""
        self.sent += 1
        chunk = f"{self.tag}-{self.sent}"
        option = {"chunk": chunk} if self.acknowledged else {}
        record = {**self.labels, **more, "log": line}
        message = b"\x94" + packed(self.tag) + packed(float(at or time.time())) + packed(record) + packed(option)
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            try:
                if self.connection is None:
                    self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
                self.connection.sendall(message)
                if not option:
                    return
                answer = self.connection.recv(4096)
                if chunk.encode() in answer:
                    return
            except OSError:
                pass
            self.close()
            time.sleep(0.1)
        raise AssertionError(f"the router didn't take the line in {deadline} s")

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None
