"""BotImage: the image of several bots, built and pushed once."""

from typing import NotRequired, Optional, TypedDict

import pulumi

from .arguments import refuse_mistakes
from .freqtrade_image import FreqtradeVariant, freqtrade_image
from .hosts import HostArgs, build_on_host


class BotImageArgs(TypedDict):
    """Arguments of BotImage."""

    host: HostArgs
    """Where its bots run: the image is built for that host and, on Fargate, pushed to its repository."""
    variant: NotRequired[FreqtradeVariant]
    """Build of freqtrade. Default plain."""
    context: NotRequired[str]
    """Your own image folder in place of the library's: Dockerfile and `strategies/`."""
    architecture: NotRequired[str]
    """`arm64` or `amd64`. Default: the host's."""


class BotImage(pulumi.ComponentResource):
    """An image for FreqtradeBot's `image`. A bot that is given none builds its own."""

    reference: pulumi.Output[str]
    """What containers run: name and content tag, on Fargate name and digest."""

    def __init__(self, name: str, args: BotImageArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("image", name, args, BotImageArgs)
        image = freqtrade_image(args.get("context"), args.get("variant"))
        super().__init__("tradestack:index:BotImage", name, {}, opts)
        self.reference = build_on_host(name, image, args.get("architecture"), args["host"], self)
        self.register_outputs({"reference": self.reference})
