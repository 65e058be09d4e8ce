"""`make preview STACK=…`: what `pulumi up` would do. For local on its real state; for other stacks a first deployment, without login or secrets.

With your own login `pulumi preview --stack dev` shows the difference to what runs.
"""

import argparse
import subprocess

from tools.setup import environment
from tools.stack import local_config, stack_file
from tools.stack.engine import LOCAL, ROOT, StackError, main, pulumi, with_config
from tools.stack.trial import trial


def first_deployment(stack: str) -> int:
    """Preview on an empty state; returns the CLI's exit code."""
    file = ROOT / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(one.name.split(".")[1] for one in ROOT.glob("Pulumi.*.yaml"))
        raise StackError(f"STACK={stack!r}: there is no {file.name}; use one of {', '.join(known)}")
    tracked = stack_file.read(file)
    with trial(stack, tracked, environment()) as (folder, own):
        for arguments in (["stack", "init", stack], ["preview", "--stack", stack]):
            code = subprocess.run(
                ["pulumi", *arguments, "--non-interactive"], cwd=folder, env=own, stdin=subprocess.DEVNULL, check=False
            ).returncode
            if code != 0:
                return code
    return 0


def command() -> int:
    parser = argparse.ArgumentParser(prog="make preview", description=__doc__)
    parser.add_argument("--stack", default=LOCAL)
    stack = parser.parse_args().stack
    if stack != LOCAL:
        return first_deployment(stack)
    local_config.write()
    pulumi(LOCAL, "preview", *with_config(LOCAL), show=True)
    return 0


if __name__ == "__main__":
    main(command)
