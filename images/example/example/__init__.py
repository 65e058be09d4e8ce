"""A strategy service: it hears one-minute bars, decides in strategy.py, and sends signed orders to the webhook."""
