"""Webhook alerts become broker orders: `accept` stores an alert durably, `execute` trades it once."""
