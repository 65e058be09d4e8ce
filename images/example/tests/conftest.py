"""The image's code and the shared package on the path."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parents[1] / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
