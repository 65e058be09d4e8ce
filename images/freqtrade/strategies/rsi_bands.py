"""Sample strategy with TA-Lib indicators: buys weakness inside Bollinger bands.

It shows that a bot trades; it is not meant to earn money.
"""

from datetime import datetime

import talib
from freqtrade.exchange import timeframe_to_seconds
from freqtrade.persistence import Trade
from freqtrade.strategy import DecimalParameter, IntParameter, IStrategy
from pandas import DataFrame


class RsiBandsStrategy(IStrategy):
    """Enter when RSI is low and the close lies in the bands' lower part; leave when RSI is high again, or after HOLD candles."""

    INTERFACE_VERSION = 3
    HOLD = 4

    timeframe = "1m"
    startup_candle_count = 40
    can_short = False
    process_only_new_candles = True

    stoploss = -0.03
    trailing_stop = True
    trailing_stop_positive = 0.004
    trailing_stop_positive_offset = 0.008
    trailing_only_offset_is_reached = True
    minimal_roi = {"0": 0.01}
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}

    # Open to `freqtrade hyperopt`.
    entry_rsi = IntParameter(20, 55, default=50, space="buy")
    entry_band = DecimalParameter(0.1, 0.8, default=0.6, decimals=2, space="buy")
    exit_rsi = IntParameter(50, 80, default=58, space="sell")

    @property
    def protections(self):
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
        dataframe["rsi"] = talib.RSI(dataframe["close"], timeperiod=9)
        upper, _, lower = talib.BBANDS(dataframe["close"], timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
        # 0 at the lower band, 1 at the upper one.
        dataframe["band"] = (dataframe["close"] - lower) / (upper - lower)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        weak = (dataframe["rsi"] < self.entry_rsi.value) & (dataframe["band"] < self.entry_band.value)
        dataframe.loc[weak & (dataframe["volume"] > 0), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["rsi"] > self.exit_rsi.value, "exit_long"] = 1
        return dataframe

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs
    ) -> str | None:
        held = (current_time - trade.date_last_filled_utc).total_seconds()
        return "held_long_enough" if held >= self.HOLD * timeframe_to_seconds(self.timeframe) else None
