"""The local stack's configuration on this machine: Pulumi.local.yaml, plus base images, plus secrets made up here."""

import json
from pathlib import Path
from typing import Any

import yaml

from tools.stack import secrets
from tools.stack.engine import LOCAL, ROOT, config_file, ensure_stack

BASE_IMAGES = ROOT / ".tradestack" / "base-images.json"


def merged(tracked: dict[str, Any], generated: dict[str, Any], base_images: dict[str, str]) -> dict[str, Any]:
    """What to write: the tracked file wins, but for what exists only here (salt, secrets of bots that still exist, base images)."""
    config = dict(tracked.get("config") or {})
    names = {bot.get("name") for bot in config.get("tradestack:bots") or [] if isinstance(bot, dict)}
    kept = (generated.get("config") or {}).get("tradestack:secrets") or {}
    kept = {name: value for name, value in kept.items() if name in names}
    if kept:
        config["tradestack:secrets"] = kept
    stand_ins = {official: used for official, used in base_images.items() if official != used}
    if stand_ins:
        config["tradestack:baseImages"] = {**stand_ins, **(config.get("tradestack:baseImages") or {})}
    result = {**tracked, "config": config}
    if "encryptionsalt" in generated:
        result["encryptionsalt"] = generated["encryptionsalt"]
    return result


def write() -> Path:
    """Bring the generated file up to date, with every secret that the bots need; returns its path."""
    ensure_stack(LOCAL)
    target = config_file(LOCAL)
    tracked = yaml.safe_load((ROOT / f"Pulumi.{LOCAL}.yaml").read_text()) or {}
    generated = (yaml.safe_load(target.read_text()) if target.exists() else None) or {}
    base_images = json.loads(BASE_IMAGES.read_text()) if BASE_IMAGES.exists() else {}
    # Encrypted secrets inside, and the passphrase lies beside it: readable by its owner only.
    target.touch(mode=0o600, exist_ok=True)
    target.write_text(yaml.safe_dump(merged(tracked, generated, base_images), sort_keys=False))
    secrets.fill(LOCAL)
    return target
