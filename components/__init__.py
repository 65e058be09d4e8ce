"""tradestack: Pulumi components that run trading bots on Docker and on AWS Fargate from the same definitions."""

from .bot_cluster import BotCluster, BotClusterArgs, ContainerInsights
from .bot_image import BotImage, BotImageArgs
from .exchange_replay import ExchangeReplay, ExchangeReplayArgs
from .freqtrade_bot import FreqtradeBot, FreqtradeBotArgs
from .freqtrade_image import FreqtradeVariant
from .hosts.args import DockerHostArgs, FargateHostArgs, HostArgs
from .local_cluster import LocalCluster, LocalClusterArgs
from .network import Egress, Network, NetworkArgs
from .tags import tag_resources

__all__ = [
    "BotCluster",
    "BotClusterArgs",
    "BotImage",
    "BotImageArgs",
    "ContainerInsights",
    "DockerHostArgs",
    "Egress",
    "ExchangeReplay",
    "ExchangeReplayArgs",
    "FargateHostArgs",
    "FreqtradeBot",
    "FreqtradeBotArgs",
    "FreqtradeVariant",
    "HostArgs",
    "LocalCluster",
    "LocalClusterArgs",
    "Network",
    "NetworkArgs",
    "tag_resources",
]
