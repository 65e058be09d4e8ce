"""Replays recorded candles as a Binance-like spot REST API."""
