"""One page that shows people what the stack does: bots, orders, costs, logs, health. It only reads."""
