"""Writes the dashboards; with --check it only says which are stale (exit code 1)."""

import argparse
import sys

from tools.dashboards.files import FOLDER, stale, texts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.dashboards", description="Make Grafana's dashboards from the query files.")
    parser.add_argument("--check", action="store_true", help="write nothing; say which are stale")
    if parser.parse_args(arguments).check:
        if names := stale():
            print(f"stale: {', '.join(names)}; run python -m tools.dashboards")
        return 1 if names else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
