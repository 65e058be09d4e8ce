"""The image's code on the path."""

import sys
from pathlib import Path

IMAGE = Path(__file__).resolve().parent.parent
if str(IMAGE) not in sys.path:
    sys.path.insert(0, str(IMAGE))
