"""The stack: host, exchange, bots, exports. It reads like the picture in the README; decisions live in settings and components."""

import gc

import pulumi

from components import (
    AlpacaPaper,
    BotCluster,
    BotImage,
    ExchangeReplay,
    FreqtradeBot,
    LocalCluster,
    LocalQueue,
    Network,
    WebhookService,
    tag_resources,
)
from settings import HostKind, load
from settings_section import WEBHOOK

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

replay = None
if stack.exchange_replay:
    replay = ExchangeReplay("exchange-replay", {"host": host, **stack.exchange_replay.model_dump(exclude_none=True)})

# Bots of the same folder, variant and architecture share one image.
images = {key: BotImage(name, {"host": host, **args}).reference for key, (name, args) in stack.images().items()}

bots = []
for bot in stack.bots:
    exchange = {"exchange_url": replay.url} if bot.exchange == "replay" else {}
    image = {"image": images[bot.image_key]} if bot.image is None else {}
    running = FreqtradeBot(bot.name, {"host": host, **bot.arguments(stack.secrets), **exchange, **image})
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
    given = stack.webhook.arguments(stack.secrets.get(WEBHOOK, {}))
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

pulumi.export("host", stack.host.value)
pulumi.export("bots", bots)
pulumi.export("credentials", pulumi.Output.secret(stack.secrets))
if replay:
    pulumi.export("exchangeReplay", {"service": replay.service, "logs": replay.logs, "url": replay.url})
if paper:
    pulumi.export("alpacaPaper", {"service": paper.service, "logs": paper.logs, "url": paper.url, "volume": paper.volume_name})
if queue:
    pulumi.export("queue", {"service": queue.service, "logs": queue.logs, "url": queue.endpoint, "volume": queue.volume_name})
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
