"""Makes the webhook image's own package importable: alerts are signed and made by the code that checks them. Import it before `slanger`."""

import sys

from tools.stack.engine import ROOT

sys.path.append(str(ROOT / "images" / "slanger"))
