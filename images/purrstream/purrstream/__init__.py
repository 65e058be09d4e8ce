"""One connection a stream to Alpaca for all services: bars, trades, news and the account, on Redis channels and in the stores."""
