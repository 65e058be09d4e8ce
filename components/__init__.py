"""tradestack: Pulumi components that run trading bots on Docker and on AWS Fargate from the same definitions."""

from .alpaca_paper import AlpacaPaper, AlpacaPaperArgs, MarketHours
from .beancleaner import Beancleaner, BeancleanerArgs
from .board import Board, BoardArgs, BoardService
from .bot_cluster import BotCluster, BotClusterArgs, ContainerInsights
from .bot_image import BotImage, BotImageArgs
from .bot_metrics import BotMetrics, BotMetricsArgs
from .earnyearn import EarningsSide, EarningsSignals, Earnyearn, EarnyearnArgs, Recommendation
from .exchange_replay import ExchangeReplay, ExchangeReplayArgs
from .finnhub_replay import FinnhubReplay, FinnhubReplayArgs
from .freqtrade_bot import FreqtradeBot, FreqtradeBotArgs
from .freqtrade_image import FreqtradeVariant
from .grafana import Grafana, GrafanaArgs
from .hosts.args import DockerHostArgs, FargateHostArgs, HostArgs
from .local_cluster import LocalCluster, LocalClusterArgs
from .local_queue import LocalQueue, LocalQueueArgs
from .network import Egress, Network, NetworkArgs
from .purrstream import MarketFeed, Purrstream, PurrstreamArgs
from .scheduled_job import ScheduledJob, ScheduledJobArgs
from .strategy_service import StrategyService, StrategyServiceArgs
from .tags import tag_resources
from .timeseries_args import ChunkStore, HistoryEngine, HistoryStore, InfluxdbStore, LokiStore, RedisStore, StoreKind
from .timeseries_stack import TimeseriesStack, TimeseriesStackArgs
from .webhook_args import (
    LimitScope,
    WebhookAuthentication,
    WebhookDefaults,
    WebhookIngress,
    WebhookLimits,
    WebhookLoadBalancer,
    WebhookMode,
    WebhookQueue,
)
from .webhook_service import WebhookService, WebhookServiceArgs

__all__ = [
    "AlpacaPaper",
    "AlpacaPaperArgs",
    "Beancleaner",
    "BeancleanerArgs",
    "Board",
    "BoardArgs",
    "BoardService",
    "BotCluster",
    "BotClusterArgs",
    "BotImage",
    "BotImageArgs",
    "BotMetrics",
    "BotMetricsArgs",
    "ChunkStore",
    "ContainerInsights",
    "DockerHostArgs",
    "EarningsSide",
    "EarningsSignals",
    "Earnyearn",
    "EarnyearnArgs",
    "Egress",
    "ExchangeReplay",
    "ExchangeReplayArgs",
    "FargateHostArgs",
    "FinnhubReplay",
    "FinnhubReplayArgs",
    "FreqtradeBot",
    "FreqtradeBotArgs",
    "FreqtradeVariant",
    "Grafana",
    "GrafanaArgs",
    "HistoryEngine",
    "HistoryStore",
    "HostArgs",
    "InfluxdbStore",
    "LimitScope",
    "LocalCluster",
    "LocalClusterArgs",
    "LocalQueue",
    "LocalQueueArgs",
    "LokiStore",
    "MarketFeed",
    "MarketHours",
    "Network",
    "NetworkArgs",
    "Purrstream",
    "PurrstreamArgs",
    "Recommendation",
    "RedisStore",
    "ScheduledJob",
    "ScheduledJobArgs",
    "StoreKind",
    "StrategyService",
    "StrategyServiceArgs",
    "TimeseriesStack",
    "TimeseriesStackArgs",
    "WebhookAuthentication",
    "WebhookDefaults",
    "WebhookIngress",
    "WebhookLimits",
    "WebhookLoadBalancer",
    "WebhookMode",
    "WebhookQueue",
    "WebhookService",
    "WebhookServiceArgs",
    "tag_resources",
]
