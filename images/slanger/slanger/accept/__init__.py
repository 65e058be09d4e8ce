"""The HTTP side: verify, validate, dedupe, store, answer 202."""
