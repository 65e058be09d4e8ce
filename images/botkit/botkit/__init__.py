"""What every service of a stack needs: settings, logs, health, stopping, metrics, the bus, signatures, a client of a bot's REST API."""
