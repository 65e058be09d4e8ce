"""Set-up: everything that a fresh machine needs before `pulumi up --stack local`. Command line: `python -m tools.setup --help`."""

from .home import environment

__all__ = ["environment"]
