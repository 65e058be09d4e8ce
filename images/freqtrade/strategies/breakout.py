"""Sample strategy, pandas only: buys a candle that closes above the closes before it.

It shows that a bot trades; it is not meant to earn money.
"""

from datetime import datetime

from freqtrade.exchange import timeframe_to_seconds
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class BreakoutStrategy(IStrategy):
    """Enter on a close above the last LOOKBACK closes; leave on a close below them all, or after HOLD candles.

    The return on investment and the stop-loss are fractions of the price; times are in candles.
    """

    INTERFACE_VERSION = 3
    LOOKBACK = 2
    HOLD = 3

    timeframe = "1m"
    startup_candle_count = 20
    can_short = False
    process_only_new_candles = True

    stoploss = -0.03
    minimal_roi = {"0": 0.01}
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}

    @property
    def protections(self):
        # Pause after a run of stop-losses, and after losing a tenth of the account in a few hours.
        return [
            {"method": "StoplossGuard", "lookback_period_candles": 60, "trade_limit": 4, "stop_duration_candles": 15},
            {
                "method": "MaxDrawdown",
                "calculation_mode": "equity",
                "max_allowed_drawdown": 0.1,
                "lookback_period_candles": 360,
                "trade_limit": 20,
                "stop_duration_candles": 60,
            },
        ]

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        # Shifted by one: a candle is compared with the ones before it.
        dataframe["highest"] = dataframe["close"].rolling(self.LOOKBACK).max().shift(1)
        dataframe["lowest"] = dataframe["close"].rolling(self.LOOKBACK).min().shift(1)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[(dataframe["close"] > dataframe["highest"]) & (dataframe["volume"] > 0), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] < dataframe["lowest"], "exit_long"] = 1
        return dataframe

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs
    ) -> str | None:
        held = (current_time - trade.date_last_filled_utc).total_seconds()
        return "held_long_enough" if held >= self.HOLD * timeframe_to_seconds(self.timeframe) else None
