"""A Pulumi home with the offline plugins alone: what these tests bring up is synthetic, whatever this machine could download or log in to."""

import os
import sys
from pathlib import Path

from tools.setup import versions
from tools.setup.plugins import folder_name, offline_script
from tools.stack.trial import ROOT


def offline_environment(home: Path) -> dict[str, str]:
    """Make `home` such a home; returns the variables that choose it and that leave no credentials for a real provider."""
    for name, version in versions.needed_plugins().items():
        plugin = home / "plugins" / folder_name(name, version) / f"pulumi-resource-{name}"
        plugin.parent.mkdir(parents=True, exist_ok=True)
        plugin.write_text(offline_script(name, Path(sys.executable), ROOT))
        plugin.chmod(0o755)
    credentials = {name: "" for name in os.environ if name.startswith("AWS_")}
    return {**credentials, "AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "PULUMI_HOME": str(home)}
