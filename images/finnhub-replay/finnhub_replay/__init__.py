"""A stand-in of Finnhub's API with recorded answers."""
