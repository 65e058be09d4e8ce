"""What the dashboard files must hold, and which of them don't."""

import json
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "images" / "grafana" / "dashboards"
if str(CHECKOUT / "images" / "queries") not in sys.path:
    sys.path.insert(0, str(CHECKOUT / "images" / "queries"))

from queries import FILES, load  # noqa: E402

from tools.dashboards.dashboard import dashboard  # noqa: E402


def texts() -> dict[str, str]:
    """File name -> text of each dashboard."""
    return {f"{file}.json": json.dumps(dashboard(file, load(file)), indent=2, ensure_ascii=False) + "\n" for file in FILES}


def stale() -> list[str]:
    """Names of files that are missing, different or no longer made."""
    wanted = texts()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
