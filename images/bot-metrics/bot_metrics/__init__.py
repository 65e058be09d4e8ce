"""Polls every bot's REST API and writes what it learns to InfluxDB."""
