"""Run every test with what set-up prepared, then stop the Docker engine if set-up had to start it."""

import os
import subprocess
import sys

from tools.setup import environment

# Most of the time tests wait for containers. Files stay together, because one stack serves all tests of its file.
PARALLEL = ("-n", "3", "--dist", "loadfile")


def main() -> int:
    command = [sys.executable, "-m", "pytest", *(sys.argv[1:] or PARALLEL)]
    code = subprocess.run(command, env={**os.environ, **environment()}, check=False).returncode
    subprocess.run([sys.executable, "-m", "tools.setup", "stop-engine"], check=False)
    return code


if __name__ == "__main__":
    sys.exit(main())
