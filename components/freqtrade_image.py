"""Which image a bot is built from: the library's folder or your own, on the official freqtrade image of a variant."""

from enum import Enum
from typing import Optional

from .image_folders import base_image, image_folder
from .task import Image


class FreqtradeVariant(str, Enum):
    """Which build of freqtrade."""

    PLAIN = "plain"
    """Trading only."""
    PLOT = "plot"
    """With plotting libraries."""
    FREQAI = "freqai"
    """With the machine-learning libraries of FreqAI: about 1.6 GB more."""


def freqtrade_image(context: Optional[str], variant: Optional[FreqtradeVariant]) -> Image:
    """Image to build. Raises FileNotFoundError or ValueError for a folder that is none, or an unknown variant."""
    folder = context or image_folder("freqtrade")
    chosen = FreqtradeVariant(variant or FreqtradeVariant.PLAIN)
    suffix = "" if chosen == FreqtradeVariant.PLAIN else f"_{chosen.value}"  # the official image's tags
    return Image(context=folder, base=base_image(folder) + suffix)
