"""Makes the JSON that people paste into TradingView, on the command line and on a local page."""
