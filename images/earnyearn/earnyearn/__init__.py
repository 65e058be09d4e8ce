"""Trades shares around earnings: a list each morning, MACD and RSI crosses of one-minute bars, signed orders to the webhook."""
