"""The stack: host, data services, exchange, bots, webhook, what watches, exports. It reads like the picture in the README; decisions live in
settings and components."""

import gc

import pulumi

from components import (
    AlpacaPaper,
    Beancleaner,
    Board,
    BotCluster,
    BotImage,
    BotMetrics,
    Earnyearn,
    ExchangeReplay,
    FinnhubReplay,
    FreqtradeBot,
    Grafana,
    LocalCluster,
    LocalQueue,
    Network,
    Purrstream,
    StrategyService,
    TimeseriesStack,
    WebhookService,
    tag_resources,
)
from settings import HostKind, load
from settings_data import BOARD, BOT_METRICS
from settings_market import MARKET_TASKS
from settings_section import BEANCLEANER, DATA, EARNYEARN, FINNHUB_REPLAY, GRAFANA, PURRSTREAM, WEBHOOK
from settings_watch import costs, health_checks, watched_bots

# Pulumi keeps hundreds of thousands of small objects alive until the end; looking for garbage among them took half the time with 100 bots.
gc.disable()

stack = load(pulumi.get_stack())
tag_resources(pulumi.get_project(), pulumi.get_stack())

if stack.host == HostKind.DOCKER:
    host = LocalCluster("local", {"base_images": stack.base_images}).host
else:
    network = Network("network", stack.network.model_dump())
    placement = {
        "vpc_id": network.vpc_id,
        "vpc_cidr": network.cidr,
        "subnet_ids": network.task_subnet_ids,
        "zones": stack.network.zones,
        "assign_public_ip": network.assign_public_ip,
    }
    host = BotCluster("cluster", {**placement, **stack.cluster.model_dump(exclude_none=True), "base_images": stack.base_images}).host

data = None
if stack.data:
    data = TimeseriesStack(DATA, {"host": host, **stack.data.arguments(stack.secrets.get(DATA, {}))})
    host = data.host  # what follows logs into its Loki

replay = None
if stack.exchange_replay:
    replay = ExchangeReplay("exchange-replay", {"host": host, **stack.exchange_replay.model_dump(exclude_none=True)})

# Bots of the same folder, variant and architecture share one image.
images = {key: BotImage(name, {"host": host, **args}).reference for key, (name, args) in stack.images().items()}

bots, running_bots = [], {}
for bot in stack.bots:
    exchange = {"exchange_url": replay.url} if bot.exchange == "replay" else {}
    image = {"image": images[bot.image_key]} if bot.image is None else {}
    running = FreqtradeBot(bot.name, {"host": host, **bot.arguments(stack.secrets), **exchange, **image})
    running_bots[bot.name] = running
    bots.append(
        {
            "name": bot.name,
            "strategy": bot.strategy,
            "pairs": bot.pairs,
            "dryRun": bot.dry_run,
            "service": running.service,
            "apiUrl": running.api_url,
            "logs": running.logs,
            "volume": running.volume_name,
            "image": running.image_reference,
        }
    )

paper = None
if stack.alpaca_paper:
    own = stack.secrets[WEBHOOK]
    credentials = {"key": pulumi.Output.secret(own["brokerKey"]), "secret": pulumi.Output.secret(own["brokerSecret"])}
    paper = AlpacaPaper("alpaca-paper", {"host": host, "secrets": credentials, **stack.alpaca_paper.model_dump(exclude_none=True)})

queue, webhook = None, None
if stack.webhook:
    given = stack.webhook.arguments(stack)
    if data and "secrets" in given:
        given["secrets"] = {"redis_url": data.redis_url, "influx_url": data.influx_write_url, **given["secrets"]}
    elif data:
        pulumi.log.warn(
            "tradestack:webhook.secretArn: put redis_url and influx_url there and name them in secretKeys: its orders are not shown else"
        )
    if paper:
        given |= {"broker_url": paper.url, "data_url": paper.url}
    if stack.host == HostKind.DOCKER:
        queue = LocalQueue("queue", {"host": host, "names": [WEBHOOK]})
        given["queue"] = {
            "endpoint": queue.endpoint,
            "url": queue.queue_urls[WEBHOOK],
            "dead_letter_url": queue.dead_letter_urls[WEBHOOK],
        }
    elif "alb" in given:
        given["alb"]["public_subnet_ids"] = network.public_subnet_ids
    webhook = WebhookService(WEBHOOK, {"host": host, **given})

# Around the market: prices for all, the strategy around earnings, what closes positions, services of your own.
parts = {DATA: data, WEBHOOK: webhook, "alpacaPaper": paper}
if stack.purrstream:
    parts[PURRSTREAM] = Purrstream(PURRSTREAM, {"host": host, **stack.purrstream.arguments(stack, parts)})
if stack.finnhub_replay:
    parts[FINNHUB_REPLAY] = FinnhubReplay(MARKET_TASKS[FINNHUB_REPLAY], {"host": host, **stack.finnhub_replay.arguments(stack)})
if stack.earnyearn:
    parts[EARNYEARN] = Earnyearn(EARNYEARN, {"host": host, **stack.earnyearn.arguments(stack, parts)})
if stack.beancleaner:
    parts[BEANCLEANER] = Beancleaner(BEANCLEANER, {"host": host, **stack.beancleaner.arguments(stack, parts)})
services = {one.name: StrategyService(one.name, {"host": host, **one.arguments(stack, parts)}) for one in stack.services}

metrics, board, grafana = None, None, None
if data:
    tasks = {**running_bots, DATA: data, "exchange-replay": replay, "alpaca-paper": paper, "queue": queue, WEBHOOK: webhook}
    tasks |= {name: parts.get(key) for key, name in MARKET_TASKS.items()} | services
    watched = watched_bots(stack, running_bots)
    if stack.board:
        read = {"influx_url": data.influx_read_url, "loki_url": data.loki_url, "bots": watched}
        read |= {"redis_url": data.redis_url} if stack.webhook else {}
        shown = {"accounts": [stack.webhook.account] if stack.webhook else [], "services": health_checks(tasks, host)}
        board = Board(BOARD, {"host": host, "secrets": read, **shown, **stack.board.arguments()})
    if stack.grafana:
        grafana = Grafana(GRAFANA, {"host": host, **stack.grafana.arguments(stack.secrets, data)})
    written = {"influx_url": data.influx_write_url, "bots": watched}
    polled = {"costs": costs({**tasks, BOARD: board, GRAFANA: grafana}), "trades_days": stack.data.trades_days}
    metrics = BotMetrics(BOT_METRICS, {"host": host, "secrets": written, **polled})

pulumi.export("host", stack.host.value)
pulumi.export("bots", bots)
pulumi.export("services", [{"name": name, "service": one.service, "logs": one.logs, "url": one.url} for name, one in services.items()])
pulumi.export("credentials", pulumi.Output.secret(stack.secrets))
if data:
    pulumi.export(
        "data",
        {
            "services": data.services,
            "logs": data.logs,
            "volumes": data.volumes,
            "influxUrl": data.influx_url,
            "influxDatabase": data.influx_database,
            "monthlyCost": data.monthly_cost,
        },
    )
    pulumi.export("botMetrics", {"service": metrics.service, "logs": metrics.logs, "url": metrics.url})
if board:
    pulumi.export("board", {"service": board.service, "logs": board.logs, "url": board.url})
if grafana:
    pulumi.export("grafana", {"service": grafana.service, "logs": grafana.logs, "url": grafana.url})
if replay:
    pulumi.export("exchangeReplay", {"service": replay.service, "logs": replay.logs, "url": replay.url})
if paper:
    pulumi.export("alpacaPaper", {"service": paper.service, "logs": paper.logs, "url": paper.url, "volume": paper.volume_name})
if queue:
    pulumi.export("queue", {"service": queue.service, "logs": queue.logs, "url": queue.endpoint, "volume": queue.volume_name})
for key in [key for key in MARKET_TASKS if key in parts]:
    runs = {"runs": parts[key].runs} if key == BEANCLEANER else {}
    pulumi.export(key, {"service": parts[key].service, "logs": parts[key].logs, "url": parts[key].url, **runs})
if webhook:
    pulumi.export(
        "webhook",
        {
            "url": webhook.url,
            "account": stack.webhook.account,
            "mode": stack.webhook.mode.value,
            "service": webhook.service,
            "logs": webhook.logs,
            "workerService": webhook.worker_service,
            "workerLogs": webhook.worker_logs,
            "queueUrl": webhook.queue_url,
            "deadLetterUrl": webhook.dead_letter_url,
            "ingressDnsName": webhook.ingress_dns_name,
        },
    )
