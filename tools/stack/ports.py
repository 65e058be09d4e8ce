"""A port for a stack that runs beside another one."""

import random
import socket

# Below those that systems give to outgoing connections, which would take a port between its choice and its use.
PORTS = range(20_000, 32_768)


def free_port() -> int:
    """A port of this machine's loopback that nobody uses now."""
    dice = random.SystemRandom()
    while True:
        port = dice.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
