"""The image's code and the shared packages on the path, and the recorded answers of a real bot."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parents[1] / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

PATHS = ("show_config", "trades", "status", "health", "balance", "profit")


@pytest.fixture
def recorded() -> dict[str, Any]:
    """Path -> what freqtrade 2026.9 answered, two trades closed last and two open, of the bot of the local stack."""
    return {path: json.loads((HERE / "recorded" / f"{path}.json").read_text()) for path in PATHS}
