"""The worker's fixtures; the image's code and this folder on the path."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1]):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

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
