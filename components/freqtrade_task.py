"""The one task of a FreqtradeBot: its configuration, its credentials, its storage, as a TaskSpec."""

from collections.abc import Mapping
from typing import Any, Optional

import pulumi

from .freqtrade_config import bot_config, replayed_exchange
from .freqtrade_image import freqtrade_image
from .task import HealthCheck, Image, SecretSource, TaskSpec, Volume

PORT = 8080
USER_DATA = "/freqtrade/user_data"


def bot_task(name: str, args: Mapping[str, Any], secrets: Mapping[str, SecretSource]) -> TaskSpec:
    """`args`: FreqtradeBotArgs, checked; `secrets`: the variables that freqtrade reads them from."""
    stake, most = args["stake_amount"], args["max_open_trades"]

    def config_json(exchange_url: Optional[str]) -> pulumi.Output[str]:
        config = bot_config(
            strategy=args["strategy"],
            pairs=args["pairs"],
            exchange=args.get("exchange") or "binance",
            exchange_settings=replayed_exchange(exchange_url) if exchange_url else {},
            stake_currency=args["stake_currency"],
            stake_amount=stake,
            max_open_trades=most,
            dry_run=args.get("dry_run", True) is not False,
            dry_run_wallet=args.get("dry_run_wallet") or 10 * stake * most,
            timeframe=args.get("timeframe"),
            extra=args.get("config") or {},
        )
        return pulumi.Output.json_dumps(config, sort_keys=True)

    return TaskSpec(
        name=name,
        component="FreqtradeBot",
        image=Image(reference=args["image"]) if args.get("image") else freqtrade_image(args.get("image_context"), args.get("variant")),
        environment={"BOT_NAME": name, "BOT_CONFIG_JSON": pulumi.Output.from_input(args.get("exchange_url")).apply(config_json)},
        secrets=secrets,
        volumes=(Volume(name="user-data", mount_path=USER_DATA, protect=bool(args.get("protect")), existing=args.get("volume")),),
        port=PORT,
        published_port=args.get("published_port"),
        cpu=args.get("cpu") or 256,
        memory=args.get("memory") or 512,
        architecture=args.get("architecture"),
        health=HealthCheck(command=("python3", "/freqtrade/bot/health.py"), start_period=180),
        single_writer=True,
        spot=args.get("spot", True) is not False,
        execute_command=bool(args.get("execute_command")),
        read_only_root=not args.get("execute_command"),
    )
