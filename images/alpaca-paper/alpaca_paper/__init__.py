"""A paper broker that looks like Alpaca: trading REST, `/stream`, latest trades."""
