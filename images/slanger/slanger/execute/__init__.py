"""The broker side: alerts in order per account and symbol, each traded at most once."""
