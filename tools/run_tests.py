"""Run every test with what set-up prepared, then stop the Docker engine if set-up had to start it."""

import os
import subprocess
import sys

from tools.setup import environment


def main() -> int:
    code = subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env={**os.environ, **environment()}).returncode
    subprocess.run([sys.executable, "-m", "tools.setup", "stop-engine"], check=False)
    return code


if __name__ == "__main__":
    sys.exit(main())
