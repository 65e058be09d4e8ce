"""Closes positions at an Alpaca account by rules: on price, time, symbol, class and tag; never one that is excluded."""
