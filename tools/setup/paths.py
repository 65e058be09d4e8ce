"""Where set-up keeps things: a cache shared by all checkouts, and this checkout's own `.tradestack`."""

import os
from pathlib import Path

from tools.venv import cache_dir

CHECKOUT = Path(__file__).resolve().parents[2]
STATE = CHECKOUT / ".tradestack"
LOGS = STATE / "logs"
CACHE = cache_dir()
VENV = CHECKOUT / ".venv"


def is_root() -> bool:
    return os.geteuid() == 0
