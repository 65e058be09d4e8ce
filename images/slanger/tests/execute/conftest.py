"""The worker's fixtures, and this folder on the path for what the tests import from them."""

import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from execute_world import (  # noqa: F401
    command,
    make_paper,
    make_queue,
    paper,
    paper_process,
    queue,
    queue_server,
    run,
    session_worker,
    shared,
)
