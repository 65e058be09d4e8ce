"""The image's code and the package that images share on the path."""

import sys
from pathlib import Path

IMAGE = Path(__file__).resolve().parent.parent
for folder in (IMAGE, IMAGE.parent / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
