"""Command line: `python -m slanger alerts new|show|key|page`."""

import argparse
import json
import os
import sys
import textwrap
import time
from typing import Any

from slanger.alert import Limits
from slanger.generator.alerts import new_alert
from slanger.generator.fields import BY_KEY, FIELDS, Field
from slanger.generator.keys import VARIABLE, BadKey, new_key, read_key
from slanger.generator.options import BadOptions
from slanger.generator.page import DEFAULT_PORT, serve
from slanger.generator.show import BadAlert, show

# The same for every alert of one webhook.
KNOWN = ("url", "account")
OWN_OPTIONS = tuple(field for field in FIELDS if field.key not in Limits.model_fields)


def main(arguments: list[str]) -> int:
    """Exit code: 0, or 1 for an alert that is not good or can't be made, 2 for a command that can't be read."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen)
    except BadOptions as error:
        for key, value, fix in error.mistakes:
            print(f"{option_name(key)}{f'={value}' if value else ''}: {fix}", file=sys.stderr)
    except (BadKey, BadAlert) as error:
        print(error, file=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        print("no key was typed: nothing is made", file=sys.stderr)
    return 1


def option_name(key: str) -> str:
    """An option's key -> how it is written on the command line."""
    return f"--limit {key}" if key in Limits.model_fields else f"--{key.replace('_', '-')}"


def _parser() -> argparse.ArgumentParser:
    # No abbreviations: `--not` must not become an amount.
    parser = argparse.ArgumentParser(prog="python -m slanger alerts", description="Make alerts for TradingView.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="new|show|key|page")
    new = commands.add_parser("new", help="make an alert", allow_abbrev=False)
    for field in OWN_OPTIONS:
        _add(new, field)
    new.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"a limit of this alert, as often as needed: {', '.join(Limits.model_fields)}",
    )
    new.add_argument("--unsigned", action="store_true", help="leave the signature out")
    new.set_defaults(run=_new)
    reader = commands.add_parser("show", help="read an alert's text on standard input: signed? what may it do?", allow_abbrev=False)
    reader.set_defaults(run=_show)
    for command in (new, reader):
        command.add_argument("--format", choices=("text", "json"), default="text")
    page = commands.add_parser("page", help="a page with a form, for this machine only", allow_abbrev=False)
    page.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port on 127.0.0.1, default {DEFAULT_PORT}; 0 takes a free one")
    for key in KNOWN:
        page.add_argument(option_name(key), dest=key, default="", metavar="VALUE", help=f"what the form begins with: {BY_KEY[key].label}")
    page.set_defaults(run=_page)
    for command in (new, reader, page):
        command.add_argument("--key-file", metavar="FILE", help=f"file with the signing key; otherwise {VARIABLE}, or it is asked for")
        command.add_argument("--key-fd", type=int, metavar="N", help="file descriptor to read the signing key from")
    commands.add_parser("key", help="make a new signing key", allow_abbrev=False).set_defaults(run=_key)
    return parser


def _add(parser: argparse.ArgumentParser, field: Field) -> None:
    if field.unit == "flag":
        parser.add_argument(option_name(field.key), dest=field.key, action="store_const", const="true", help=field.help)
    else:
        parser.add_argument(option_name(field.key), dest=field.key, metavar="VALUE", help=field.help.replace("%", "%%"))


def _new(chosen: argparse.Namespace) -> int:
    options = {field.key: getattr(chosen, field.key) or "" for field in OWN_OPTIONS}
    for limit in chosen.limit:
        key, equals, value = limit.partition("=")
        if not equals or key not in Limits.model_fields:
            raise BadOptions([("limit", limit, f"use KEY=VALUE with one of {', '.join(Limits.model_fields)}")])
        options[key] = value
    key = None
    if not chosen.unsigned:
        key = read_key(os.environ, chosen.key_file, chosen.key_fd, ask=True)
        if key is None:
            raise BadKey(f"no signing key: set {VARIABLE}, or use --key-file, --key-fd or a terminal; --unsigned leaves the signature out")
    made = new_alert(options, key, time.time())
    if chosen.format == "json":
        print(json.dumps(made, indent=1))
        return 0
    print(f"Webhook URL\n\n{made['url']}\n\nMessage: paste all of it\n\n{made['text']}\n\nTest it\n\n{made['curl']}\n")
    _print_words(made)
    return 0


def _show(chosen: argparse.Namespace) -> int:
    shown = show(sys.stdin.buffer.read(), read_key(os.environ, chosen.key_file, chosen.key_fd, ask=False), time.time())
    if chosen.format == "json":
        print(json.dumps(shown, indent=1))
    else:
        unchecked = f" (no key: set {VARIABLE} to check it)" if shown["signature"] == "unchecked" else ""
        print(f"Signature: {shown['signature']}{unchecked}\n")
        _print_words(shown)
    return 0 if shown["good"] else 1


def _print_words(made: dict[str, Any]) -> None:
    print("What it may do\n")
    print("\n".join(made["summary"]))
    print("\nKeep in mind\n")
    for note in made["notes"]:
        print(textwrap.fill(note, 110, initial_indent="- ", subsequent_indent="  ", break_long_words=False))


def _page(chosen: argparse.Namespace) -> int:
    # Without one the page asks for it.
    known = {key: getattr(chosen, key) for key in KNOWN}
    return serve(chosen.port, read_key(os.environ, chosen.key_file, chosen.key_fd, ask=False), known)


def _key(_: argparse.Namespace) -> int:
    print(new_key())
    if sys.stdout.isatty():
        print(f"\nStore it as the secret {VARIABLE}. Shown once: who has it can sign any alert.", file=sys.stderr)
    return 0
