"""Makes the webhook image's packages importable: alerts are signed and made by the code that checks them. Import it before `slanger` and `botkit`."""

import sys

from tools.stack.engine import ROOT

sys.path += [str(ROOT / "images" / name) for name in ("slanger", "botkit")]
