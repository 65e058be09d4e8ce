"""What the tests share: the package on the path."""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent.parent)
if FOLDER not in sys.path:
    sys.path.insert(0, FOLDER)
